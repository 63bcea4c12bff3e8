"""What accounts do alike wherever one account holds many assets: on Aave and on Compound."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, Protocol, TypeVar

from .accounts import Account, Role
from .chain import Tx
from .purse import Plan, Purse

STABLES = ("USDC", "USDT", "DAI")
SMALL_CHANGE = 25.0


class Desk(Protocol):
    """Writes the transactions of one market."""

    @property
    def purse(self) -> Purse: ...
    def fund(self, account: str, symbol: str, amount: int, /) -> Plan: ...
    def supply(self, account: str, symbol: str, amount: int, /) -> Tx: ...
    def borrow(self, account: str, symbol: str, amount: int, /) -> Tx: ...
    def transfer(self, account: str, symbol: str, to: str, amount: int, /) -> Tx: ...
    def repay(self, account: str, symbol: str, amount: int, /, of: str | None = None) -> Tx: ...


class Owed(Protocol):
    """One asset of an account."""

    @property
    def owed(self) -> int: ...


class Position(Protocol):
    """One account in the market."""

    @property
    def account(self) -> str: ...
    @property
    def holdings(self) -> Mapping[str, Owed]: ...
    def supplied(self) -> list[str]: ...
    def owed(self) -> list[str]: ...


D = TypeVar("D", bound=Desk)
P = TypeVar("P", bound=Position)


@dataclass(frozen=True)
class Newcomers(Generic[D]):
    """Plans of newcomers; `lending` is what each anchor supplies of each asset, in dollars."""

    desk: D
    rng: random.Random
    lending: dict[str, float]

    def plan(self, account: Account) -> Plan:
        """All transactions of joining; each fits on top of those before it in one block."""
        return self._by_role()[account.role](account)

    def _by_role(self) -> Mapping[Role, Callable[[Account], Plan]]:
        raise NotImplementedError

    def _anchor(self, account: Account) -> Plan:
        return self._deposits(account, self.lending.items())

    def _spread(self, account: Account, symbols: Sequence[str]) -> Plan:
        """All that the account has, in equal parts."""
        return self._deposits(account, [(one, account.size / len(symbols)) for one in symbols])

    def _deposits(self, account: Account, dollars: Iterable[tuple[str, float]]) -> Plan:
        return [tx for symbol, size in dollars for tx in self._deposit(account, symbol, size)]

    def _deposit(self, account: Account, symbol: str, dollars: float) -> Plan:
        desk, who = self.desk, account.address
        amount = desk.purse.units(symbol, dollars)
        return [*desk.fund(who, symbol, amount), desk.supply(who, symbol, amount)]

    def _borrow(self, account: Account, symbol: str, dollars: float) -> Tx:
        amount = self.desk.purse.units(symbol, dollars)
        return self.desk.borrow(account.address, symbol, amount)

    def _some(self, weights: Mapping[str, int], counts: Sequence[int]) -> list[str]:
        """As many different keys as one of `counts` says, heavier ones more often."""
        left = dict(weights)
        chosen = []
        for _ in range(self.rng.choice(counts)):
            symbol = self.rng.choices(list(left), list(left.values()))[0]
            chosen.append(symbol)
            del left[symbol]
        return chosen


@dataclass(frozen=True)
class Dealings(Generic[D, P]):
    """Draws plans; an empty plan means that the account had nothing of the kind to do."""

    desk: D
    rng: random.Random
    everyone: list[str]
    savings: ClassVar[Sequence[str]] = ()

    def _held(self, position: P, symbol: str) -> int:
        """What can be handed over of an asset, in the units of its transfer."""
        raise NotImplementedError

    def _supply(self, position: P) -> Plan:
        symbol = self.rng.choice(position.supplied() or self.savings)
        amount = self.desk.purse.units(symbol, self.rng.lognormvariate(7.5, 1.2))
        return self._funded_supply(position.account, symbol, amount)

    def _funded_supply(self, account: str, symbol: str, amount: int) -> Plan:
        funded = self.desk.fund(account, symbol, amount)
        return [*funded, self.desk.supply(account, symbol, amount)]

    def _transfer(self, position: P) -> Plan:
        if not position.supplied():
            return []
        symbol = self.rng.choice(position.supplied())
        held = self._held(position, symbol)
        amount = held if self.rng.random() < 0.2 else int(held * self.rng.uniform(0.02, 0.5))
        to = self.rng.choice(self.everyone)
        return [self.desk.transfer(position.account, symbol, to, max(1, amount))]

    def _repay_for(self, position: P, helper: str) -> Plan:
        """Somebody else repays a part."""
        symbol = self.rng.choice(position.owed())
        amount = max(1, position.holdings[symbol].owed // self.rng.randint(3, 20))
        funded = self.desk.fund(helper, symbol, amount)
        return [*funded, self.desk.repay(helper, symbol, amount, of=position.account)]
