"""`halt:` keepers are absent for a while, and prices move on without them."""

from __future__ import annotations

import re

from defirisk.core.book import Book
from defirisk.core.errors import UsageError
from defirisk.core.scenario import Moves, Shock

WHAT = "liquidations"
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
LONGEST = 365 * SECONDS["d"]

_DURATION = re.compile(r"([0-9]+)([smhd])")


class Halt:
    """Nobody liquidates from the start on; interest accrues and oracles follow meanwhile."""

    name = "halt"
    grammar = "halt:liquidations=2h"
    summary = "keepers are absent for this long, while prices move and interest accrues"

    def moves(self, book: Book, target: str, value: str) -> Moves:
        """VALUE is a whole number of seconds, minutes, hours or days, up to a year."""
        if target.casefold() != WHAT:
            raise UsageError(f"only {WHAT} can be halted, not {target!r}")
        match = _DURATION.fullmatch(value.casefold())
        if match is None:
            raise UsageError(f"{value!r} is no duration such as 90s, 30m, 2h or 1d")
        seconds = int(match[1]) * SECONDS[match[2]]
        if not 0 < seconds <= LONGEST:
            raise UsageError(f"{value} is not between one second and a year")
        return Moves(halt_seconds=seconds)


SHOCK: Shock = Halt()
