"""How many blocks to ask for at once: learned from what the node answers and refuses."""

from __future__ import annotations

from dataclasses import dataclass

_FIRST_PATIENCE = 32
_MOST_PATIENCE = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeSettings:
    """Sizes in blocks; `target_logs` is how many logs an answer should hold at most."""

    first_blocks: int = 2_000
    max_blocks: int = 100_000
    target_logs: int = 5_000
    pages_ahead: int = 4
    addresses_per_filter: int = 50


class RangeSize:
    """The width of the next range.

    It doubles until the node refuses, then closes in on the width between the last good and the
    refused one. A refused width is not forever: it may have been for many logs in few blocks, so
    it is forgotten after a number of answers that doubles with each refusal.
    """

    def __init__(self, settings: RangeSettings) -> None:
        self._settings = settings
        self.blocks = max(1, settings.first_blocks)
        self._ceiling: int | None = None
        self._good = 0
        self._answers_below_ceiling = 0
        self._patience = _FIRST_PATIENCE

    @property
    def pages_ahead(self) -> int:
        """How many pages to have under way: one until the first answer shows what is allowed."""
        return self._settings.pages_ahead if self._good else 1

    def refused(self, width: int, suggested: int | None = None) -> int:
        """The node refused `width` blocks: the smaller width to ask for instead."""
        if suggested is not None and 1 <= suggested < width:
            smaller, self._ceiling = suggested, suggested + 1
        elif width // 2 <= self._good < width:
            smaller, self._ceiling = self._good, width
        else:
            smaller, self._ceiling = width // 2, width
        smaller = max(1, smaller)
        self._good = min(self._good, smaller)
        self._answers_below_ceiling = 0
        self._patience = min(_MOST_PATIENCE, self._patience * 2)
        self.blocks = min(self.blocks, smaller)
        return smaller

    def answered(self, width: int, logs: int) -> None:
        """The node gave `logs` logs for `width` blocks."""
        self._good = max(self._good, width)
        if logs > self._settings.target_logs:
            self.blocks = max(1, min(self.blocks, width * self._settings.target_logs // logs))
            return
        # The last piece of a range, or one planned before a change, says nothing about growing.
        if width < self.blocks or logs * 2 > self._settings.target_logs:
            return
        self.blocks = max(1, min(self._settings.max_blocks, self._grown(width)))

    def _grown(self, width: int) -> int:
        if self._ceiling is None:
            return width * 2
        self._answers_below_ceiling += 1
        if self._answers_below_ceiling >= self._patience:
            self._ceiling = None
            return width * 2
        # Closer than an eighth is close enough: every further step risks a refused request.
        gap = self._ceiling - width
        return width + gap // 2 if gap > max(1, width // 8) else width
