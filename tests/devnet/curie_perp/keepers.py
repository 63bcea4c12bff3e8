"""Who keeps Perp Curie going: price updates, arbitrage between pool and index, liquidations."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from ..abi import derived_address
from ..chain import SLOT, Chain, Tx
from ..market import KEEPERS
from .desk import Desk, read_distress, read_orders, read_price, read_sizes
from .market import sqrt_price, updates

ARBITRAGEURS = tuple(derived_address(f"devnet curie arbitrageur {n}") for n in range(2))
STOCK = 60_000_000.0
KEEPER_STOCK = 20_000_000.0
TICKET = 40_000_000.0  # dollars: a trade ends at its price limit
CLOSE_ENOUGH = 0.001
ROUNDS, ARBITRAGE_BLOCKS = 3, 8
ONE_TRADE = 0.953  # of the square-root price: less than a thousand ticks
DILIGENCE = 0.85
LATE = 0.3  # part of the steps in which liquidators come only after the averaging windows
WINDOWS = 1_920


@dataclass(frozen=True)
class Keepers:
    """Everybody but those in `neglected` is liquidated sooner or later."""

    chain: Chain
    desk: Desk
    rng: random.Random
    neglected: set[str]
    part: float = 1.0
    """Of what they have on the chain where Perp Curie is alone."""
    gains: dict[str, float] = field(default_factory=dict)

    def equip(self) -> list[Tx]:
        """Deposits of arbitrageurs and liquidators."""
        self.chain.fund(ARBITRAGEURS, wei=10**27)
        stocks = dict.fromkeys(ARBITRAGEURS, STOCK) | dict.fromkeys(KEEPERS, KEEPER_STOCK)
        sums = {who: dollars * self.part for who, dollars in stocks.items()}
        return [tx for who, dollars in sums.items() for tx in self.desk.deposit(who, dollars)]

    def work(self, accounts: list[str]) -> None:
        """Follow the index, wait or not, and liquidate."""
        self.follow()
        if self.rng.random() < LATE:
            self.chain.mine([], WINDOWS)
        for _ in range(ROUNDS):
            if not self._liquidate([one for one in accounts if one not in self.neglected]):
                return

    def follow(self) -> None:
        """Trade every pool to its index, as fast as the contracts allow."""
        for _ in range(ARBITRAGE_BLOCKS):
            txs = self.useful([*updates(self.desk.curie), *self.trades()])
            if not txs:
                return
            self.chain.mine(txs, 2 * SLOT)

    def trades(self) -> list[Tx]:
        """One trade per market whose pool is off its index."""
        return [tx for symbol in self.desk.curie.bases for tx in self._trade(symbol)]

    def _trade(self, symbol: str) -> list[Tx]:
        root, _, index = read_price(self.chain, self.desk, symbol)
        target = sqrt_price(index / 10**18)
        if abs(target / root - 1) < CLOSE_ENOUGH / 2:
            return []
        long = target > root
        nearest = int(root / ONE_TRADE if long else root * ONE_TRADE)
        limit = min(target, nearest) if long else max(target, nearest)
        who = ARBITRAGEURS[list(self.desk.curie.bases).index(symbol) % len(ARBITRAGEURS)]
        return [self.desk.trade(who, symbol, TICKET, long=long, limit=limit)]

    def _liquidate(self, accounts: list[str]) -> bool:
        """One block of liquidations; orders are cancelled first."""
        txs: list[Tx] = []
        for who, _, _ in read_distress(self.chain, self.desk, accounts):
            if self.rng.random() > DILIGENCE:
                continue
            keeper = self.rng.choice(KEEPERS)
            orders = {one[1]: None for one in read_orders(self.chain, self.desk, who)}
            if orders:
                txs += [self.desk.cancel(keeper, who, symbol) for symbol in orders]
                continue
            sizes = read_sizes(self.chain, self.desk, who)
            if sizes:
                symbol = self.rng.choice(sorted(sizes))
                part = 0 if self.rng.random() < 0.75 else sizes[symbol] // 3
                txs.append(self.desk.liquidate(keeper, who, symbol, part))
        txs = self.useful(txs)
        if txs:
            self.chain.mine(txs)
        return bool(txs)

    def unwind(self) -> list[Tx]:
        """Keepers close a part of what they took over."""
        keeper = self.rng.choice(KEEPERS)
        sizes = read_sizes(self.chain, self.desk, keeper)
        return [self.desk.close(keeper, symbol) for symbol in sorted(sizes)[:1]]

    def useful(self, txs: list[Tx]) -> list[Tx]:
        """Those that would not revert, each tried alone."""
        return [tx for tx, ok in zip(txs, self.chain.would_succeed(txs), strict=True) if ok]
