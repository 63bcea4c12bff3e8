"""Logs of an Aave v3 market, applied to its rows."""

from __future__ import annotations

from defirisk.core.adapter import Log
from defirisk.core.row import State
from defirisk.protocols.lending.aave_v3.fold import addresses, code, configurator, pool, tokens
from defirisk.protocols.lending.aave_v3.fold.events import On, Touched

EVENTS: dict[str, dict[str, On]] = {
    "pool": pool.EVENTS | code.PROXY_EVENTS,
    "pool_configurator": configurator.EVENTS | code.PROXY_EVENTS,
    "a_token": tokens.A_TOKEN_EVENTS | code.PROXY_EVENTS,
    "variable_debt_token": tokens.VARIABLE_DEBT_TOKEN_EVENTS | code.PROXY_EVENTS,
    "oracle": addresses.ORACLE_EVENTS,
    "pool_addresses_provider": addresses.PROVIDER_EVENTS | code.PROVIDER_EVENTS,
    **code.GENERATION_EVENTS,
}
"""What happens on every event that matters, by the role of the contract that emits it."""


def touches(log: Log) -> Touched:
    """The keys that `fold` reads or writes for a log."""
    return EVENTS[log.contract.role][log.event].keys(log)


def fold(log: Log, state: State) -> None:
    """Applies a log to the rows it touches."""
    EVENTS[log.contract.role][log.event].apply(log, state)
