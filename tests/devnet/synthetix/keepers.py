"""Keepers of Perps V2: they flag, and liquidate what is flagged in a later block."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from ..chain import Chain, Tx
from ..market import KEEPERS
from .book import liquidatable, read_positions
from .desk import Desk
from .market import Perp

DILIGENCE = 0.85


@dataclass(frozen=True)
class Keepers:
    """Liquidates who may be, apart from `neglected` accounts; the first keeper is endorsed."""

    chain: Chain
    desk: Desk
    rng: random.Random
    neglected: set[str]

    def work(self, perps: Sequence[Perp], accounts: Sequence[str]) -> None:
        """Flag in one block, liquidate in the next; some positions wait for another day."""
        watched = [one for one in accounts if one not in self.neglected]
        due = liquidatable(self.chain, read_positions(self.chain, perps, watched))
        flags = [
            self.desk.flag(self.rng.choice(KEEPERS), one.perp, one.account)
            for one in due
            if not one.flagged and self.rng.random() < DILIGENCE
        ]
        self._mine(flags)
        flagged = [one for one in read_positions(self.chain, perps, watched) if one.flagged]
        closes = [
            self.desk.liquidate(self.rng.choice(KEEPERS), one.perp, one.account)
            for one in flagged
            if self.rng.random() < DILIGENCE
        ]
        self._mine(closes)
        left = [one for one in read_positions(self.chain, perps, watched) if one.flagged]
        forced = [
            self.desk.liquidate(KEEPERS[0], one.perp, one.account, forced=True)
            for one in left
            if self.rng.random() < DILIGENCE / 2
        ]
        self._mine(forced)

    def _mine(self, txs: list[Tx]) -> None:
        works = self.chain.would_succeed(txs)
        useful = [tx for tx, ok in zip(txs, works, strict=True) if ok]
        if useful:
            self.chain.mine(useful)
