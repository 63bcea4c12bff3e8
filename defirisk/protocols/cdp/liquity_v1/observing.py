"""What no log of a Liquity v1 says: its parameters, and which feed it reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from typing import Any

from defirisk.core.adapter import Contract, View
from defirisk.core.evm import ZERO_ADDRESS
from defirisk.core.row import State
from defirisk.protocols.cdp.liquity_v1.rows import Aggregator, PriceRead, SystemParameters

_GAS_COMPENSATION = {"ZUSD_GAS_COMPENSATION": "ZUSD", "LUSD_GAS_COMPENSATION": "LUSD"}
"""Which of them answers says by what name the getters call the debt."""
OWNED = {
    "PERCENT_DIVISOR": "percent_divisor",
    "BORROWING_FEE_FLOOR": "borrowing_fee_floor_wad",
    "REDEMPTION_FEE_FLOOR": "redemption_fee_floor_wad",
    "MAX_BORROWING_FEE": "max_borrowing_fee_wad",
}
"""Constants of the manager in Liquity, elsewhere in a contract whose owner can change them."""
OF_MANAGER = {"MCR": "mcr_wad", "CCR": "ccr_wad", "MIN_NET_DEBT": "min_net_debt_raw"}
BASE_PARAMS = "liquityBaseParams"


def views(contracts: Sequence[Contract]) -> Iterator[View]:
    """All parameters, the feed behind every price feed, and what that answers."""
    for contract in contracts:
        if contract.role == "trove_manager":
            for function in (BASE_PARAMS, *_GAS_COMPENSATION, *OF_MANAGER, *OWNED):
                yield View(contract, function)
        elif contract.role == "base_params":
            yield from (View(contract, function) for function in OWNED)
        elif contract.role == "price_feed":
            yield View(contract, "priceAggregator")
            yield View(contract, "fetchPrice")
        elif contract.role == "external_price_feed":
            yield View(contract, "priceAggregator")


def observe(view: View, answer: tuple[Any, ...] | None, state: State) -> None:
    """A parameter is supposed to have been so ever since, until another one is read."""
    contract, function = view.contract, view.function
    manager = contract.subject or contract.address
    if function == "fetchPrice":
        state.put(PriceRead(price_feed=contract.address, price_wad=answer[0] if answer else -1))
    elif answer is None:
        return
    elif function == "priceAggregator":
        state.amend(Aggregator(contract=contract.address, aggregator=answer[0]))
    elif function == BASE_PARAMS:
        _learn(state, manager, base_params=answer[0])
    elif function in _GAS_COMPENSATION:
        name = _GAS_COMPENSATION[function]
        _learn(state, manager, debt_name=name, gas_compensation_raw=answer[0])
    else:
        _learn(state, manager, **{(OF_MANAGER | OWNED)[function]: answer[0]})


def _learn(state: State, manager: str, **changes: Any) -> None:
    known = state.get(SystemParameters, manager)
    unknown = {field.name: field.default for field in fields(known)}
    row = replace(known, **changes)
    if row == known:
        return
    if all(getattr(known, name) in (unknown[name], ZERO_ADDRESS) for name in changes):
        state.amend(row)
    else:
        state.put(row)
