"""What accounts do when they come to Morpho, by role."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from ..accounts import Account, Role
from ..purse import Plan
from .book import WAD
from .desk import Desk
from .market import IsolatedMarket

POPULARITY = (6, 4, 2, 2, 2, 3)  # of the markets, in the order of their listing
FLOOR = 20_000.0
UTILISATION = 0.9
CUSHION = 0.97  # a price in the making moves between two blocks
SMALL_CHANGE = 25.0
LOOPS, ISOLATED = 2, 3  # markets by their place: yWETH for WETH, LINK for USDT


@dataclass(frozen=True)
class Joining:
    """Plans of newcomers; `lending` is what each anchor lends in a market of popularity 1."""

    desk: Desk
    rng: random.Random
    lending: float

    def plan(self, account: Account) -> Plan:
        """All transactions of joining."""
        plans: dict[Role, Callable[[Account], Plan]] = {
            Role.ANCHOR: self._anchor,
            Role.SUPPLIER: self._supplier,
            Role.BORROWER: self._borrower,
            Role.EDGE: self._edge,
            Role.LOOPER: self._looper,
            Role.STABLE_LOOPER: self._borrower,
            Role.ISOLATED: self._isolated,
            Role.DUST: self._dust,
        }
        return plans[account.role](account)

    def _lend(self, account: Account, market: IsolatedMarket, dollars: float) -> Plan:
        amount = self.desk.purse.units(market.loan, dollars)
        funded = self.desk.fund(account.address, market.loan, amount)
        return [*funded, self.desk.supply(account.address, market, amount)]

    def _leverage(
        self, account: Account, market: IsolatedMarket, dollars: float, used: float
    ) -> Plan:
        """Collateral, and a loan that uses that part of what may be borrowed on it."""
        purse, who = self.desk.purse, account.address
        collateral = purse.units(market.collateral, dollars)
        loan = purse.units(market.loan, dollars * market.lltv / WAD * used)
        return [
            *self.desk.fund(who, market.collateral, collateral),
            self.desk.supply_collateral(who, market, collateral),
            self.desk.borrow(who, market, loan),
        ]

    def _anchor(self, account: Account) -> Plan:
        plan: Plan = []
        for market, weight in zip(self._markets, POPULARITY, strict=True):
            plan += self._lend(account, market, FLOOR + self.lending * weight)
        return plan

    def _supplier(self, account: Account) -> Plan:
        plan: Plan = []
        count = self.rng.choice((1, 1, 2))
        for market in self._some(count):
            plan += self._lend(account, market, account.size / count)
        return plan

    def _borrower(self, account: Account) -> Plan:
        plan: Plan = []
        count = self.rng.choice((1, 1, 2))
        for market in self._some(count):
            used = account.appetite * CUSHION
            plan += self._leverage(account, market, account.size / count, used)
        return plan

    def _edge(self, account: Account) -> Plan:
        return self._leverage(account, self._markets[0], account.size, account.appetite)

    def _looper(self, account: Account) -> Plan:
        used = 0.96 + 0.03 * account.appetite
        return self._leverage(account, self._markets[LOOPS], account.size, used)

    def _isolated(self, account: Account) -> Plan:
        return self._leverage(account, self._markets[ISOLATED], account.size, account.appetite)

    def _dust(self, account: Account) -> Plan:
        market = self._some(1)[0]
        collateral = self.desk.purse.units(market.collateral, SMALL_CHANGE)
        return [
            *self.desk.fund(account.address, market.collateral, collateral),
            self.desk.supply_collateral(account.address, market, collateral),
            self.desk.borrow(account.address, market, 1),
        ]

    def _some(self, count: int) -> list[IsolatedMarket]:
        """Different markets, popular ones more often."""
        left = list(zip(self._markets, POPULARITY, strict=True))
        chosen = []
        for _ in range(count):
            drawn = self.rng.choices(left, [weight for _, weight in left])[0]
            chosen.append(drawn[0])
            left.remove(drawn)
        return chosen

    @property
    def _markets(self) -> list[IsolatedMarket]:
        return self.desk.morpho.plain


def lending_of_anchors(accounts: list[Account]) -> float:
    """Dollars per anchor and unit of popularity that leave the markets well used."""
    borrowers = set(Role) - {Role.ANCHOR, Role.SUPPLIER}
    wanted = sum(one.size * one.appetite for one in accounts if one.role in borrowers)
    anchors = sum(one.role is Role.ANCHOR for one in accounts)
    return wanted / UTILISATION / anchors / sum(POPULARITY)
