"""What accounts do when they come to Compound, by role."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..accounts import Account, Role
from ..pooled import SMALL_CHANGE, STABLES, Newcomers
from ..purse import Plan
from .desk import Desk
from .market import LISTINGS

COLLATERALS = {"WETH": 6, "WBTC": 4, "USDC": 3, "DAI": 2, "LINK": 2}
DEBTS = {"USDC": 8, "USDT": 4, "DAI": 4, "WETH": 3, "WBTC": 2, "LINK": 1}
FACTORS = {listing.symbol: listing.collateral_factor / 100 for listing in LISTINGS}
FLOOR = 100_000.0
UTILISATION = 0.65
SAVERS_WITH_COLLATERAL = 0.4
LOOP_RATIO = 0.96  # of the collateral factor


class Joining(Newcomers[Desk]):
    """On Compound what is supplied is collateral once its market was entered."""

    def _by_role(self) -> Mapping[Role, Callable[[Account], Plan]]:
        return {
            Role.ANCHOR: self._anchor,
            Role.SUPPLIER: self._supplier,
            Role.BORROWER: self._borrower,
            Role.EDGE: self._edge,
            Role.LOOPER: self._looper,
            Role.STABLE_LOOPER: self._looper,
            Role.ISOLATED: self._on_link,
            Role.DUST: self._dust,
        }

    def _supplier(self, account: Account) -> Plan:
        symbols = self._some(DEBTS, (1, 1, 2))
        plan = self._spread(account, symbols)
        if self.rng.random() < SAVERS_WITH_COLLATERAL:
            plan.append(self.desk.enter(account.address, symbols))
        return plan

    def _borrower(self, account: Account) -> Plan:
        """One to three collaterals, one or two other tokens as debt."""
        collaterals = self._some(COLLATERALS, (1, 1, 2, 2, 3))
        offered = {symbol: part for symbol, part in DEBTS.items() if symbol not in collaterals}
        debts = self._some(offered, (1, 1, 2))
        return self._leverage(account, collaterals, debts)

    def _edge(self, account: Account) -> Plan:
        return self._leverage(account, ["WETH"], [self.rng.choice(STABLES)])

    def _on_link(self, account: Account) -> Plan:
        return self._leverage(account, ["LINK"], [self.rng.choice(STABLES)])

    def _leverage(self, account: Account, collaterals: list[str], debts: list[str]) -> Plan:
        part = account.size / len(collaterals)
        plan = self._spread(account, collaterals)
        plan.append(self.desk.enter(account.address, collaterals))
        capacity = sum(part * FACTORS[symbol] for symbol in collaterals)
        for symbol in debts:
            plan.append(self._borrow(account, symbol, capacity * account.appetite / len(debts)))
        return plan

    def _looper(self, account: Account) -> Plan:
        """Borrow the token that is the collateral, supply it, and again."""
        desk, who, symbol = self.desk, account.address, self.rng.choice(("USDC", "DAI"))
        plan = [*self._deposit(account, symbol, account.size), desk.enter(who, [symbol])]
        dollars = account.size
        for _ in range(self.rng.randint(2, 4)):
            dollars *= FACTORS[symbol] * LOOP_RATIO
            amount = desk.purse.units(symbol, dollars)
            plan += [desk.borrow(who, symbol, amount), desk.supply(who, symbol, amount)]
        return plan

    def _dust(self, account: Account) -> Plan:
        symbol = self.rng.choice(("USDC", "WBTC", "DAI"))
        return [
            *self._deposit(account, "WETH", SMALL_CHANGE),
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
