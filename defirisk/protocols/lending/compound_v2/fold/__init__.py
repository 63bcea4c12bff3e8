"""Logs of a Compound v2 market, applied to its rows."""

from __future__ import annotations

from defirisk.core.adapter import Log
from defirisk.core.row import State
from defirisk.protocols.lending.compound_v2.fold import c_token, comptroller, sources
from defirisk.protocols.lending.compound_v2.fold.events import On, Touched

EVENTS: dict[str, dict[str, On]] = {
    "comptroller": comptroller.EVENTS | sources.PROXY_EVENTS,
    "c_token": c_token.EVENTS | sources.PROXY_EVENTS,
    "interest_rate_model": sources.MODEL_EVENTS,
    "price_oracle": sources.ORACLE_EVENTS,
}
"""What happens on every event that matters, by the role of the contract that emits it."""


def touches(log: Log) -> Touched:
    """The keys that `fold` reads or writes for a log."""
    return EVENTS[log.contract.role][log.event].keys(log)


def fold(log: Log, state: State) -> None:
    """Applies a log to the rows it touches."""
    EVENTS[log.contract.role][log.event].apply(log, state)
