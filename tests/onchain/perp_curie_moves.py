"""Moves of prices and pools on a running Perp Curie, which are taken back afterwards."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from defirisk.core.holdings import Holdings
from defirisk.protocols.perps.perp_curie.account_value import (
    COLLATERAL_WINDOW,
    Prices,
)
from tests.devnet.abi import view_data
from tests.devnet.alone import Alone
from tests.devnet.curie_perp.desk import read_distress
from tests.devnet.curie_perp.keepers import ARBITRAGEURS, Keepers
from tests.devnet.curie_perp.market import Curie, ints, sqrt_price, updates
from tests.onchain.perp_curie_chain import Indexed

WAD = 10**18
STEP = 0.09
"""Of a price, in one report: the contracts refuse trades further than a tenth from the index."""
SOON, WINDOWS = 24, 3_840


@dataclass(frozen=True)
class Move:
    """Factors on the index of a market, whether the pools are traded after it, and how many seconds
    pass then. `pool` are trades that no report asks for.
    """

    index: Mapping[str, float] = field(default_factory=dict)
    follow: bool = True
    wait: int = WINDOWS
    pool: Mapping[str, float] = field(default_factory=dict)


def both(factor: float) -> dict[str, float]:
    """The same factor on every market."""
    return {"vETH": factor, "vBTC": factor}


MOVES = {
    "nothing but time": Move(follow=False),
    "the pools catch up": Move(),
    "the pools catch up, seen soon": Move(wait=SOON),
    "ETH -6 %": Move({"vETH": 0.94}),
    "ETH -15 %": Move({"vETH": 0.85}),
    "ETH -30 %": Move({"vETH": 0.70}),
    "ETH -45 %": Move({"vETH": 0.55}),
    "ETH +10 %": Move({"vETH": 1.10}),
    "ETH +25 %": Move({"vETH": 1.25}),
    "ETH +60 %": Move({"vETH": 1.60}),
    "BTC -12 %": Move({"vBTC": 0.88}),
    "BTC -35 %": Move({"vBTC": 0.65}),
    "BTC +20 %": Move({"vBTC": 1.20}),
    "both -20 %": Move(both(0.80)),
    "both +30 %": Move(both(1.30)),
    "ETH -20 %, BTC +20 %": Move({"vETH": 0.80, "vBTC": 1.20}),
    "both -25 %, seen soon": Move(both(0.75), wait=SOON),
    "ETH +30 %, seen soon": Move({"vETH": 1.30}, wait=SOON),
    "the index alone -12 %": Move(both(0.88), follow=False, wait=SOON),
    "the index alone +25 %": Move(both(1.25), follow=False),
    "the pools alone -8 %": Move(follow=False, pool=both(0.92), wait=SOON),
    "the pools alone -4 %": Move(follow=False, pool=both(0.96)),
}


@dataclass(frozen=True)
class World:
    """The chain as it stands, what is known of it, and those who move it."""

    alone: Alone
    curie: Curie
    known: Indexed
    keepers: Keepers
    holdings: Holdings
    folder: Path

    @property
    def accounts(self) -> list[str]:
        """Everybody whom the rows know; arbitrageurs trade here, so they are left out."""
        return [unit for unit in self.holdings.units if unit not in ARBITRAGEURS]

    def play(self, move: Move) -> None:
        """Reports in small steps, each followed by trades."""
        chain, feeds = self.alone.chain, self.alone.market.feeds
        targets = {
            base.asset: self.keepers.desk.purse.prices[base.asset] * move.index.get(symbol, 1.0)
            for symbol, base in self.curie.bases.items()
        }
        for prices in _steps(self.keepers.desk.purse.prices, targets):
            for asset, price in prices.items():
                chain.must(*feeds.report(asset, price))
            chain.mine(self.keepers.useful(updates(self.curie)))
            if move.follow:
                self.keepers.follow()
        if not move.index and move.follow:
            self.keepers.follow()
        self._trade(move.pool)
        chain.mine([], move.wait)

    def _trade(self, factors: Mapping[str, float]) -> None:
        for symbol, factor in factors.items():
            root, _ = self._pool(symbol)
            limit = sqrt_price((root / 2**96) ** 2 * factor)
            trade = self.keepers.desk.trade(
                ARBITRAGEURS[0], symbol, 40_000_000.0, long=factor > 1, limit=limit
            )
            self.alone.chain.mine([], SOON)
            self.alone.chain.must(trade)

    def _pool(self, symbol: str) -> tuple[int, int]:
        base = self.curie.bases[symbol]
        calls = [
            (base.pool, view_data("slot0()")),
            (
                self.curie["account_balance"],
                view_data("getMarkPrice(address)", base.token),
            ),
        ]
        slot, mark = ints(self.alone.chain.calls(calls))
        return slot[0], mark[0]

    def said(self) -> Prices:
        """The prices at which the contracts count now."""
        bases = self.curie.bases
        pools = {base.token: self._pool(symbol) for symbol, base in bases.items()}
        weth = bases["vETH"].dispatcher
        call = (weth, view_data("getPrice(uint256)", COLLATERAL_WINDOW))
        (price,) = ints(self.alone.chain.calls([call]))
        token = self.keepers.desk.purse.token("WETH")
        return Prices(
            marks={token: one[1] for token, one in pools.items()},
            roots={token: one[0] for token, one in pools.items()},
            collateral={token: price[0]},
        )

    def fallen(self) -> set[str]:
        """Whom the contracts would let be liquidated now."""
        found = read_distress(self.alone.chain, self.keepers.desk, self.accounts)
        return {who for who, _, _ in found}

    def indexed(self) -> Indexed:
        """A store of its own that knows all until now."""
        return Indexed.of(self.alone, Path(tempfile.mkdtemp(dir=self.folder)))


def _steps(now: dict[str, float], targets: Mapping[str, float]) -> Iterator[dict[str, float]]:
    """From the prices of now to the targets, none by more than a step at once."""
    reached = {asset: now[asset] for asset in targets}
    while any(abs(reached[asset] / targets[asset] - 1) > 1e-9 for asset in targets):
        for asset, target in targets.items():
            nearest = reached[asset] * (1 + STEP if target > reached[asset] else 1 - STEP)
            reached[asset] = (
                min(target, nearest) if target > reached[asset] else max(target, nearest)
            )
        yield dict(reached)


class TakenBack:
    """What happens inside did not happen."""

    def __init__(self, world: World) -> None:
        self._world, self._rounds = world, dict[str, int]()

    def __enter__(self) -> None:
        chain, feeds = self._world.alone.chain, self._world.alone.market.feeds
        self._rounds = {symbol: feed.next_round for symbol, feed in feeds.by_symbol.items()}
        self._id = chain.rpc.call("evm_snapshot")

    def __exit__(self, *error: object) -> None:
        chain, feeds = self._world.alone.chain, self._world.alone.market.feeds
        assert chain.rpc.call("evm_revert", self._id)
        for symbol, number in self._rounds.items():
            feeds.by_symbol[symbol].next_round = number
        chain.resync()
