"""What accounts do when they come to Perps V2, and while they are there."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..accounts import Account, Role
from ..chain import Tx
from ..life import draw_plan
from ..purse import Plan
from .book import Position
from .desk import Desk
from .market import Perp, Synthetix
from .system import UNIT

SMALLEST_MARGIN = 60.0
SMALL_RETURNS = 0.35
LEVERAGES = (1.5, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0)
# A high-leverage position of more than this would not fit into the smaller markets.
LARGEST_NOTIONAL = 1_200_000.0


@dataclass(frozen=True)
class Joining:
    """Margin, and a position in one market or two; `rates` are dollars per asset of a market."""

    desk: Desk
    rng: random.Random
    prices: dict[str, float]

    @property
    def synthetix(self) -> Synthetix:
        """The markets."""
        return self.desk.synthetix

    def plan(self, account: Account, perps: Sequence[Perp]) -> Plan:
        """All transactions of joining."""
        eth, btc = self.synthetix.perps["sETH"], self.synthetix.perps["sBTC"]
        size = max(SMALLEST_MARGIN, account.size)
        match account.role:
            case Role.ANCHOR:
                opposite = self.rng.choice((1, -1))
                return [
                    *self._open(account.address, eth, 400_000.0, opposite * 1.6),
                    *self._open(account.address, btc, 300_000.0, -opposite * 1.5),
                ]
            case Role.SUPPLIER:
                perp = self.rng.choice(perps)
                return self.desk.deposit(account.address, perp, int(size * UNIT))
            case Role.EDGE:
                return self._open(account.address, eth, size, self.rng.uniform(12.0, 24.0))
            case Role.STABLE_LOOPER:
                return self._open(account.address, btc, 60_000.0, 8.0)
            case Role.ISOLATED:
                riskier = [one for one in perps if one not in (eth, btc)] or [eth]
                perp = self.rng.choice(riskier)
                return self._open(account.address, perp, size, self.rng.uniform(4.0, 12.0))
            case Role.DUST:
                perp = self.rng.choice((eth, btc))
                return self._open(account.address, perp, SMALLEST_MARGIN, -6.0)
            case _:
                return [
                    tx
                    for perp in self.rng.sample(list(perps), self.rng.choice((1, 1, 2)))
                    for tx in self._open(account.address, perp, size, self._leverage())
                ]

    def _leverage(self) -> float:
        return self.rng.choice(LEVERAGES) * self.rng.choice((1, 1, -1))

    def _open(self, account: str, perp: Perp, margin: float, leverage: float) -> Plan:
        notional = max(-LARGEST_NOTIONAL, min(LARGEST_NOTIONAL, margin * leverage * 0.97))
        price = self.prices[perp.symbol]
        size = int(notional / price * 10**9) * 10**9
        deposit = self.desk.deposit(account, perp, int(margin * 10**6) * 10**12)
        return [*deposit, self.desk.trade(account, perp, size, price)]


@dataclass(frozen=True)
class Actions:
    """What the owner of a position does; the side that is paid for is taken more often."""

    desk: Desk
    rng: random.Random

    def draw(self, position: Position) -> Plan:
        """One random thing."""
        if position.flagged or position.order:
            return []
        if not position.margin:
            return self._return(position)
        weights: dict[Callable[[Position], Plan], int] = {
            self._deposit: 3,
            self._withdraw: 3,
            self._increase: 4,
            self._reduce: 4,
            self._close: 2,
            self._flip: 3,
        }
        return draw_plan(self.rng, weights, position)

    def _return(self, position: Position) -> Plan:
        margin = self.rng.lognormvariate(9.0, 1.3)
        if self.rng.random() < SMALL_RETURNS:
            margin = SMALLEST_MARGIN + 5.0
        deposit = self.desk.deposit(position.account, position.perp, int(margin * UNIT))
        leverages = LEVERAGES if margin > 10 * SMALLEST_MARGIN else LEVERAGES[3:5]
        dollars = margin * self.rng.choice(leverages) * self._side(position)
        return [*deposit, self._trade(position, dollars)]

    def _side(self, position: Position) -> int:
        paid = -1 if position.rate > 0 else 1
        return paid if self.rng.random() < 0.75 else -paid

    def _trade(self, position: Position, dollars: float) -> Tx:
        dollars = max(-LARGEST_NOTIONAL, min(LARGEST_NOTIONAL, dollars))
        size = int(dollars / position.price * 10**9) * 10**9
        return self.desk.trade(position.account, position.perp, size, position.price)

    def _deposit(self, position: Position) -> Plan:
        amount = max(1, int(position.remaining * self.rng.uniform(0.05, 0.6)))
        return self.desk.deposit(position.account, position.perp, amount)

    def _withdraw(self, position: Position) -> Plan:
        if self.rng.random() < 0.3:
            return [self.desk.withdraw_all(position.account, position.perp)]
        amount = int(position.remaining * self.rng.uniform(0.02, 0.5))
        return [self.desk.transfer(position.account, position.perp, -amount)] if amount else []

    def _increase(self, position: Position) -> Plan:
        dollars = position.remaining / UNIT * self.rng.uniform(0.2, 4.0)
        side = self._side(position)
        if position.size:
            side = 1 if position.size > 0 else -1
        return [self._trade(position, side * dollars)]

    def _reduce(self, position: Position) -> Plan:
        size = -int(position.size * self.rng.uniform(0.05, 0.8))
        if not size:
            return []
        return [self.desk.trade(position.account, position.perp, size, position.price)]

    def _close(self, position: Position) -> Plan:
        if not position.size:
            return []
        account, perp = position.account, position.perp
        return [self.desk.close(account, perp, position.size, position.price)]

    def _flip(self, position: Position) -> Plan:
        if not position.size:
            return []
        size = -int(position.size * self.rng.uniform(1.2, 2.2))
        return [self.desk.trade(position.account, position.perp, size, position.price)]
