"""What accounts do while they are on Compound: drawn from a seed, sized by their position."""

from __future__ import annotations

from collections.abc import Callable

from ..abi import MAX_UINT256
from ..life import draw_plan
from ..market import KEEPERS
from ..pooled import Dealings
from ..purse import Plan
from .book import Position
from .desk import Desk
from .joining import DEBTS, FACTORS


class Actions(Dealings[Desk, Position]):
    """On Compound, where nobody supplies on behalf of another."""

    savings = tuple(DEBTS)

    def draw(self, position: Position) -> Plan:
        """One random thing that `position` could do."""
        weights: dict[Callable[[Position], Plan], int] = {
            self._supply: 4,
            self._redeem: 4,
            self._redeem_underlying: 2,
            self._borrow: 5,
            self._repay: 5,
            self._transfer: 3,
            self._enter: 2,
            self._leave: 2,
            self._help: 1,
            self._accrue: 1,
        }
        return draw_plan(self.rng, weights, position)

    def _held(self, position: Position, symbol: str) -> int:
        return position.holdings[symbol].ctokens

    def _redeem(self, position: Position) -> Plan:
        if not position.supplied():
            return []
        symbol = self.rng.choice(position.supplied())
        ctokens = position.holdings[symbol].ctokens
        if self.rng.random() < 0.75:
            ctokens = max(1, int(ctokens * self.rng.uniform(0.02, 0.7)))
        return [self.desk.redeem(position.account, symbol, ctokens)]

    def _redeem_underlying(self, position: Position) -> Plan:
        if not position.supplied():
            return []
        symbol = self.rng.choice(position.supplied())
        amount = int(position.holdings[symbol].supplied * self.rng.uniform(0.02, 0.7))
        return [self.desk.redeem_underlying(position.account, symbol, max(1, amount))]

    def _borrow(self, position: Position) -> Plan:
        symbol = self.rng.choice(list(DEBTS))
        dollars = position.liquidity * self.rng.choice((0.15, 0.4, 0.7, 0.9, 1.2))
        if dollars < 1.0:
            return []
        amount = self.desk.purse.units(symbol, dollars)
        return [self.desk.borrow(position.account, symbol, amount)]

    def _repay(self, position: Position) -> Plan:
        if not position.owed():
            return []
        symbol = self.rng.choice(position.owed())
        owed = position.holdings[symbol].owed
        amount = int(owed * self.rng.uniform(0.05, 0.8)) or 1
        needed = amount
        if self.rng.random() < 0.3:
            # Repaying everything takes a little more than was owed at the last booking.
            amount, needed = MAX_UINT256, owed + owed // 50 + 1
        funded = self.desk.fund(position.account, symbol, needed)
        return [*funded, self.desk.repay(position.account, symbol, amount)]

    def _enter(self, position: Position) -> Plan:
        idle = [one for one in position.supplied() if not position.holdings[one].entered]
        symbol = self.rng.choice(idle or list(FACTORS))
        return [self.desk.enter(position.account, [symbol])]

    def _leave(self, position: Position) -> Plan:
        entered = [symbol for symbol, one in position.holdings.items() if one.entered]
        if not entered:
            return []
        return [self.desk.leave(position.account, self.rng.choice(entered))]

    def _help(self, position: Position) -> Plan:
        return self._repay_for(position, self.rng.choice(KEEPERS)) if position.owed() else []

    def _accrue(self, position: Position) -> Plan:
        return [self.desk.accrue(position.account, self.rng.choice(list(DEBTS)))]
