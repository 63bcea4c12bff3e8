"""How many blocks to ask for at once: learned from what the node answers and refuses."""

from __future__ import annotations

from dataclasses import dataclass

_FIRST_PATIENCE = 32
_MOST_PATIENCE = 512
# Closer than this to a refused width is close enough: every further step risks a refusal.
_CLOSE = 32
# Of the wished number of logs: as real ones come in bunches, aiming at all of it overshoots.
_AIM = (7, 8)
_STEPS_UP = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeSettings:
    """Sizes in blocks; `target_logs` is how many logs an answer should hold at most.

    `addresses_per_filter` is how many contracts one eth_getLogs names, until a node bears fewer.
    """

    first_blocks: int = 500
    max_blocks: int = 100_000
    target_logs: int = 5_000
    pages_ahead: int = 4
    addresses_per_filter: int = 200


class RangeSize:
    """The width of the next range, steered by the logs that an answer holds.

    The wished number of logs per answer falls to three quarters of what was refused, and rises
    again by a sixteenth of the setting per answer. The width follows it, at most doubling per
    answer (four times while almost nothing is found). Where a node refuses a width though it holds
    few logs, the width closes in on the limit by halving the gap. No refusal is forever: it is
    forgotten after a number of answers that doubles with each.
    """

    def __init__(self, settings: RangeSettings) -> None:
        self._settings = settings
        self.blocks = max(1, settings.first_blocks)
        self._target = max(1, settings.target_logs)
        self._ceiling: int | None = None
        self._good = 0
        self._unexplained: int | None = None
        self._probe: int | None = None
        self._starting = True
        self._since_refusal = 0
        self._patience = _FIRST_PATIENCE

    @property
    def pages_ahead(self) -> int:
        """How many pages to have under way: one until it shows what the node bears."""
        return 1 if self._starting else self._settings.pages_ahead

    @property
    def widest(self) -> int:
        """The most blocks that the node may bear, as far as is known."""
        widest = self._settings.max_blocks
        return widest if self._ceiling is None else max(1, min(widest, self._ceiling - 1))

    def start(self) -> None:
        """A new range begins: what was planned for another may never be answered."""
        self._probe = None

    def plan(self, most: int) -> int:
        """The width of a page to be asked for, where at most `most` blocks are left.

        Only one page at a time tries an unproven width.
        """
        width = min(self.blocks, most)
        if not self._good or width <= self._good:
            return width
        if self._probe is not None:
            return self._good
        self._probe = width
        return width

    def refused(
        self, width: int, suggested: int | None = None, *, about_blocks: bool = False
    ) -> int:
        """The node refused `width` blocks: the smaller width to ask for instead.

        `about_blocks`: it said that the range is too wide, whatever it holds.
        """
        if suggested is not None and 1 <= suggested < width:
            smaller, self._ceiling = suggested, suggested + 1
        elif width // 2 <= self._good < width:
            smaller, self._ceiling = self._good, width
        else:
            smaller, self._ceiling = width // 2, width
        smaller = max(1, smaller)
        self._unexplained = None if about_blocks else width
        self._starting = False
        self._settle(width)
        self._good = min(self._good, smaller)
        self._since_refusal = 0
        self._patience = min(_MOST_PATIENCE, self._patience * 2)
        self.blocks = min(self.blocks, smaller)
        return smaller

    def answered(self, width: int, logs: int) -> None:
        """The node gave at most `logs` logs in one answer for `width` blocks."""
        self._settle(width)
        self._explain(width, logs)
        self._good = max(self._good, width)
        self._since_refusal += 1
        heavy = logs * 2 > self._target
        if heavy and self._since_refusal > self._patience:
            step = max(1, self._settings.target_logs // _STEPS_UP)
            self._target = min(max(1, self._settings.target_logs), self._target + step)
        self._starting = self._starting and not heavy and self.blocks < self._settings.max_blocks
        by_logs = width * self._target * _AIM[0] // (_AIM[1] * logs) if logs else None
        if logs > self._target:
            self.blocks = max(1, min(self.blocks, by_logs or 1))
        # The last piece of a range, or one planned before a change, says nothing about growing.
        elif width >= self.blocks:
            grown = self._grown(width, 4 if logs * 8 < self._target else 2)
            wished = grown if by_logs is None else min(grown, by_logs)
            self.blocks = max(1, min(self._settings.max_blocks, max(width, wished)))

    def _settle(self, width: int) -> None:
        if self._probe is not None and width >= self._probe:
            self._probe = None

    def _explain(self, width: int, logs: int) -> None:
        """The first answer after a refusal shows how much was refused, and so why."""
        refused, self._unexplained = self._unexplained, None
        if refused is None or width >= refused:
            return
        expected = logs * refused // width
        if expected * 2 >= self._target:
            self._target = max(1, min(self._target, expected * 3 // 4))
            self._ceiling = None

    def _grown(self, width: int, factor: int) -> int:
        if self._ceiling is not None and self._since_refusal >= self._patience:
            self._ceiling = None
            return width * 2
        if self._ceiling is None:
            return width * factor
        gap = self._ceiling - width
        if gap <= max(1, width // _CLOSE):
            return width
        return _roundest(width + max(1, gap // 4), width + max(1, gap * 3 // 4))


def _roundest(low: int, high: int) -> int:
    """The number in [low, high] with most zeros: limits are round numbers."""
    step: int = 10 ** len(str(high))
    while True:
        candidate = -(-low // step) * step
        if candidate <= high:
            return candidate
        step //= 10
