"""What assets are worth at market, and whose word counts for it."""

from __future__ import annotations

from fractions import Fraction

import pytest

from defirisk.core.adapter import Deployment, Snapshot, Token
from defirisk.core.claim import Claim
from defirisk.core.evm import Block
from defirisk.core.holdings import Holdings, Quote
from defirisk.core.quote import (
    Constant,
    Conversion,
    Feed,
    Market,
    Product,
    Program,
    Rate,
    Spot,
    exact,
)
from defirisk.core.venue import Venue
from defirisk.store.asset_axis import AssetAxis, asset_axis, virtual_assets
from defirisk.swaps.constant_product import ConstantProduct
from tests.books import address
from tests.unit.protocols.rows_in_memory import RowsInMemory

A, B, SHARE, DEEP = (address(name) for name in ("A", "B", "SHARE", "DEEP"))
FEED = Feed(address("feed"), Fraction(2))
WRITTEN_DOWN = Constant(Fraction(1))


def quote(asset: str, program: Program) -> Quote:
    return Quote(market="m", asset=asset, decimals=18, program=program)


def pool(name: str, first: int, second: int) -> Venue:
    """A pool of A and B with these whole reserves."""
    return Venue(
        address=address(name),
        deployment="d",
        label=name,
        kind="constant-product",
        tokens=(A, B),
        decimals=(18, 18),
        pool=ConstantProduct((first * 10**18, second * 10**18)),
    )


def claim(token: str, on: str, rate: Fraction | None) -> Claim:
    program = Product((Conversion(token, rate), Market(on, None)))
    return Claim(token=token, kind="vault", program=program, underlying=on, rate=rate)


def axis(
    *quotes: Quote,
    venues: tuple[Venue, ...] = (),
    claims: tuple[Claim, ...] = (),
    virtual: frozenset[str] = frozenset(),
) -> AssetAxis:
    snapshot = Snapshot(
        deployment=Deployment(name="d", protocol="p", chain_id=1),
        block=Block(number=1, hash="", parent_hash="", timestamp=0),
        rows=RowsInMemory(),
        tokens={A: Token(address=A, symbol="A", name="A", decimals=18)},
        answers={},
        venues={venue.address: venue for venue in venues},
        claims={one.token: one for one in claims},
    )
    return asset_axis(quotes, [snapshot], virtual)


def prices(found: AssetAxis) -> dict[str, Fraction | None]:
    return {a.address: p for a, p in zip(found.assets, found.prices, strict=True)}


def test_a_pool_does_not_price_a_token_by_one_that_is_priced_there() -> None:
    """As marks of virtual markets are: by their own pool, some of the time."""
    traded = pool("its own", 10, 33)
    program = Product((FEED, Spot(traded.address, A, B, Fraction(3))))
    written = quote(B, WRITTEN_DOWN)

    circular = axis(quote(A, program), written, venues=(traded,))
    another = axis(quote(A, program), written, venues=(traded, pool("another", 10, 30)))

    assert circular.prices == (Fraction(6), Fraction(1))
    assert another.prices == (Fraction(6), Fraction(2))


def test_a_feed_that_is_kept_up_stands_before_what_was_written_down() -> None:
    both = [quote(A, WRITTEN_DOWN), quote(A, FEED)]

    assert prices(axis(*both))[A] == prices(axis(*reversed(both)))[A] == 2


def test_a_pool_knows_better_than_what_was_written_down_and_no_better_than_a_feed() -> None:
    market = (pool("deep", 1000, 500),)  # half a B, which is worth 2

    assert prices(axis(quote(A, WRITTEN_DOWN), quote(B, FEED), venues=market))[A] == 1
    far = (pool("deep", 1000, 250),)
    assert prices(axis(quote(A, WRITTEN_DOWN), quote(B, FEED), venues=far))[A] == Fraction(1, 2)
    fed = [quote(A, Feed(address("other"), Fraction(7))), quote(B, FEED)]
    assert prices(axis(*fed, venues=far))[A] == 7


def test_of_several_pools_the_one_that_pays_most_for_a_fall_counts() -> None:
    both = (pool("thin", 1, 100), pool("deep", 1000, 500), pool("empty", 0, 0))

    assert prices(axis(quote(A, WRITTEN_DOWN), quote(B, FEED), venues=both))[A] == 1


def test_a_claim_is_worth_what_it_stands_for_also_through_others() -> None:
    claims = (claim(SHARE, A, Fraction(11, 10)), claim(DEEP, SHARE, Fraction(3)))

    found = axis(quote(DEEP, WRITTEN_DOWN), quote(A, FEED), claims=claims)

    assert prices(found) == {DEEP: Fraction(33, 5), A: 2, SHARE: Fraction(11, 5)}
    by_address = {asset.address: asset for asset in found.assets}
    assert found.assets[by_address[DEEP].follows or 0].address == SHARE
    program = by_address[DEEP].program
    assert program is not None
    assert exact(program) == Fraction(33, 5)


def test_a_quote_s_own_rate_is_no_part_of_its_price() -> None:
    indexed = Product((FEED, Rate("index", Fraction(3, 2))))

    assert prices(axis(quote(A, indexed)))[A] == 2


@pytest.mark.parametrize("rate", [None, Fraction(0)])
def test_what_nobody_can_price_stays_unknown_or_worth_nothing(rate: Fraction | None) -> None:
    found = prices(axis(quote(SHARE, Feed("f", None)), claims=(claim(SHARE, B, rate),)))

    assert found == {SHARE: None, B: None}


def test_claims_on_each_other_end() -> None:
    circle = (claim(SHARE, DEEP, Fraction(1)), claim(DEEP, SHARE, Fraction(1)))

    assert prices(axis(quote(SHARE, Feed("f", None)), claims=circle)) == {SHARE: None, DEEP: None}


def test_what_a_pool_of_entries_in_books_pays_is_no_market_price() -> None:
    market = (pool("deep", 1000, 500),)
    made = axis(quote(A, WRITTEN_DOWN), quote(B, FEED), venues=market, virtual=frozenset({A, B}))

    assert prices(made)[A] == 1
    # What a feed prices moves, though nobody can sell it; what is written down counts as one.
    assert [(one.virtual, one.unit) for one in made.assets] == [(True, True), (True, False)]


def test_what_another_deployment_holds_as_a_token_is_no_entry() -> None:
    def holdings(*virtual: str) -> Holdings:
        quotes = (quote(A, WRITTEN_DOWN),)
        return Holdings(
            units=(), quotes=quotes, parameters=(), holdings=(), markets=(), virtual=virtual
        )

    assert virtual_assets([holdings(A)]) == {A}
    assert virtual_assets([holdings(A), holdings()]) == set()
