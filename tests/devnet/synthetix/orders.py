"""Delayed orders: submitted in one block, carried out in a later one, or never."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from ..chain import SLOT, Chain
from ..market import KEEPERS
from .book import Position, read_positions
from .desk import ORDER_DELAY, Desk
from .market import Perp, Synthetix
from .system import UNIT

ACTIVE = 2  # accounts that order in a step
FORGOTTEN = 0.2
BY_ONESELF = 0.3
PYTH_APART = 0.004
LARGEST = 400_000.0  # dollars


@dataclass(frozen=True)
class Orders:
    """Orders of a few accounts in every step."""

    chain: Chain
    desk: Desk
    rng: random.Random

    @property
    def synthetix(self) -> Synthetix:
        """The markets."""
        return self.desk.synthetix

    def work(self, perps: Sequence[Perp], accounts: Sequence[str]) -> None:
        """Clear away old orders, submit new ones and carry them out."""
        positions = read_positions(self.chain, perps, accounts)
        self._cancel([one for one in positions if one.order])
        able = [one for one in positions if one.margin and not one.order and not one.flagged]
        chosen = self.rng.sample(able, min(ACTIVE, len(able)))
        offchain = self.rng.random() < 0.6
        self._submit(chosen, offchain)
        pending = [one for one in read_positions(self.chain, perps, accounts) if one.order]
        due = [one for one in pending if self.rng.random() > FORGOTTEN]
        if due and offchain:
            self._execute_offchain(due)
        elif due:
            self._execute(due)

    def _cancel(self, old: Sequence[Position]) -> None:
        txs = [
            self.desk.cancel(sender, one.perp, one.account, offchain)
            for one in old
            for sender in [one.account if self.rng.random() < BY_ONESELF else KEEPERS[1]]
            for offchain in (True, False)
        ]
        works = self.chain.would_succeed(txs)
        useful = [tx for tx, ok in zip(txs, works, strict=True) if ok]
        if useful:
            self.chain.mine(useful)

    def _submit(self, chosen: Sequence[Position], offchain: bool) -> None:
        txs = [
            self.desk.order(one.account, one.perp, self._size(one), one.price, offchain)
            for one in chosen
        ]
        works = self.chain.would_succeed(txs)
        useful = [tx for tx, ok in zip(txs, works, strict=True) if ok]
        if useful:
            self.chain.mine(useful)

    def _size(self, position: Position) -> int:
        if position.size and self.rng.random() < 0.5:
            return -int(position.size * self.rng.uniform(0.1, 1.6))
        dollars = min(LARGEST, position.remaining / UNIT * self.rng.uniform(0.3, 6.0))
        side = self.rng.choice((1, -1))
        return side * int(dollars / position.price * UNIT)

    def _sender(self, position: Position) -> str:
        return position.account if self.rng.random() < BY_ONESELF else self.rng.choice(KEEPERS)

    def _execute_offchain(self, due: Sequence[Position]) -> None:
        txs = []
        for one in due:
            price = one.price * self.rng.uniform(1 - PYTH_APART, 1 + PYTH_APART)
            update = self.synthetix.publish(self.chain, one.perp, price)
            txs.append(self.desk.execute_offchain(self._sender(one), one.perp, one.account, update))
        # Its price is of the next block: tried on the head it would be of the future.
        self.chain.mine(txs)

    def _execute(self, due: Sequence[Position]) -> None:
        txs = [self.desk.execute(self._sender(one), one.perp, one.account) for one in due]
        self.chain.mine(txs, ORDER_DELAY + SLOT)
