"""What accounts do while they are on Morpho: drawn from a seed, sized by their position."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from ..life import draw_plan
from ..market import KEEPERS
from ..purse import Plan
from .book import Position
from .desk import Desk


@dataclass(frozen=True)
class Actions:
    """Draws plans; an empty plan means that the account had nothing of the kind to do."""

    desk: Desk
    rng: random.Random

    def draw(self, positions: list[Position]) -> Plan:
        """One random thing that the owner of `positions` could do in one of the markets."""
        used = [one for one in positions if one.supply_shares or one.collateral]
        position = self.rng.choice(used or positions)
        weights: dict[Callable[[Position], Plan], int] = {
            self._lend: 3,
            self._withdraw: 4,
            self._withdraw_all: 1,
            self._add_collateral: 3,
            self._take_collateral: 3,
            self._borrow: 4,
            self._repay: 4,
            self._repay_all: 2,
            self._help: 1,
            self._accrue: 1,
        }
        if position.borrow_shares:
            weights[self._lend] = 1
        return draw_plan(self.rng, weights, position)

    def _lend(self, position: Position) -> Plan:
        who, market = position.account, position.market
        amount = self.desk.purse.units(market.loan, self.rng.lognormvariate(7.5, 1.2))
        return [*self.desk.fund(who, market.loan, amount), self.desk.supply(who, market, amount)]

    def _withdraw(self, position: Position) -> Plan:
        amount = int(min(position.lent, position.state.idle) * self.rng.uniform(0.05, 0.9))
        if not amount:
            return []
        return [self.desk.withdraw(position.account, position.market, amount)]

    def _withdraw_all(self, position: Position) -> Plan:
        shares = position.supply_shares
        if not shares:
            return []
        return [self.desk.withdraw(position.account, position.market, shares=shares)]

    def _add_collateral(self, position: Position) -> Plan:
        who, market = position.account, position.market
        amount = self.desk.purse.units(market.collateral, self.rng.lognormvariate(7.0, 1.0))
        funded = self.desk.fund(who, market.collateral, amount)
        return [*funded, self.desk.supply_collateral(who, market, amount)]

    def _take_collateral(self, position: Position) -> Plan:
        amount = int(position.collateral * self.rng.choice((0.05, 0.2, 0.6, 1.0)))
        if not amount:
            return []
        return [self.desk.withdraw_collateral(position.account, position.market, amount)]

    def _borrow(self, position: Position) -> Plan:
        free = min(position.limit - position.owed, position.state.idle)
        amount = int(free * self.rng.choice((0.15, 0.4, 0.7, 0.9)))
        if amount < 1:
            return []
        if self.rng.random() < 0.3:
            shares = amount * (position.borrow_shares or 10**6) // max(1, position.owed)
            return [self.desk.borrow(position.account, position.market, shares=max(1, shares))]
        return [self.desk.borrow(position.account, position.market, amount)]

    def _repay(self, position: Position) -> Plan:
        amount = int(position.owed * self.rng.uniform(0.05, 0.9))
        if not amount:
            return []
        who, market = position.account, position.market
        return [*self.desk.fund(who, market.loan, amount), self.desk.repay(who, market, amount)]

    def _repay_all(self, position: Position) -> Plan:
        if not position.borrow_shares:
            return []
        who, market, shares = position.account, position.market, position.borrow_shares
        # More than was owed at the last booking, which may be long ago.
        funded = self.desk.fund(who, market.loan, position.owed * 3 // 2 + 1)
        return [*funded, self.desk.repay(who, market, shares=shares)]

    def _help(self, position: Position) -> Plan:
        """Somebody else pays: a loan, a repayment or collateral on behalf of the account."""
        helper, who, market = self.rng.choice(KEEPERS), position.account, position.market
        if not position.owed:
            amount = self.desk.purse.units(market.loan, self.rng.uniform(50, 500))
            funded = self.desk.fund(helper, market.loan, amount)
            return [*funded, self.desk.supply(helper, market, amount, of=who)]
        if self.rng.random() < 0.5:
            amount = self.desk.purse.units(market.collateral, self.rng.uniform(50, 500))
            funded = self.desk.fund(helper, market.collateral, amount)
            return [*funded, self.desk.supply_collateral(helper, market, amount, of=who)]
        amount = max(1, position.owed // self.rng.randint(3, 20))
        funded = self.desk.fund(helper, market.loan, amount)
        return [*funded, self.desk.repay(helper, market, amount, of=who)]

    def _accrue(self, position: Position) -> Plan:
        return [self.desk.accrue(position.account, position.market)]
