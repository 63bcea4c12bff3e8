"""What Morpho Blue's oracles say in dollars: with feeds of both sides, one, or none."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Literal

import pytest

from defirisk.core.adapter import Answer, Deployment, Snapshot, Token
from defirisk.core.claim import Claim
from defirisk.core.evm import Block
from defirisk.core.quote import Constant, Conversion, Feed, Leaf, Product, Spot, exact
from defirisk.protocols.lending.morpho_blue.numeraire import Dollars, unit_of, value
from defirisk.protocols.lending.morpho_blue.oracle_price import (
    PriceNow,
    chainlink_price,
    price_now,
    shocked_price,
)
from defirisk.protocols.lending.morpho_blue.rows import (
    Market,
    Oracle,
    OraclePrice,
    OracleVaults,
)
from tests.unit.protocols.rows_in_memory import RowsInMemory

WETH, USDC, STETH, VAULT = "0xe1", "0xdc", "0x5e", "0x77"
ETH_USD, USDC_USD, STETH_ETH, ORACLE = "0xf1", "0xf2", "0xf3", "0x0c"
WORDS = {ETH_USD: "ETH / USD", USDC_USD: "USDC / USD", STETH_ETH: "stETH / ETH"}
DECIMALS = {WETH: 18, STETH: 18, USDC: 6}


def answer(price: int, decimals: int = 8, grade: Literal["logs", "read"] = "logs") -> Answer:
    return Answer(price=price, decimals=decimals, updated_at=7, grade=grade)


ANSWERS = {
    ETH_USD: answer(2_000 * 10**8),
    USDC_USD: answer(99_990_000),
    STETH_ETH: answer(998 * 10**15, 18),
}


def made_of(base: str = "", quote: str = "", up: int = 0) -> RowsInMemory:
    """The row of an oracle with one feed to a side, or none."""
    zero = Oracle(oracle=ORACLE).base_feed_1
    return RowsInMemory(
        Oracle(
            oracle=ORACLE,
            base_feed_1=base or zero,
            quote_feed_1=quote or zero,
            scale_factor=10**up if up else 0,
        )
    )


def market(collateral: str, loan: str, at: int = 1) -> Market:
    return Market(
        market_id=f"{collateral}{loan}",
        created_block=at,
        collateral_token=collateral,
        loan_token=loan,
        oracle=ORACLE,
    )


def now(
    rows: RowsInMemory, answers: dict[str, Answer] | None = None, claim: Claim | None = None
) -> PriceNow:
    """The oracle's price where these feeds and this vault are known."""
    at = Snapshot(
        deployment=Deployment(name="morpho", protocol="morpho-blue", chain_id=1),
        block=Block(number=9, hash="", parent_hash="", timestamp=9),
        rows=rows,
        tokens={
            address: Token(address=address, symbol="", name="", decimals=decimals)
            for address, decimals in {**DECIMALS, VAULT: 18}.items()
        },
        answers=ANSWERS if answers is None else answers,
        claims={} if claim is None else {claim.token: claim},
    )
    return price_now(ORACLE, at)


BOTH = now(made_of(ETH_USD, USDC_USD, 24))
ONE_SIDED = now(made_of(ETH_USD, "", 16))
IN_ETHER = now(made_of(STETH_ETH, "", 18))
STATED = now(RowsInMemory(OraclePrice(oracle=ORACLE, price_raw=1_900 * 10**24)))


def test_the_price_is_that_of_the_feeds_in_the_scale_of_the_contract() -> None:
    """10^36 times loan units per collateral unit: 18 decimals of ether, 6 of the dollar."""
    assert BOTH.price == 10**24 * 2_000 * 10**8 // 99_990_000
    assert ONE_SIDED.price == 2_000 * 10**24
    assert (BOTH.grade, BOTH.updated_ts) == ("logs", 7)


@pytest.mark.parametrize(
    ("scale", "base", "quote"),
    [(10, [-1], [5]), (10, [5], [-1]), (10, [5], [0]), (10**10, [2**255], [1])],
)
def test_what_reverts_in_the_contract_is_no_price(
    scale: int, base: list[int], quote: list[int]
) -> None:
    assert chainlink_price(scale, base, quote) is None


