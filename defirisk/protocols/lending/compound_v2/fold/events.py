"""How an event is stated: which keys it needs, and what it does to their rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from defirisk.core.adapter import Log
from defirisk.core.row import Key, Row, State

Touched = list[tuple[type[Row], Key]]
Keys = Callable[[Log], Touched]
Handler = Callable[[Log, State], None]


class On(NamedTuple):
    """What happens on one event."""

    keys: Keys
    apply: Handler


def by(row_type: type[Row], *names: str) -> Keys:
    """The row whose key is made of these arguments of the event."""
    return lambda log: [(row_type, tuple(log.args[name] for name in names))]


def of_contract(row_type: type[Row]) -> Keys:
    """The row whose key is the address of the contract that emitted the event."""
    return lambda log: [(row_type, (log.contract.address,))]
