"""What accounts do when they join, by role."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from .accounts import Account, Role
from .desk import Desk
from .pooled import SMALL_CHANGE, STABLES, Newcomers
from .purse import Plan
from .reserves import ETH_CORRELATED, RESERVES, STABLECOINS

LTV = {reserve.symbol: reserve.ltv / 10_000 for reserve in RESERVES}
# How popular the assets are on either side.
COLLATERALS = {"WETH": 6, "WBTC": 4, "yWETH": 2, "USDC": 3, "DAI": 2, "AAVE": 2}
DEBTS = {"USDC": 8, "USDT": 4, "DAI": 3, "WETH": 4, "WBTC": 2, "LINK": 1}
SAVINGS = {"USDC": 6, "USDT": 4, "DAI": 4, "WETH": 5, "WBTC": 2, "LINK": 2}
E_MODE_LTV = 0.90  # a little less than the categories' own, for the noise of the feeds
UTILISATION = 0.75
ANCHOR_FLOOR = 100_000.0


class Joining(Newcomers[Desk]):
    """On Aave what is supplied is collateral at once."""

    def _by_role(self) -> Mapping[Role, Callable[[Account], Plan]]:
        return {
            Role.ANCHOR: self._anchor,
            Role.SUPPLIER: self._supplier,
            Role.BORROWER: self._borrower,
            Role.EDGE: self._borrower,
            Role.LOOPER: self._looper,
            Role.STABLE_LOOPER: self._stable_looper,
            Role.ISOLATED: self._isolated,
            Role.DUST: self._dust,
        }

    def _supplier(self, account: Account) -> Plan:
        return self._spread(account, self._some(SAVINGS, (1, 1, 2)))

    def _borrower(self, account: Account) -> Plan:
        """One to three collaterals, one to three other assets as debt."""
        edge = account.role is Role.EDGE
        collaterals = self._some(COLLATERALS, (1, 1, 2, 2, 3))
        if edge:
            collaterals = ["WETH"]  # a thin buffer, and the debt does not fall with it
        offered = {
            symbol: weight
            for symbol, weight in DEBTS.items()
            if symbol not in collaterals and (symbol in STABLES or not edge)
        }
        debts = self._some(offered, (1, 1, 1, 2, 2, 3))
        plan: Plan = []
        capacity = 0.0
        for symbol, share in zip(collaterals, _shares(self.rng, len(collaterals)), strict=True):
            plan += self._deposit(account, symbol, account.size * share)
            capacity += account.size * share * LTV[symbol]
        for symbol, share in zip(debts, _shares(self.rng, len(debts)), strict=True):
            plan.append(self._borrow(account, symbol, capacity * account.appetite * share))
        return plan

    def _looper(self, account: Account) -> Plan:
        """Borrow WETH against yWETH, turn it into yWETH, and again."""
        desk, who, vault = self.desk, account.address, self.desk.market.assets["yWETH"].token
        shares = desk.units("yWETH", account.size)
        plan = [
            desk.enter_e_mode(who, ETH_CORRELATED),
            *desk.fund(who, "yWETH", shares),
            desk.supply(who, "yWETH", shares),
            desk.approve(who, "WETH", vault),
        ]
        ratio = E_MODE_LTV * (0.93 + 0.07 * account.appetite)
        rate = desk.market.tokens.vault_rate()
        for _ in range(self.rng.randint(3, 5)):
            borrowed = desk.units("WETH", desk.dollars("yWETH", shares) * ratio)
            shares = borrowed * 10**18 // rate
            plan.append(desk.borrow(who, "WETH", borrowed))
            plan.append(desk.mint_shares(who, shares))
            plan.append(desk.supply(who, "yWETH", shares))
        return plan

    def _stable_looper(self, account: Account) -> Plan:
        """USDT is collateral in this e-mode only, so it is the favourite here."""
        desk, who = self.desk, account.address
        supplied = self.rng.choice(("USDT", "USDT", "USDC", "DAI"))
        borrowed = self.rng.choice([symbol for symbol in STABLES if symbol != supplied])
        return [
            desk.enter_e_mode(who, STABLECOINS),
            *self._deposit(account, supplied, account.size),
            self._borrow(account, borrowed, account.size * E_MODE_LTV * account.appetite),
        ]

    def _isolated(self, account: Account) -> Plan:
        """An isolated asset never becomes collateral by itself."""
        desk, who = self.desk, account.address
        symbol = self.rng.choice(STABLES)
        return [
            *self._deposit(account, "LINK", account.size),
            desk.use_as_collateral(who, "LINK", True),
            self._borrow(account, symbol, account.size * LTV["LINK"] * account.appetite),
        ]

    def _dust(self, account: Account) -> Plan:
        plan = self._deposit(account, "WETH", SMALL_CHANGE)
        symbol = self.rng.choice(("WETH", "USDC", "WBTC"))
        return [*plan, self.desk.borrow(account.address, symbol, 1)]


def lending_of_anchors(accounts: list[Account]) -> dict[str, float]:
    """Dollars per anchor and asset that leave the reserves well used, not drained."""
    anchors = sum(account.role is Role.ANCHOR for account in accounts)
    wanted = dict.fromkeys(DEBTS, 0.0)
    for account in accounts:
        if account.role in (Role.BORROWER, Role.EDGE):
            for symbol, weight in DEBTS.items():
                part = weight / sum(DEBTS.values())
                wanted[symbol] += account.size * 0.7 * account.appetite * part
        elif account.role is Role.LOOPER:
            wanted["WETH"] += account.size * 4
        elif account.role in (Role.STABLE_LOOPER, Role.ISOLATED):
            for symbol in STABLES:
                wanted[symbol] += account.size * 0.8 / len(STABLES)
    return {
        symbol: (dollars / UTILISATION + ANCHOR_FLOOR) / anchors
        for symbol, dollars in wanted.items()
    }


def _shares(rng: random.Random, count: int) -> list[float]:
    """Random parts of one."""
    parts = [rng.uniform(0.2, 1.0) for _ in range(count)]
    return [part / sum(parts) for part in parts]
