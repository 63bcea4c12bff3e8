"""Liquidators of Morpho: they mostly act when the contract lets them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from ..chain import Chain, Tx
from ..market import KEEPERS
from .book import Position, read_positions
from .desk import Desk
from .market import LISTINGS

WORKING_CAPITAL = 60_000_000.0  # dollars, of each loan token
DILIGENCE = 0.8
ROUNDS = 2
NEARLY = 0.8  # of the limit: interest since the last booking is not in what a position owes


@dataclass(frozen=True)
class Keepers:
    """Liquidates the unhealthy, apart from `neglected` accounts."""

    chain: Chain
    desk: Desk
    rng: random.Random
    neglected: set[str]

    def equip(self) -> list[Tx]:
        """Transactions that give every keeper its working capital."""
        purse = self.desk.purse
        return [
            tx
            for keeper in KEEPERS
            for symbol in dict.fromkeys(listing.loan for listing in LISTINGS)
            for tx in self.desk.fund(keeper, symbol, purse.units(symbol, WORKING_CAPITAL))
        ]

    def work(self, accounts: Sequence[str]) -> None:
        """Look at the head twice, and liquidate in a new block each time."""
        present = set(accounts) - self.neglected
        watched = [place for place in self.desk.places if place[1] in present]
        for _ in range(ROUNDS):
            positions = read_positions(self.chain, self.desk.morpho, watched)
            due = [
                one
                for one in positions
                if one.borrow_shares
                and one.owed > one.limit * NEARLY
                and self.rng.random() < DILIGENCE
            ]
            plans = [self._ways(position) for position in due]
            tried = iter(self.chain.would_succeed([tx for plan in plans for tx in plan]))
            chosen = [[tx for tx in plan if next(tried)] for plan in plans]
            useful = [plan[0] for plan in chosen if plan]
            if not useful:
                return
            self.chain.mine(useful)

    def _ways(self, position: Position) -> list[Tx]:
        """To liquidate a part, else the whole debt, else whatever the collateral pays for."""
        keeper, who, market = self.rng.choice(KEEPERS), position.account, position.market
        part = self.rng.uniform(0.1, 0.6)
        seized = max(1, int(position.collateral * part))
        shares = max(1, int(position.borrow_shares * part))
        ways = [
            self.desk.liquidate(keeper, market, who, repaid_shares=position.borrow_shares),
            self.desk.liquidate(keeper, market, who, seized=position.collateral),
        ]
        if self.rng.random() < 0.4:
            ways.insert(0, self.desk.liquidate(keeper, market, who, seized=seized))
        elif self.rng.random() < 0.3:
            ways.insert(0, self.desk.liquidate(keeper, market, who, repaid_shares=shares))
        return ways