def test_a_price_is_read_where_a_feed_is_read_or_a_vault_is_in_it() -> None:
    read = {**ANSWERS, USDC_USD: answer(10**8, grade="read")}
    assert now(made_of(ETH_USD, USDC_USD, 24), read).grade == "read"

    vault = RowsInMemory(
        Oracle(oracle=ORACLE, base_vault="0x77", base_feed_1=ETH_USD, scale_factor=10**16),
        OraclePrice(oracle=ORACLE, price_raw=5),
    )
    assert (STATED.price, STATED.grade) == (1_900 * 10**24, "read")
    assert now(vault) == PriceNow(oracle=ORACLE, price=5, grade="read", updated_ts=None)
    assert now(RowsInMemory()).grade == "none"


@pytest.mark.parametrize(
    ("words", "unit"),
    [
        ("ETH / USD", "USD"),
        ("wstETH/ETH", "ETH"),
        ("USDC / usd ", "USD"),
        ("price of ether", ""),
        ("/ USD", ""),
        ("", ""),
    ],
)
def test_a_feed_s_own_words_say_what_it_is_in(words: str, unit: str) -> None:
    assert unit_of(words) == unit


@pytest.mark.parametrize(
    ("collateral", "loan", "price", "dollars"),
    [
        (WETH, USDC, BOTH, (2_000, Fraction(9_999, 10_000))),
        # A market that takes its loan token for a dollar.
        (WETH, USDC, ONE_SIDED, (2_000, 1)),
        (STETH, WETH, IN_ETHER, (1_996, 2_000)),
        # An oracle that only states a price: the loan token is worth what other markets say.
        (WETH, USDC, STATED, (Fraction(19_000 * 9_999, 10 * 10_000), Fraction(9_999, 10_000))),
    ],
)
def test_both_sides_are_valued_in_dollars_and_compare_as_the_oracle_does(
    collateral: str, loan: str, price: PriceNow, dollars: tuple[Fraction | int, Fraction | int]
) -> None:
    first, asked = market(WETH, USDC), market(collateral, loan, 2)
    known = Dollars([(first, BOTH), (asked, price)], WORDS)

    found = known.worth(asked, price, (DECIMALS[collateral], DECIMALS[loan]))

    worth = value(found.collateral), value(found.loan)
    assert worth == dollars
    assert worth[0] is not None
    assert worth[1] is not None
    assert price.price is not None
    stated = Fraction(price.price * 10 ** DECIMALS[collateral], 10 ** (36 + DECIMALS[loan]))
    assert float(worth[0] / worth[1]) == pytest.approx(float(stated), rel=1e-12)


def test_without_a_dollar_price_of_the_loan_token_nothing_is_made_up() -> None:
    alone = market(STETH, WETH)

    found = Dollars([(alone, IN_ETHER)], WORDS).worth(alone, IN_ETHER, (18, 18))

    assert (value(found.collateral), value(found.loan)) == (None, None)
    assert not found.known


def test_the_oldest_market_s_word_counts() -> None:
    """Anybody can make a market whose feed says that a dollar is worth a thousand."""
    words = {**WORDS, "0xbad": "USDC / USD"}
    lie = {**ANSWERS, "0xbad": answer(1_000 * 10**8)}
    liar = now(made_of(ETH_USD, "0xbad", 24), lie)
    asked = market(WETH, USDC, 3)
    honest_first = [(market(WETH, USDC), BOTH), (market(WETH, USDC, 2), liar), (asked, STATED)]

    found = Dollars(honest_first, words).worth(asked, STATED, (18, 6))

    assert value(found.loan) == Fraction(9_999, 10_000)


def test_a_hard_coded_dollar_is_no_feed() -> None:
    asked = market(WETH, USDC)

    found = Dollars([(asked, ONE_SIDED)], WORDS).worth(asked, ONE_SIDED, (18, 6))

    assert found.loan == (Constant(Fraction(1)),)


def test_a_shocked_feed_is_rounded_to_its_own_precision() -> None:
    third, tenth = Fraction(2, 3), Fraction(11, 10)

    both = shocked_price(BOTH, third, tenth, apart=True)
    one = shocked_price(ONE_SIDED, third, Fraction(1), apart=True)
    stated = shocked_price(STATED, third, tenth, apart=False)

    assert both == 10**24 * 133_333_333_333 // 109_989_000
    assert one == 10**16 * 133_333_333_333
    assert stated == round(1_900 * 10**24 * third / tenth)


def test_what_both_sides_have_in_common_does_not_move_the_price() -> None:
    half = Fraction(1, 2)

    assert shocked_price(IN_ETHER, half, half, apart=False) == IN_ETHER.price
    assert shocked_price(IN_ETHER, half, Fraction(0), apart=False) is None


