"""Liquidators of Compound: half a debt at a time, no more than the collateral pays for."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from ..chain import Chain, Tx
from ..market import KEEPERS
from .book import Position, read_positions, read_shortfalls
from .desk import Desk, succeeded
from .joining import DEBTS
from .market import LIQUIDATION_INCENTIVE, MANTISSA

WORKING_CAPITAL = 60_000_000.0  # dollars, of each token that can be owed
DILIGENCE = 0.8
ROUNDS = 3
CLOSEST = 0.499  # of a debt: the lowest close factor that the owner sets is a half
ALMOST_ALL = 0.998  # of the collateral, for the rounding of a seizure
NOT_WORTH_IT = 5.0  # dollars of collateral


@dataclass(frozen=True)
class Keepers:
    """Liquidates who has a shortfall, apart from `neglected` accounts."""

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
            for symbol in DEBTS
            for tx in self.desk.fund(keeper, symbol, purse.units(symbol, WORKING_CAPITAL))
        ]

    def work(self, accounts: Sequence[str], deprecated: str | None) -> None:
        """Look at the head a few times, and liquidate in a new block each time.

        Debt in a deprecated market may be repaid whole, of anybody.
        """
        watched = [one for one in accounts if one not in self.neglected]
        for _ in range(ROUNDS):
            due = read_shortfalls(self.chain, self.desk.compound, watched)
            positions = read_positions(self.chain, self.desk.compound, due)
            txs = [tx for one in positions for tx in self._liquidation(one)]
            if deprecated is not None:
                everybody = read_positions(self.chain, self.desk.compound, watched)
                txs += [tx for one in everybody for tx in self._closing(one, deprecated)]
            tried = self.chain.try_out(txs)
            useful = [
                tx
                for tx, (said, _) in zip(txs, tried, strict=True)
                if said is not None and succeeded(tx, said)
            ]
            if not useful:
                return
            self.chain.mine(useful)

    def _liquidation(self, position: Position) -> list[Tx]:
        """Against the largest collateral, for the largest debt."""
        if self.rng.random() > DILIGENCE:
            return []
        debt = max(self._owed(position), key=lambda pair: pair[1])[0]
        part = CLOSEST if self.rng.random() < 0.7 else self.rng.uniform(0.1, 0.45)
        return self._repayment(position, debt, int(position.holdings[debt].owed * part))

    def _closing(self, position: Position, debt: str) -> list[Tx]:
        owed = position.holdings[debt].owed
        return self._repayment(position, debt, owed) if owed else []

    def _repayment(self, position: Position, debt: str, amount: int) -> list[Tx]:
        purse = self.desk.purse
        seizable = {
            symbol: purse.dollars(symbol, one.supplied)
            for symbol, one in position.holdings.items()
            if one.ctokens and one.entered
        }
        if not seizable:
            return []
        collateral = max(seizable, key=lambda one: seizable[one])
        if seizable[collateral] < NOT_WORTH_IT:
            return []
        paid_for = seizable[collateral] * ALMOST_ALL * MANTISSA / LIQUIDATION_INCENTIVE
        amount = min(amount, purse.units(debt, paid_for))
        if not amount:
            return []
        keeper = self.rng.choice(KEEPERS)
        return [self.desk.liquidate(keeper, (collateral, debt), position.account, amount)]

    def _owed(self, position: Position) -> list[tuple[str, float]]:
        dollars = self.desk.purse.dollars
        return [(one, dollars(one, position.holdings[one].owed)) for one in position.owed()]
