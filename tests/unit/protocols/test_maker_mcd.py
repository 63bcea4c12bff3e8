"""Maker's arithmetic against slow twins, and what its rows mean."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from defirisk.core.adapter import Contract, Snapshot, View
from defirisk.core.evm import ZERO_ADDRESS
from defirisk.core.holdings import Side
from defirisk.core.quote import exact
from defirisk.protocols.cdp.maker_mcd import ADAPTER
from defirisk.protocols.cdp.maker_mcd.arithmetic import (
    SECONDS_PER_YEAR,
    dripped,
    ilk_bytes,
    ilk_name,
    rpow,
    spot,
    urn_handler,
)
from defirisk.protocols.cdp.maker_mcd.rows import (
    RAD,
    RAY,
    WAD,
    Auction,
    Cat,
    Dog,
    DogIlk,
    Ilk,
    Join,
    SpotIlk,
    Surplus,
    Urn,
)
from defirisk.protocols.cdp.maker_mcd.system_now import maker_now
from tests.unit.protocols.maker_sample import (
    ANN,
    BLOCK,
    BOB,
    CAT,
    CID,
    DAI,
    DOG,
    ETH,
    FIVE_PERCENT,
    FLIP,
    GEM,
    HANDLER,
    MAT,
    ROWS,
    SYSTEM,
    VOW,
    snapshot,
)
from tests.unit.protocols.rows_in_memory import RowsInMemory


def codes(of: Snapshot) -> set[str]:
    return {finding.code for finding in ADAPTER.findings(of)}


def slow_power(base: int, exponent: int) -> int:
    """By the bits of the exponent, from below, as the contract's assembly rounds."""
    result, factor = RAY, base
    for place, bit in enumerate(reversed(f"{exponent:b}")):
        if place:
            factor = int(Fraction(factor * factor, RAY) + Fraction(1, 2))
        if bit == "1":
            whole = factor if place == 0 else int(Fraction(result * factor, RAY) + Fraction(1, 2))
            result = whole
    return result


