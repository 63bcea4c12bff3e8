"""Liquidators of Zero: one trove, some troves, or the worst in the list."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from ..chain import Tx
from ..market import KEEPERS
from .book import read_positions
from .market import Zero

DILIGENCE = 0.85
ROUNDS = 3
AT_ONCE = 3


@dataclass(frozen=True)
class Keepers:
    """Liquidates whom the contract allows to, apart from `neglected` accounts."""

    zero: Zero
    rng: random.Random
    neglected: set[str]

    def work(self, accounts: Sequence[str]) -> None:
        """Look at the head a few times, and liquidate in a new block each time."""
        watched = [one for one in accounts if one not in self.neglected]
        for _ in range(ROUNDS):
            due = self._due(watched)
            if not due:
                return
            self.zero.chain.mine(self._txs(due))

    def _due(self, watched: Sequence[str]) -> list[str]:
        held = [one.account for one in read_positions(self.zero, watched) if one.open]
        tried = self.zero.chain.would_succeed([self.liquidate(one) for one in held])
        found = [one for one, works in zip(held, tried, strict=True) if works]
        return [one for one in found if self.rng.random() < DILIGENCE]

    def _txs(self, due: list[str]) -> list[Tx]:
        """Some alone, and a few together."""
        alone, together = due[AT_ONCE:], due[:AT_ONCE]
        if len(together) < AT_ONCE or self.rng.random() < 0.5:
            return [self.liquidate(one) for one in due]
        batch = ("batchLiquidateTroves(address[])", (tuple(together),))
        keeper = self.rng.choice(KEEPERS)
        return [
            Tx(keeper, self.zero["trove_manager"], *batch, gas=8_000_000),
            *(self.liquidate(one) for one in alone),
        ]

    def liquidate(self, account: str) -> Tx:
        """Of one trove, by a keeper."""
        keeper = KEEPERS[int(account, 16) % len(KEEPERS)]
        return Tx(keeper, self.zero["trove_manager"], "liquidate(address)", (account,))
