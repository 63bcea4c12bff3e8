"""What accounts do while they are in the market: drawn from a seed, sized by their position."""

from __future__ import annotations

from collections.abc import Callable

from .abi import MAX_UINT256
from .book import Position
from .desk import Desk
from .joining import DEBTS, SAVINGS
from .market import KEEPERS
from .pooled import STABLES, Dealings
from .purse import Plan
from .reserves import ETH_CORRELATED, STABLECOINS


class Actions(Dealings[Desk, Position]):
    """In a pool of Aave."""

    savings = tuple(SAVINGS)

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

    def _held(self, position: Position, symbol: str) -> int:
        return position.holdings[symbol].supplied

    def _withdraw(self, position: Position) -> Plan:
        if not position.supplied():
            return []
        symbol = self.rng.choice(position.supplied())
        part = self._part(position.holdings[symbol].supplied)
        return [self.desk.withdraw(position.account, symbol, part)]

    def _borrow(self, position: Position) -> Plan:
        offers = {ETH_CORRELATED: ["WETH"], STABLECOINS: list(STABLES)}
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
        return self._repay_for(position, helper)

    def _part(self, whole: int) -> int:
        """Some of `whole`, or all of it in the way the pool understands."""
        if self.rng.random() < 0.3:
            return MAX_UINT256
        return max(1, int(whole * self.rng.uniform(0.05, 0.7)))
