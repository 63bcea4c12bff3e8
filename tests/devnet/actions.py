"""What accounts do while they are in the market: drawn from a seed, sized by their position."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from .abi import MAX_UINT256
from .book import Position
from .desk import Desk
from .joining import DEBTS, SAVINGS
from .market import KEEPERS
from .purse import Plan
from .reserves import ETH_CORRELATED, STABLECOINS


@dataclass(frozen=True)
class Actions:
    """Draws plans; an empty plan means that the account had nothing of the kind to do."""

    desk: Desk
    rng: random.Random
    everyone: list[str]

    def draw(self, position: Position) -> Plan:
        """One random thing that `position` could do."""
        weights: dict[Callable[[Position], Plan], int] = {
            self._supply: 4,
            self._withdraw: 5,
            self._borrow: 5,
            self._repay: 5,
            self._repay_with_a_tokens: 2,
            self._transfer: 3,
            self._toggle_collateral: 3,
            self._change_e_mode: 3,
            self._help: 1,
        }
        return self.rng.choices(list(weights), list(weights.values()))[0](position)

    def _supply(self, position: Position) -> Plan:
        symbol = self.rng.choice(position.supplied() or list(SAVINGS))
        amount = self.desk.units(symbol, self.rng.lognormvariate(7.5, 1.2))
        return self._funded_supply(position.account, symbol, amount)

    def _funded_supply(self, account: str, symbol: str, amount: int) -> Plan:
        funded = self.desk.fund(account, symbol, amount)
        return [*funded, self.desk.supply(account, symbol, amount)]

    def _withdraw(self, position: Position) -> Plan:
        if not position.supplied():
            return []
        symbol = self.rng.choice(position.supplied())
        part = self._part(position.holdings[symbol].supplied)
        return [self.desk.withdraw(position.account, symbol, part)]

    def _borrow(self, position: Position) -> Plan:
        offers = {ETH_CORRELATED: ["WETH"], STABLECOINS: ["USDC", "USDT", "DAI"]}
        symbol = self.rng.choice(offers.get(position.e_mode) or list(DEBTS))
        dollars = position.available * self.rng.choice((0.15, 0.4, 0.7, 0.9))
        if dollars < 1.0:
            return []
        amount = self.desk.units(symbol, dollars)
        return [self.desk.borrow(position.account, symbol, amount)]

    def _repay(self, position: Position) -> Plan:
        if not position.owed():
            return []
        symbol = self.rng.choice(position.owed())
        owed = position.holdings[symbol].owed
        amount = self._part(owed)
        # Repaying everything takes a little more than is owed now: interest runs on.
        needed = owed + owed // 1000 + 1 if amount == MAX_UINT256 else amount
        funded = self.desk.fund(position.account, symbol, needed)
        return [*funded, self.desk.repay(position.account, symbol, amount)]

    def _repay_with_a_tokens(self, position: Position) -> Plan:
        if not position.owed():
            return []
        symbol = self.rng.choice(position.owed())
        amount = self._part(position.holdings[symbol].owed)
        supplied = position.holdings[symbol].owed + 10
        return [
            *self._funded_supply(position.account, symbol, supplied),
            self.desk.repay_with_a_tokens(position.account, symbol, amount),
        ]

    def _transfer(self, position: Position) -> Plan:
        if not position.supplied():
            return []
        symbol = self.rng.choice(position.supplied())
        held = position.holdings[symbol].supplied
        amount = held if self.rng.random() < 0.2 else int(held * self.rng.uniform(0.02, 0.5))
        to = self.rng.choice(self.everyone)
        return [self.desk.transfer(position.account, symbol, to, max(1, amount))]

    def _toggle_collateral(self, position: Position) -> Plan:
        if not position.supplied():
            return []
        symbol = self.rng.choice(position.supplied())
        use = not position.holdings[symbol].collateral
        return [self.desk.use_as_collateral(position.account, symbol, use)]

    def _change_e_mode(self, position: Position) -> Plan:
        categories = {0, ETH_CORRELATED, STABLECOINS} - {position.e_mode}
        category = self.rng.choice(sorted(categories))
        return [self.desk.enter_e_mode(position.account, category)]

    def _help(self, position: Position) -> Plan:
        """Somebody else pays: a supply or a repayment on behalf of the account."""
        helper = self.rng.choice(KEEPERS)
        if not position.owed():
            amount = self.desk.units("USDC", self.rng.uniform(50, 500))
            funded = self.desk.fund(helper, "USDC", amount)
            return [*funded, self.desk.supply(helper, "USDC", amount, of=position.account)]
        symbol = self.rng.choice(position.owed())
        amount = max(1, position.holdings[symbol].owed // self.rng.randint(3, 20))
        funded = self.desk.fund(helper, symbol, amount)
        return [*funded, self.desk.repay(helper, symbol, amount, of=position.account)]

    def _part(self, whole: int) -> int:
        """Some of `whole`, or all of it in the way the pool understands."""
        if self.rng.random() < 0.3:
            return MAX_UINT256
        return max(1, int(whole * self.rng.uniform(0.05, 0.7)))
