"""What logs cannot say of a Compound v2 market, read where a run ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from defirisk.core.adapter import Contract, View
from defirisk.core.row import State
from defirisk.protocols.lending.compound_v2.rows import (
    CToken,
    CTokenConstants,
    Implementation,
    Price,
    RateModelConstants,
    RatesRead,
)

GENERATION = {"comptroller": "compSupplySpeeds", "c_token": "protocolSeizeShareMantissa"}
"""A getter that came with the code our numbers were compared with, by role: older code has none."""
_RATES = {
    "borrowRatePerBlock": "borrow_rate_per_block_mantissa",
    "supplyRatePerBlock": "supply_rate_per_block_mantissa",
}


def views(contracts: Sequence[Contract]) -> Iterator[View]:
    """Constants, cash and rates of every cToken, and its price by every oracle there was."""
    oracles = [contract for contract in contracts if contract.role == "price_oracle"]
    for contract in contracts:
        if contract.role == "comptroller":
            yield View(contract, GENERATION["comptroller"], (contract.address,))
        elif contract.role == "interest_rate_model":
            yield View(contract, "blocksPerYear")
        elif contract.role == "c_token":
            for function in ("underlying", "exchangeRateStored", "getCash", *_RATES):
                yield View(contract, function)
            yield View(contract, GENERATION["c_token"])
            yield from (View(one, "getUnderlyingPrice", (contract.address,)) for one in oracles)


def observe(view: View, answer: tuple[Any, ...] | None, state: State) -> None:
    """A constant holds since the cToken was made; cash, rates and prices are known for now."""
    address, function = view.contract.address, view.function
    if function == "getUnderlyingPrice":
        said = answer[0] if answer else -1
        state.put(Price(price_oracle=address, c_token=view.args[0], price_mantissa=said))
    elif function in GENERATION.values():
        known = state.get(Implementation, address)
        state.amend(replace(known, role=view.contract.role, proven=answer is not None))
    elif function == "blocksPerYear" and answer:
        state.amend(RateModelConstants(model=address, blocks_per_year=answer[0]))
    elif function in _RATES and answer:
        changes: dict[str, Any] = {_RATES[function]: answer[0]}
        state.put(replace(state.get(RatesRead, address), **changes))
    elif function == "underlying":
        constants = state.get(CTokenConstants, address)
        underlying = answer[0] if answer else constants.underlying
        state.amend(replace(constants, underlying=underlying, native=answer is None))
    elif function == "exchangeRateStored" and answer:
        if state.get(CToken, address).total_supply_raw == 0:
            constants = state.get(CTokenConstants, address)
            state.amend(replace(constants, initial_exchange_rate_mantissa=answer[0]))
    elif function == "getCash" and answer:
        token = state.get(CToken, address)
        if token.cash_raw != answer[0]:
            state.put(replace(token, cash_raw=answer[0], cash_read=True))
