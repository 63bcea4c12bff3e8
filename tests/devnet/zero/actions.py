"""What accounts do while they are on Zero: drawn from a seed, sized by their position."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from ..abi import ZERO_ADDRESS, view_data, words
from ..accounts import Account, Role
from ..chain import Tx
from ..life import draw_plan
from ..purse import Plan
from .book import WAD, Position, System, read_positions, read_system
from .market import Zero

ANY_FEE = WAD
SMALLEST_NET_DEBT = 180 * WAD
GAS_COMPENSATION = 20 * WAD
SAFE, TIGHT, TIGHTER = (1.8, 2.2), (1.13, 1.35), (1.115, 1.13)
USUAL = (1.25, 1.75)
FUSE = 1.002
LEAST_DEBT, LARGEST_DEBT = 250.0, 60_000.0


@dataclass
class Actions:
    """Writes plans. `ratios` are the collateral ratios at which accounts open their troves."""

    zero: Zero
    rng: random.Random
    accounts: list[Account]
    ratios: dict[str, tuple[float, float]] = field(default_factory=dict)
    system: System | None = None

    def look(self) -> System:
        """Read the system once for all plans of a step."""
        self.system = read_system(self.zero)
        return self.system

    def join(self, account: Account) -> Plan:
        """Open a trove, and put most of what was borrowed into the pool if that is the plan."""
        # In wei, so that what is deposited is there: the fee is added to the debt.
        debt = int(min(LARGEST_DEBT, max(LEAST_DEBT, account.size)) * WAD)
        plan = [self._open(account.address, debt)]
        if account.role in (Role.ANCHOR, Role.SUPPLIER, Role.LOOPER):
            part = self.rng.uniform(0.05, 0.4)
            plan.append(self._provide_amount(account.address, int(debt * part)))
        return plan

    def draw(self, position: Position) -> Plan:
        """One random thing that `position` could do."""
        weights: dict[Callable[[Position], Plan], int] = {
            self._reopen: 4,
            self._add_coll: 2,
            self._withdraw_coll: 5,
            self._borrow: 8,
            self._repay: 3,
            self._adjust: 3,
            self._close: 2,
            self._provide: 3,
            self._withdraw: 3,
            self._gain_to_trove: 2,
            self._redeem: 2,
            self._claim: 3,
            self._give: 2,
        }
        return draw_plan(self.rng, weights, position)

    def _price(self) -> int:
        return (self.system or self.look()).price

    def _open(self, account: str, debt: int) -> Tx:
        ratio = self.rng.uniform(*self.ratios.get(account, USUAL))
        # Opening adds the fee and the gas compensation.
        coll = int(ratio * FUSE * (debt * 1.006 + GAS_COMPENSATION)) * WAD // self._price()
        signature = "openTrove(uint256,uint256,address,address)"
        return self._operate(account, signature, ANY_FEE, debt, account, account, value=coll)

    def _operate(self, account: str, signature: str, *args: object, value: int = 0) -> Tx:
        return Tx(account, self.zero["borrower_operations"], signature, args, value=value)

    def _reopen(self, position: Position) -> Plan:
        if position.open:
            return []
        debt = int(min(LARGEST_DEBT, self.rng.lognormvariate(9, 1.2) + LEAST_DEBT) * WAD)
        return [self._open(position.account, debt)]

    def _add_coll(self, position: Position) -> Plan:
        if not position.open:
            return []
        more = int(position.coll * self.rng.uniform(0.02, 0.4))
        mine = (position.account, position.account)
        return [self._operate(position.account, "addColl(address,address)", *mine, value=more)]

    def _withdraw_coll(self, position: Position) -> Plan:
        """Down to the ratio that the account likes, or a little."""
        if not position.open:
            return []
        spare = position.coll - self._target(position) * position.debt // self._price()
        less = spare if spare > 0 else int(position.coll * self.rng.uniform(0.02, 0.3))
        args = (less, position.account, position.account)
        return [self._operate(position.account, "withdrawColl(uint256,address,address)", *args)]

    def _borrow(self, position: Position) -> Plan:
        """Likewise."""
        if not position.open:
            return []
        spare = position.coll * self._price() // self._target(position) - position.debt
        part = self.rng.uniform(0.3, 0.98)
        more = int(max(0, spare) * part) or int(position.debt * self.rng.uniform(0.02, 0.4))
        args = (ANY_FEE, more, position.account, position.account)
        signature = "withdrawZUSD(uint256,uint256,address,address)"
        return [self._operate(position.account, signature, *args)]

    def _target(self, position: Position) -> int:
        """A collateral ratio with 18 decimals."""
        return int(self.rng.uniform(*self.ratios.get(position.account, USUAL)) * WAD)

    def _repay(self, position: Position) -> Plan:
        net = position.debt - GAS_COMPENSATION - SMALLEST_NET_DEBT
        less = min(position.tokens, int(net * self.rng.uniform(0.05, 1.0)))
        if not position.open or less <= 0:
            return []
        args = (less, position.account, position.account)
        return [self._operate(position.account, "repayZUSD(uint256,address,address)", *args)]

    def _adjust(self, position: Position) -> Plan:
        """Both sides at once: more of each, or less of each."""
        if not position.open:
            return []
        signature = "adjustTrove(uint256,uint256,uint256,bool,address,address)"
        part, mine = self.rng.uniform(0.03, 0.25), (position.account, position.account)
        coll, debt = int(position.coll * part), int(position.debt * part)
        if self.rng.random() < 0.5:
            args: tuple[object, ...] = (ANY_FEE, 0, debt, True, *mine)
            return [self._operate(position.account, signature, *args, value=coll)]
        if position.tokens < debt:
            return []
        return [self._operate(position.account, signature, ANY_FEE, coll, debt, False, *mine)]

    def _close(self, position: Position) -> Plan:
        """With tokens that somebody else hands over, if one's own are too few."""
        if not position.open:
            return []
        missing = position.debt - GAS_COMPENSATION - position.tokens
        closing = self._operate(position.account, "closeTrove()")
        if missing <= 0:
            return [closing]
        for other in self._others(position.account):
            if other.tokens > missing:
                return [self._transfer(other.account, position.account, missing), closing]
        return []

    def _others(self, account: str) -> list[Position]:
        everybody = [one.address for one in self.accounts if one.address != account]
        return read_positions(self.zero, self.rng.sample(everybody, min(8, len(everybody))))

    def _transfer(self, sender: str, to: str, amount: int) -> Tx:
        return Tx(sender, self.zero["token"], "transfer(address,uint256)", (to, amount))

    def _give(self, position: Position) -> Plan:
        amount = int(position.tokens * self.rng.uniform(0.1, 0.6))
        if not amount:
            return []
        return [self._transfer(position.account, self.rng.choice(self.accounts).address, amount)]

    def _provide_amount(self, account: str, amount: int) -> Tx:
        args = (amount, ZERO_ADDRESS)
        return Tx(account, self.zero["pool"], "provideToSP(uint256,address)", args)

    def _provide(self, position: Position) -> Plan:
        amount = int(position.tokens * self.rng.uniform(0.05, 0.5))
        return [self._provide_amount(position.account, amount)] if amount else []

    def _withdraw(self, position: Position) -> Plan:
        if not position.deposit and not position.gain:
            return []
        amount = self.rng.choice((0, position.deposit // 3, position.deposit, 2**255))
        call = ("withdrawFromSP(uint256)", (amount,))
        return [Tx(position.account, self.zero["pool"], *call)]

    def _gain_to_trove(self, position: Position) -> Plan:
        if not position.gain or not position.open:
            return []
        mine = (position.account, position.account)
        return [
            Tx(position.account, self.zero["pool"], "withdrawETHGainToTrove(address,address)", mine)
        ]

    def _redeem(self, position: Position) -> Plan:
        wanted = int(position.tokens * self.rng.uniform(0.1, 1.0))
        if wanted < WAD:
            return []
        hints = ("getRedemptionHints(uint256,uint256,uint256)", wanted, self._price(), 0)
        call = (self.zero["hint_helpers"], view_data(*hints))
        said = words(self.zero.chain.calls([call])[0] or "0x")
        if not said or not said[2]:
            return []
        first, mine = f"0x{said[0]:040x}", (position.account, position.account)
        args = (said[2], first, *mine, said[1], 0, ANY_FEE)
        signature = "redeemCollateral(uint256,address,address,address,uint256,uint256,uint256)"
        return [Tx(position.account, self.zero["trove_manager"], signature, args)]

    def _claim(self, position: Position) -> Plan:
        return [self._operate(position.account, "claimCollateral()")] if position.surplus else []