@given(st.integers(RAY * 9 // 10, RAY * 11 // 10), st.integers(0, 5_000))
def test_powers_are_those_of_the_assembly(base: int, exponent: int) -> None:
    assert rpow(base, exponent) == slow_power(base, exponent)


@given(st.integers(RAY, RAY + RAY // 10**6), st.integers(0, 400))
def test_powers_are_nearly_those_of_exact_numbers(base: int, exponent: int) -> None:
    true = Fraction(base, RAY) ** exponent * RAY
    assert abs(rpow(base, exponent) - true) <= 2 * exponent + 1


def test_powers_at_the_ends() -> None:
    assert rpow(0, 0) == RAY
    assert rpow(0, 7) == 0
    assert rpow(FIVE_PERCENT, 0) == RAY
    assert rpow(FIVE_PERCENT, 1) == FIVE_PERCENT


def test_the_fee_of_five_percent_is_five_percent_in_a_year() -> None:
    year = dripped(RAY, FIVE_PERCENT, SECONDS_PER_YEAR)

    assert year / RAY == pytest.approx(1.05, rel=1e-12)
    assert dripped(2 * RAY, FIVE_PERCENT, SECONDS_PER_YEAR) // 2 == year


def test_a_price_is_cut_twice() -> None:
    """As the package's own WBTC-A is priced: 19,000 at a margin of 150 per cent."""
    assert spot(150 * WAD, RAY, MAT) == 100 * RAY
    assert spot(1, RAY, 7 * RAY) == 10**9 // 7
    assert spot(300 * WAD, 2 * RAY, MAT) == 100 * RAY


@given(st.binary(min_size=32, max_size=32))
def test_every_ilk_has_a_name_of_its_own(raw: bytes) -> None:
    assert ilk_bytes(ilk_name(raw)) == raw
    assert ":" not in ilk_name(raw)


@pytest.mark.parametrize("name", ["ETH-A", "RWA001-A", "UNIV2DAIETH-A", "PSM-USDC-A"])
def test_plain_ilks_are_called_as_everybody_calls_them(name: str) -> None:
    assert ilk_name(name.encode().ljust(32, b"\0")) == name


def test_forged_ilks_are_not() -> None:
    for raw in (b"ETH-A:0xaa", b"ETH\0-A", b"\x1b[31m", b"0x" + b"00" * 15, b"", b" ETH-A"):
        padded = raw.ljust(32, b"\0")
        assert ilk_name(padded) == "0x" + padded.hex() or raw.startswith(b"0x")
        assert ilk_bytes(ilk_name(padded)) == padded


def test_urns_of_the_manager_are_where_a_contract_creates_contracts() -> None:
    """The addresses are those of a well-known example, which begins at nonce 0."""
    maker = "0x6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0"
    created = [
        "0xcd234a471b72ba2f1ccf0a70fcaba648a5eecd8d",
        "0x343c43a37d37dff08ae8c4a11544c718abb4fcf8",
        "0xf778b86fa74e846c4f0a1fbd1335fe81c00a0c91",
    ]
    assert [urn_handler(maker, nonce) for nonce in (0, 1, 2)] == created
    assert len({urn_handler(maker, nonce) for nonce in (127, 128, 255, 256, 65_536)}) == 5


def test_an_urn_is_a_unit_of_its_owner() -> None:
    held = ADAPTER.holdings(snapshot())

    assert held.units == (f"{ANN}:{ETH}", f"{HANDLER}:{ETH}")
    assert held.owners == (ANN, BOB)
    coll, debt = (exact(quote.program) for quote in held.quotes)
    assert coll == 300
    assert debt == Fraction(11, 10)
    assert {quote.asset for quote in held.quotes} == {GEM, DAI}
    (parameters,) = held.parameters
    assert parameters.liquidation_threshold == Fraction(2, 3)
    assert parameters.liquidation_bonus == Fraction(13, 100)
    balances = {(one.unit, one.side): one.balance_raw for one in held.holdings}
    assert balances[0, Side.DEBT] == 1_100 * WAD
    assert balances[1, Side.COLLATERAL] == 2 * WAD


def test_urns_are_judged_at_the_stored_rate_and_owe_at_the_accrued_one() -> None:
    """A year of five per cent: Ann may owe 2,000 and owes 1,995 or, once dripped, 2,094.75."""
    tight = Urn(ilk=ETH, urn=ANN, ink_raw=10 * WAD, art_raw=1_995 * WAD * 10 // 11)
    of = snapshot(tight)
    (ann, _) = ADAPTER.debt(of).positions

    assert not ADAPTER.liquidation_check(of)(f"{ANN}:{ETH}", {})
    assert ann.liquidatable is False
    assert ann.debt_raw / WAD == pytest.approx(1995 * 1.05)
    assert "interest-pending" in codes(of)
    assert "interest-pending" not in codes(snapshot())


def test_a_moved_price_is_poked_with_the_terms_of_now() -> None:
    harder = replace(
        next(row for row in ROWS if isinstance(row, SpotIlk)), mat_ray=4 * RAY, poked_mat_ray=MAT
    )
    of = snapshot(harder)
    check, unit = ADAPTER.liquidation_check(of), f"{ANN}:{ETH}"

    assert not check(unit, {0: Fraction(1)}), "nobody has poked"
    assert check(unit, {0: Fraction(1001, 1000)}), "300.3 over 4 are 75.075 for each of 10"
    assert not ADAPTER.liquidation_check(snapshot())(unit, {0: Fraction(56, 100)})
    assert ADAPTER.liquidation_check(snapshot())(unit, {0: Fraction(54, 100)})
    assert not check("0x00:nobody", {})
    assert "poke-pending" in codes(of)


def test_without_a_price_nobody_can_be_liquidated() -> None:
    terms = next(row for row in ROWS if isinstance(row, Ilk))
    poked = next(row for row in ROWS if isinstance(row, SpotIlk))
    of = snapshot(replace(terms, spot_ray=0), replace(poked, val_wad=0, poked_spot_ray=0))

    check = ADAPTER.liquidation_check(of)
    assert not any(check(unit, {}) for unit in ADAPTER.holdings(of).units)
    assert exact(ADAPTER.holdings(of).quotes[0].program) is None
    assert {one.liquidatable for one in ADAPTER.debt(of).positions} == {None}
    assert "no-price" in codes(of)


def test_a_market_says_its_terms() -> None:
    (market,) = ADAPTER.debt(snapshot()).markets

    assert market.minimum_ratio == Fraction(3, 2)
    assert market.minimum_debt_raw == 100 * WAD
    assert market.debt_ceiling_raw == 10**6 * WAD
    assert float(market.stability_fee_apr or 0) == pytest.approx(0.04879, rel=1e-4)
    assert market.liquidation_penalty == Fraction(13, 100)
    assert market.collateral_raw == 12 * WAD
    assert market.price == 300


def test_a_target_price_other_than_a_dollar_makes_collateral_worth_less_dai() -> None:
    of = snapshot(replace(SYSTEM, par_ray=RAY * 5 // 4))
    (market,) = ADAPTER.debt(of).markets

    assert market.price == 240
    assert exact(ADAPTER.holdings(of).quotes[1].program) == Fraction(11, 8)


def test_what_nothing_backs_is_what_neither_the_surplus_nor_auctions_cover() -> None:
    lot = Auction(flip=FLIP, auction=1, lot_raw=WAD, bid_rad=30 * RAD, guy=BOB, tab_rad=113 * RAD)
    system = replace(SYSTEM, vice_rad=500 * RAD)
    of = snapshot(system, lot, Surplus(vow=VOW, dai_rad=40 * RAD))

    # The auction is about 100 and its penalty, of which 30 were paid in already.
    assert maker_now(of).deficit_rad == (500 - 40 - 70) * RAD
    assert "deficit" in codes(of)
    assert maker_now(snapshot(system)).deficit_rad == 0, "unknown what the Vow has"


def test_a_dog_liquidates_where_an_ilk_has_a_clip() -> None:
    of = snapshot(
        Dog(dog=DOG, hole_rad=10**6 * RAD),
        DogIlk(dog=DOG, ilk=ETH, clip=CID, chop_wad=WAD * 12 // 10, hole_rad=RAD),
        Cat(cat=CAT, live=False),
    )
    (market,) = ADAPTER.debt(of).markets

    assert ADAPTER.liquidation_check(of)(f"{HANDLER}:{ETH}", {})
    assert market.liquidation_penalty == Fraction(1, 5)
    assert "unproven-implementation" in codes(of)
    asked = [one for one in ADAPTER.questions(of) if one.view.contract.role == "dog"]
    assert {one.grade for one in asked if not one.refusal} == {"read"}
    assert {one.refusal for one in asked} == {b"", b"Dog/not-unsafe"}
    caged = snapshot(Dog(dog=DOG, live=False), DogIlk(dog=DOG, ilk=ETH, clip=CID))
    assert not ADAPTER.liquidation_check(caged)(f"{HANDLER}:{ETH}", {})


def test_what_a_dog_says_becomes_rows() -> None:
    state = RowsInMemory(*ROWS)
    dog = Contract(address=DOG, role="dog", first_block=0)
    views = list(ADAPTER.views_of_rows([dog], state))
    answers = {"Hole": (5,), "Dirt": (3,), "live": (0,), "ilks": (CID, 4, 6, 2)}
    for view in views:
        ADAPTER.observe(view, answers[view.function], BLOCK, state)

    assert state.get(Dog, DOG) == Dog(dog=DOG, hole_rad=5, dirt_rad=3, live=False)
    terms = DogIlk(dog=DOG, ilk=ETH, clip=CID, chop_wad=4, hole_rad=6, dirt_rad=2)
    assert state.get(DogIlk, DOG, ETH) == terms


def test_a_ward_that_is_no_adapter_names_no_token() -> None:
    state = RowsInMemory()
    ward = Contract(address=ANN, role="join", first_block=0)
    for view in ADAPTER.views([ward]):
        ADAPTER.observe(view, None, BLOCK, state)
        assert list(ADAPTER.discover_view(view, None)) == []
    assert state.find(Join, ANN) is None
    ADAPTER.observe(View(ward, "dec"), (2**200,), BLOCK, state)
    assert state.get(Join, ANN).decimals == -1


def test_an_unknown_token_is_said() -> None:
    of = snapshot(Join(ward=BOB, ilk=ETH, gem=ZERO_ADDRESS))

    assert "unknown-collateral" in codes(of)
