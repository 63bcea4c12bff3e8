"""How many agreeing answers are enough, by how often the node was caught."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log

ACCEPTED_RISK = 1e-6
"""Of taking a lost log for a bloom's false positive."""
AT_LEAST = 2
"""Agreeing answers by block hash, however honest the node was until now."""


@dataclass(slots=True)
class Trust:
    """What a run learned of its node: `honest` and `false` answers among those that could be
    checked.

    The next answer is false with probability (false + 1) / (checked + 2), Laplace's rule of
    succession; `needed` answers that agree are all false with at most `ACCEPTED_RISK`, if they
    fail independently. A node of which nothing is known needs 20, one that gave 1,000 honest
    answers needs 2, one that drops 30 % of them about 12. `receipts_work`: some of this chain gave
    their root, so that those which do not are not all there.
    """

    honest: int = 0
    false: int = 0
    receipts_work: bool = False

    @property
    def needed(self) -> int:
        """How many answers must agree before a bloom's hit is taken for another log's."""
        chance = (self.false + 1) / (self.honest + self.false + 2)
        return max(AT_LEAST, ceil(log(ACCEPTED_RISK) / log(chance)))
