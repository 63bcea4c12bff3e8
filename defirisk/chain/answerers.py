"""Which endpoint gave which blocks, for who wants to hear another."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator

from defirisk.core.evm import LogQuery

# The ranges that are remembered: an audit follows its range at once.
_REMEMBERED = 4_096


class Answerers:
    """The names of the endpoints that gave the last ranges of logs."""

    def __init__(self) -> None:
        self._gave: deque[tuple[LogQuery, int, int, str]] = deque(maxlen=_REMEMBERED)

    def gave(self, query: LogQuery, first_block: int, last_block: int, name: str) -> None:
        """An endpoint gave all logs of a range."""
        self._gave.append((query, first_block, last_block, name))

    def of(self, first_block: int, last_block: int, query: LogQuery | None = None) -> set[str]:
        """Who gave any of these blocks; for any query where none is named."""
        return {name for _, _, name in self._overlapping(first_block, last_block, query)}

    def spans(
        self, first_block: int, last_block: int, query: LogQuery
    ) -> list[tuple[int, int, Collection[str]]]:
        """The range cut into pieces, (first, last, who gave it), none of several endpoints."""
        pieces: list[tuple[int, int, Collection[str]]] = []
        block = first_block
        for first, last, name in sorted(self._overlapping(first_block, last_block, query)):
            if last < block:
                continue
            if first > block:
                pieces.append((block, first - 1, ()))
            pieces.append((max(first, block), min(last, last_block), (name,)))
            block = last + 1
        if block <= last_block:
            pieces.append((block, last_block, ()))
        return pieces

    def _overlapping(
        self, first_block: int, last_block: int, query: LogQuery | None
    ) -> Iterator[tuple[int, int, str]]:
        for asked, first, last, name in self._gave:
            if first <= last_block and last >= first_block and query in (None, asked):
                yield first, last, name
