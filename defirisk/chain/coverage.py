"""Which log queries a recording can answer: block intervals per address and first topic."""

from __future__ import annotations

from collections.abc import Iterable

from defirisk.core.evm import Address, LogQuery

Interval = tuple[int, int]
# None as topic: logs with any first topic were asked for.
Key = tuple[Address, bytes | None]


class Coverage:
    """Intervals are inclusive, disjoint, ascending, and never touch."""

    def __init__(self) -> None:
        self._intervals: dict[Key, tuple[Interval, ...]] = {}

    def add(self, query: LogQuery, first_block: int, last_block: int) -> None:
        """The query was answered for every block of the range."""
        for address in query.addresses:
            for topic in query.topics0 or (None,):
                self.extend((address.lower(), topic), [(first_block, last_block)])

    def extend(self, key: Key, intervals: Iterable[Interval]) -> None:
        """Add intervals of one address and topic."""
        self._intervals[key] = _united([*self._intervals.get(key, ()), *intervals])

    def merge(self, other: Coverage) -> None:
        """Add all that another one covers."""
        for key, intervals in other._intervals.items():
            self.extend(key, intervals)

    def first_gap(self, query: LogQuery, first_block: int, last_block: int) -> str | None:
        """What of a query was never recorded, in words; None where it all was."""
        for address in query.addresses:
            for topic in query.topics0 or (None,):
                block = self._first_missing(address.lower(), topic, first_block)
                if block <= last_block:
                    shown = "any topic" if topic is None else f"topic 0x{topic.hex()}"
                    return f"logs of {address} with {shown} at block {block}"
        return None

    def _first_missing(self, address: Address, topic: bytes | None, block: int) -> int:
        keys: set[Key] = {(address, topic), (address, None)}
        intervals = _united(i for key in keys for i in self._intervals.get(key, ()))
        for first, last in intervals:
            if first <= block <= last:
                return last + 1
        return block

    def groups(self) -> list[tuple[tuple[Interval, ...], list[Address], list[bytes] | None]]:
        """The same coverage in few entries (intervals, addresses, topics), in a fixed order."""
        topics: dict[tuple[tuple[Interval, ...], Address], list[bytes]] = {}
        addresses: dict[tuple[tuple[Interval, ...], tuple[bytes, ...] | None], list[Address]] = {}
        for (address, topic), intervals in self._intervals.items():
            if topic is None:
                addresses.setdefault((intervals, None), []).append(address)
            else:
                topics.setdefault((intervals, address), []).append(topic)
        for (intervals, address), found in topics.items():
            addresses.setdefault((intervals, tuple(sorted(found))), []).append(address)
        entries = [
            (intervals, sorted(found), None if shared is None else list(shared))
            for (intervals, shared), found in addresses.items()
        ]
        return sorted(entries, key=lambda entry: (entry[0], entry[1], entry[2] or []))


def _united(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    united: list[Interval] = []
    for first, last in sorted(intervals):
        if united and first <= united[-1][1] + 1:
            united[-1] = (united[-1][0], max(united[-1][1], last))
        else:
            united.append((first, last))
    return tuple(united)
