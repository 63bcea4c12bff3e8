"""Pips say other prices, and somebody pokes: whom can one bite then?

Three answers must be the same set: what `bite` does when it is tried, what our integers say, and
what the rows of `Holdings` say in exact fractions. The limit of what auctions may be about at once
is lifted while we ask: it is the same for everybody, and gone as soon as an auction ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction

import pytest

from defirisk.core.adapter import Snapshot
from defirisk.core.holdings import Holdings, Side
from defirisk.core.quote import Feed, Leaf, exact
from defirisk.protocols.cdp.maker_mcd import ADAPTER
from defirisk.protocols.cdp.maker_mcd.rows import RAD, RAY
from defirisk.protocols.cdp.maker_mcd.system_now import MakerNow, maker_now, unit_of
from tests.devnet.maker.market import KINDS
from tests.onchain.maker_chain import Indexed, indexed_chain

pytestmark = pytest.mark.onchain
SEEDS = [1, *(pytest.param(seed, marks=pytest.mark.nightly) for seed in (2, 3, 4, 5))]
SHOCKS: list[dict[str, str]] = [
    {},
    *({"ETH": one} for one in ("0.03", "0.4", "0.55", "0.7", "0.8", "0.9", "0.97", "1.1", "2.5")),
    *({"WBTC": one} for one in ("0.3", "0.6", "0.75", "0.9", "1.2")),
    *({"LINK": one} for one in ("0.5", "0.8", "0.95", "1.15", "1.6", "12")),
    {"ETH": "0.85", "WBTC": "0.9", "LINK": "0.7"},
    {"ETH": "1.3", "WBTC": "0.65", "LINK": "1.05"},
    {"ETH": "0.123456789123456789", "WBTC": "0.987654321987654321"},
]
NEAREST = (-1, 0, 1)
"""Wei of the price, beside the first at which an urn is safe."""


@dataclass(frozen=True)
class Shocked:
    """A running chain, and what our rows say of it before any shock."""

    indexed: Indexed
    snapshot: Snapshot
    now: MakerNow
    holdings: Holdings

    def prices(self, shock: Mapping[str, str]) -> dict[str, int]:
        """What the pips of some tokens are to say, by the name of the token."""
        said = {kind.gem: self.now.ilks[kind.ilk].spotter.val_wad for kind in KINDS}
        return {gem: round(said[gem] * Fraction(factor)) for gem, factor in shock.items()}

    def factors(self, prices: Mapping[str, int]) -> dict[str, Fraction]:
        """By how much the price of each ilk moves."""
        return {
            kind.ilk: Fraction(prices[kind.gem], self.now.ilks[kind.ilk].spotter.val_wad)
            for kind in KINDS
            if kind.gem in prices
        }

    @contextmanager
    def poked(self, prices: Mapping[str, int]) -> Iterator[None]:
        """The pips say these prices and everybody knows, and afterwards never did."""
        chain, maker = self.indexed.alone.chain, self.indexed.maker
        before = chain.rpc.call("evm_snapshot")
        moved = [kind for kind in KINDS if kind.gem in prices]
        reports = {kind.gem: maker.report(kind, prices[kind.gem]) for kind in moved}
        try:
            unlimited = maker.changed_for_all("MCD_CAT", "box", 10**9 * RAD)
            pokes = [maker.poke(kind) for kind in moved]
            chain.must(unlimited, *reports.values(), *pokes)
            yield
        finally:
            assert chain.rpc.call("evm_revert", before)
            chain.resync()

    def by_contract(self) -> set[str]:
        """Whom one can bite now, of all urns in use."""
        urns = self.now.open
        txs = [self.indexed.maker.bite(self.indexed.kind_of(one.ilk), one.urn) for one in urns]
        tried = self.indexed.alone.chain.would_succeed(txs)
        return {unit_of(urn) for urn, works in zip(urns, tried, strict=True) if works}

    def by_integers(self, factors: Mapping[str, Fraction]) -> set[str]:
        """Whom `liquidation_check` names."""
        check = ADAPTER.liquidation_check(self.snapshot)
        moved = {
            place: factors[quote.market]
            for place, quote in enumerate(self.holdings.quotes)
            if quote.market in factors
        }
        return {unit for unit in self.holdings.units if check(unit, moved)}

    def by_rows(self, factors: Mapping[str, Fraction]) -> set[str]:
        """Whom the rows name: the slow and obvious reading, with pips moved by factors."""
        pips = {self.now.ilks[ilk].spotter.pip: factor for ilk, factor in factors.items()}

        def moved(leaf: Leaf) -> Fraction:
            return pips.get(leaf.address, Fraction(1)) if isinstance(leaf, Feed) else Fraction(1)

        margin = [Fraction(0)] * len(self.holdings.units)
        for one in self.holdings.holdings:
            quote = self.holdings.quotes[one.quote]
            price = exact(quote.program, moved)
            assert price is not None
            value = one.amount_raw * price / 10**quote.decimals
            threshold = self.holdings.parameters[one.parameters].liquidation_threshold
            margin[one.unit] += value * threshold if one.side is Side.COLLATERAL else -value
        units = zip(self.holdings.units, margin, strict=True)
        return {unit for unit, left in units if left < 0}


@pytest.fixture(scope="module", params=SEEDS)
def shocked(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shocked]:
    with indexed_chain(request.param, tmp_path_factory.mktemp("stress")) as indexed:
        snapshot = indexed.snapshot()
        now = maker_now(snapshot)
        assert not any(ilk.poke_pending for ilk in now.ilks.values() if ilk.vat.art_raw)
        yield Shocked(indexed, snapshot, now, ADAPTER.holdings(snapshot))


def test_the_same_urns_fall_whoever_is_asked(shocked: Shocked) -> None:
    sets = set()
    for shock in SHOCKS:
        prices = shocked.prices(shock)
        factors = shocked.factors(prices)
        with shocked.poked(prices):
            theirs = shocked.by_contract()

        assert shocked.by_integers(factors) == theirs, shock
        assert shocked.by_rows(factors) == theirs, shock
        sets.add(frozenset(theirs))

    assert len(SHOCKS) >= 20
    assert len(sets) >= 10, "an engine that ignores the shock would have one"
    assert max(map(len, sets)) > min(map(len, sets)) + 5


def test_urns_at_the_very_edge_are_decided_as_the_contract_does(shocked: Shocked) -> None:
    """At the first price that makes an urn safe, and one wei beside it."""
    met = set()
    for urn in [one for one in shocked.now.open if one.ink_raw and one.art_raw][:10]:
        ilk = shocked.now.ilks[urn.ilk]
        needed = -(-urn.art_raw * ilk.vat.rate_ray // urn.ink_raw)
        price = -(-needed * ilk.spotter.mat_ray * ilk.par_ray // (RAY * RAY * 10**9))
        for nudge in NEAREST:
            prices = {shocked.indexed.kind_of(urn.ilk).gem: price + nudge}
            with shocked.poked(prices):
                theirs = shocked.by_contract()
            assert shocked.by_integers(shocked.factors(prices)) == theirs
            met.add((nudge, unit_of(urn) in theirs))
    assert {(-1, True), (1, False)} <= met


def test_interest_counts_only_after_a_drip(shocked: Shocked) -> None:
    """The rows owe at the stored rate; the accrued one is what anybody may make of it."""
    chain, maker = shocked.indexed.alone.chain, shocked.indexed.maker
    before = chain.rpc.call("evm_snapshot")
    try:
        chain.must(maker.changed_for_all("MCD_CAT", "box", 10**9 * RAD))
        undripped = shocked.by_contract()
        chain.must(*(maker.drip(kind) for kind in KINDS))
        dripped = shocked.by_contract()
    finally:
        assert chain.rpc.call("evm_revert", before)
        chain.resync()
    accrued = {
        unit_of(urn)
        for urn in shocked.now.open
        for ilk in (shocked.now.ilks[urn.ilk],)
        if ilk.is_unsafe(urn, ilk.vat.spot_ray, ilk.accrued_ray)
    }

    assert undripped == shocked.by_rows({}) == shocked.by_integers({})
    # The drip comes a few blocks later than our snapshot.
    assert undripped <= accrued <= dripped
