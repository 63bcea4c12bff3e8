"""What accounts do when they come to Compound, by role."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from ..accounts import Account, Role
from ..chain import Tx
from ..purse import Plan
from .desk import Desk
from .market import LISTINGS

COLLATERALS = {"WETH": 6, "WBTC": 4, "USDC": 3, "DAI": 2, "LINK": 2}
DEBTS = {"USDC": 8, "USDT": 4, "DAI": 4, "WETH": 3, "WBTC": 2, "LINK": 1}
STABLES = ("USDC", "USDT", "DAI")
FACTORS = {listing.symbol: listing.collateral_factor / 100 for listing in LISTINGS}
FLOOR = 100_000.0
UTILISATION = 0.65
SAVERS_WITH_COLLATERAL = 0.4
LOOP_RATIO = 0.96  # of the collateral factor
SMALL_CHANGE = 25.0


@dataclass(frozen=True)
class Joining:
    """Plans of newcomers; `lending` is what each anchor supplies of each token, in dollars."""

    desk: Desk
    rng: random.Random
    lending: dict[str, float]

    def plan(self, account: Account) -> Plan:
        """All transactions of joining."""
        plans: dict[Role, Callable[[Account], Plan]] = {
            Role.ANCHOR: self._anchor,
            Role.SUPPLIER: self._supplier,
            Role.BORROWER: self._borrower,
            Role.EDGE: self._edge,
            Role.LOOPER: self._looper,
            Role.STABLE_LOOPER: self._looper,
            Role.ISOLATED: self._on_link,
            Role.DUST: self._dust,
        }
        return plans[account.role](account)

    def _mint(self, account: Account, symbol: str, dollars: float) -> Plan:
        desk, who = self.desk, account.address
        amount = desk.purse.units(symbol, dollars)
        return [*desk.fund(who, symbol, amount), desk.mint(who, symbol, amount)]

    def _borrow(self, account: Account, symbol: str, dollars: float) -> Tx:
        amount = self.desk.purse.units(symbol, dollars)
        return self.desk.borrow(account.address, symbol, amount)

    def _anchor(self, account: Account) -> Plan:
        plan: Plan = []
        for symbol, dollars in self.lending.items():
            plan += self._mint(account, symbol, dollars)
        return plan

    def _supplier(self, account: Account) -> Plan:
        symbols = _pick(self.rng, DEBTS, self.rng.choice((1, 1, 2)))
        plan: Plan = []
        for symbol in symbols:
            plan += self._mint(account, symbol, account.size / len(symbols))
        if self.rng.random() < SAVERS_WITH_COLLATERAL:
            plan.append(self.desk.enter(account.address, symbols))
        return plan

    def _borrower(self, account: Account) -> Plan:
        """One to three collaterals, one or two other tokens as debt."""
        collaterals = _pick(self.rng, COLLATERALS, self.rng.choice((1, 1, 2, 2, 3)))
        offered = {symbol: part for symbol, part in DEBTS.items() if symbol not in collaterals}
        debts = _pick(self.rng, offered, self.rng.choice((1, 1, 2)))
        return self._leverage(account, collaterals, debts)

    def _edge(self, account: Account) -> Plan:
        return self._leverage(account, ["WETH"], [self.rng.choice(STABLES)])

    def _on_link(self, account: Account) -> Plan:
        return self._leverage(account, ["LINK"], [self.rng.choice(STABLES)])

    def _leverage(self, account: Account, collaterals: list[str], debts: list[str]) -> Plan:
        plan: Plan = []
        part = account.size / len(collaterals)
        for symbol in collaterals:
            plan += self._mint(account, symbol, part)
        plan.append(self.desk.enter(account.address, collaterals))
        capacity = sum(part * FACTORS[symbol] for symbol in collaterals)
        for symbol in debts:
            plan.append(self._borrow(account, symbol, capacity * account.appetite / len(debts)))
        return plan

    def _looper(self, account: Account) -> Plan:
        """Borrow the token that is the collateral, supply it, and again."""
        desk, who, symbol = self.desk, account.address, self.rng.choice(("USDC", "DAI"))
        plan = [*self._mint(account, symbol, account.size), desk.enter(who, [symbol])]
        dollars = account.size
        for _ in range(self.rng.randint(2, 4)):
            dollars *= FACTORS[symbol] * LOOP_RATIO
            amount = desk.purse.units(symbol, dollars)
            plan += [desk.borrow(who, symbol, amount), desk.mint(who, symbol, amount)]
        return plan

    def _dust(self, account: Account) -> Plan:
        symbol = self.rng.choice(("USDC", "WBTC", "DAI"))
        return [
            *self._mint(account, "WETH", SMALL_CHANGE),
            self.desk.enter(account.address, ["WETH"]),
            self.desk.borrow(account.address, symbol, 1),
        ]


def lending_of_anchors(accounts: list[Account]) -> dict[str, float]:
    """Dollars per anchor and token that leave the markets well used."""
    borrowers = set(Role) - {Role.ANCHOR, Role.SUPPLIER}
    wanted = sum(one.size * one.appetite for one in accounts if one.role in borrowers)
    anchors = sum(one.role is Role.ANCHOR for one in accounts)
    total = wanted / UTILISATION / anchors / sum(DEBTS.values())
    return {symbol: FLOOR + total * weight for symbol, weight in DEBTS.items()}


def _pick(rng: random.Random, weights: dict[str, int], count: int) -> list[str]:
    """`count` different keys, heavier ones more often."""
    left = dict(weights)
    chosen = []
    for _ in range(count):
        symbol = rng.choices(list(left), list(left.values()))[0]
        chosen.append(symbol)
        del left[symbol]
    return chosen
