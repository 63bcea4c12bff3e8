"""How long a feed may be silent before its answer is stale.

Nobody writes on a chain how often a feed has promised to answer, so it is for the reader to state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from defirisk.core.evm import Address

DAY = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeats:
    """Seconds by feed, and for all feeds that are not named: a day, the longest that is usual."""

    default_seconds: int = DAY
    by_feed: Mapping[Address, int] = field(default_factory=dict)

    def of(self, feed: Address) -> int:
        """What the feed has promised."""
        return self.by_feed.get(feed, self.default_seconds)
