"""Liquidators: they watch health factors and mostly act when the market lets them."""

from __future__ import annotations

import random
from dataclasses import dataclass

from .abi import MAX_UINT256
from .book import HEALTHY, Position, read_health, read_positions
from .chain import Chain, Tx
from .desk import Desk
from .joining import DEBTS
from .market import KEEPERS

WORKING_CAPITAL = 60_000_000.0  # dollars, of each asset that can be owed
DILIGENCE = 0.8
ROUNDS = 3


@dataclass(frozen=True)
class Keepers:
    """Liquidates the unhealthy, apart from `neglected` accounts."""

    chain: Chain
    desk: Desk
    rng: random.Random
    neglected: set[str]

    def equip(self) -> list[Tx]:
        """Transactions that give every keeper its working capital."""
        return [
            tx
            for keeper in KEEPERS
            for symbol in (*DEBTS, "yWETH")
            for tx in self.desk.fund(keeper, symbol, self.desk.units(symbol, WORKING_CAPITAL))
        ]

    def work(self, accounts: list[str]) -> None:
        """Look at the head a few times, and liquidate in a new block each time."""
        for _ in range(ROUNDS):
            health = read_health(self.chain, self.desk.market, accounts)
            due = [
                account
                for account in accounts
                if health[account] < HEALTHY
                and account not in self.neglected
                and self.rng.random() < DILIGENCE
            ]
            positions = read_positions(self.chain, self.desk.market, due)
            txs = [tx for position in positions for tx in self._liquidation(position)]
            useful = [tx for tx, ok in zip(txs, self.chain.would_succeed(txs), strict=True) if ok]
            if not useful:
                return
            self.chain.mine(useful)

    def _liquidation(self, position: Position) -> list[Tx]:
        """Against the largest collateral, for the largest debt."""
        holdings = position.holdings
        dollars = self.desk.dollars
        seizable = {
            symbol: dollars(symbol, holding.supplied)
            for symbol, holding in holdings.items()
            if holding.collateral and holding.supplied
        }
        owed = {symbol: dollars(symbol, holdings[symbol].owed) for symbol in position.owed()}
        if not seizable or not owed:
            return []
        pair = (max(seizable, key=lambda one: seizable[one]), max(owed, key=lambda one: owed[one]))
        amount = MAX_UINT256
        if self.rng.random() < 0.25:
            amount = max(1, int(holdings[pair[1]].owed * self.rng.uniform(0.1, 0.4)))
        keeper = self.rng.choice(KEEPERS)
        receive_a_token = self.rng.random() < 0.25
        return [self.desk.liquidate(keeper, pair, position.account, amount, receive_a_token)]
