"""What no log says of Perps V2, read where a run ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from defirisk.core.adapter import Contract, View
from defirisk.core.evm import ZERO_ADDRESS
from defirisk.core.row import Rows, State
from defirisk.protocols.perps.synthetix_perps_v2.rows import (
    Aggregator,
    MarketCode,
    NamedAddress,
    RateRead,
)

ROUTES = "getAllTargets"


def views(contracts: Sequence[Contract]) -> Iterator[View]:
    """Whether every market is one of Perps V2."""
    for contract in contracts:
        if contract.role == "market":
            yield View(contract, ROUTES)


def views_of_rows(contracts: Sequence[Contract], rows: Rows) -> Iterator[View]:
    """For every feed of the ExchangeRates in force: its last rate, and whether it was refused."""
    known = {contract.address: contract for contract in contracts}
    rates = known.get(_named(rows, "ExchangeRates"))
    breaker = known.get(_named(rows, "CircuitBreaker"))
    if rates is None or breaker is None:
        return
    for row in rows.all(Aggregator):
        if row.exchange_rates == rates.address and row.feed != ZERO_ADDRESS:
            yield View(breaker, "lastValue", (row.feed,))
            yield View(breaker, "circuitBroken", (row.feed,))


def _named(rows: Rows, name: str) -> str:
    found = rows.find(NamedAddress, name)
    return found.address if found else ZERO_ADDRESS


_FIELDS = {"lastValue": "last_value_wad", "circuitBroken": "circuit_broken"}


def observe(view: View, answer: tuple[Any, ...] | None, state: State) -> None:
    """What a market is holds since it was made, a rate until the next trade."""
    if view.function == ROUTES:
        state.amend(MarketCode(market=view.contract.address, routed=bool(answer and answer[0])))
        return
    if answer is None or view.function not in _FIELDS:
        return
    row = state.get(RateRead, view.args[0])
    changes: dict[str, Any] = {_FIELDS[view.function]: answer[0]}
    state.put(replace(row, **changes))