RATE = Fraction(11, 10)
SHARES = Claim(token=VAULT, kind="vault", program=Constant(Fraction(1)), underlying=WETH, rate=RATE)


def over_vault(base: str = "", quote: str = "", up: int = 0) -> RowsInMemory:
    """The oracle of a market for the vault's shares, with ether or a dollar lent on them."""
    rows = made_of(base, quote, up)
    rows.put(replace(rows.get(Oracle, ORACLE), base_vault=VAULT))
    rows.put(OracleVaults(oracle=ORACLE, base_sample_raw=10**18, quote_sample_raw=1))
    return rows


def test_a_vault_s_shares_are_worth_what_they_convert_to() -> None:
    """Alone, in the loan token; with feeds, in dollars. Rounded as the contract rounds."""
    alone = now(over_vault(up=18), claim=SHARES)
    fed = now(over_vault(ETH_USD, USDC_USD, 6), claim=SHARES)

    assert (alone.price, alone.grade) == (11 * 10**35, "logs")
    assert fed.price == 10**6 * (11 * 10**17 * 2_000 * 10**8) // 99_990_000
    assert fed.base.made_of == (VAULT, ETH_USD)
    assert now(over_vault(up=18)).grade == "none"
    older = now(over_vault(up=18), claim=replace(SHARES, exact=False))
    assert (alone.exact, older.exact, older.grade) == (True, False, "read")


def test_the_shares_of_a_vault_move_with_its_rate_and_with_their_asset() -> None:
    """The market lends ether on shares: a fall of the ether alone changes nothing in it."""
    first, asked = market(WETH, USDC), market(VAULT, WETH, 2)
    price = now(over_vault(up=18), claim=SHARES)
    found = Dollars([(first, BOTH), (asked, price)], WORDS).worth(asked, price, (18, 18))

    def moved(kind: type[Leaf]) -> tuple[Fraction | None, Fraction | None]:
        def half(leaf: Leaf) -> Fraction:
            return Fraction(1, 2 if isinstance(leaf, kind) else 1)

        collateral, loan = (exact(Product(side), half) for side in (found.collateral, found.loan))
        return collateral, loan

    assert (value(found.collateral), value(found.loan)) == (Fraction(2_200), Fraction(2_000))
    assert moved(Conversion) == (Fraction(1_100), Fraction(2_000))
    assert moved(Feed) == (Fraction(1_100), Fraction(1_000))


def test_a_feed_of_unknown_unit_is_put_into_dollars_by_the_loan_token() -> None:
    """What the oracle divides by is what the loan token is worth: only the other feed is left."""
    words = {**WORDS, STETH_ETH: "a port of something"}
    odd = now(made_of(STETH_ETH, USDC_USD, 14))
    first, asked = market(WETH, USDC), market(STETH, USDC, 2)

    found = Dollars([(first, BOTH), (asked, odd)], words).worth(asked, odd, (18, 6))
    in_ether = now(made_of(STETH_ETH, ETH_USD, 14))
    other = Dollars([(first, BOTH), (asked, in_ether)], words).worth(asked, in_ether, (18, 6))

    def usdc(leaf: Leaf) -> Fraction:
        return Fraction(1, 2 if getattr(leaf, "address", "") == USDC_USD else 1)

    for one, price in ((found, odd), (other, in_ether)):
        assert price.price is not None
        worth, loan = value(one.collateral), value(one.loan)
        assert worth is not None
        assert loan is not None
        assert worth / loan == Fraction(price.price * 10**18, 10**42)
    assert exact(Product(found.collateral), usdc) == value(found.collateral)
    assert exact(Product(other.collateral), usdc) == (value(other.collateral) or 0) / 2


def test_what_is_made_of_a_pool_or_a_vault_moves_the_price_itself() -> None:
    """No single feed answers the move: the price is rounded to its own precision."""
    third = Fraction(1, 3)
    shares = now(over_vault(ETH_USD, USDC_USD, 6), claim=SHARES)
    pool = Answer(
        price=2_000 * 10**8,
        decimals=8,
        updated_at=7,
        grade="logs",
        program=Spot("0x90", WETH, USDC, Fraction(2_000)),
    )
    pooled = now(made_of(ETH_USD, USDC_USD, 24), {**ANSWERS, ETH_USD: pool})

    for price in (shares, pooled):
        assert price.price is not None
        assert shocked_price(price, third, Fraction(1), apart=True) == round(price.price * third)
        assert shocked_price(price, third, Fraction(0), apart=True) is None
