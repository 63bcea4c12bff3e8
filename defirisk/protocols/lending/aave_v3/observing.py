"""What logs cannot say: revisions of code, prices as the oracle states them, uncounted cash, and
the parameters of a strategy of v3.0.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from defirisk.core.adapter import Contract, Discovery, View
from defirisk.core.row import State
from defirisk.protocols.lending.aave_v3.generation import GENERATIONS, generation_of
from defirisk.protocols.lending.aave_v3.rows import (
    Donation,
    Implementation,
    InterestRateStrategy,
    Price,
    Reserve,
)

POOL_IMPLEMENTATION = "pool_implementation"
UNDERLYING = "underlying"
INTEREST_RATE_STRATEGY = "interest_rate_strategy"
REVISION = {
    "pool": "POOL_REVISION",
    POOL_IMPLEMENTATION: "POOL_REVISION",
    "pool_configurator": "CONFIGURATOR_REVISION",
    "a_token": "ATOKEN_REVISION",
    "variable_debt_token": "DEBT_TOKEN_REVISION",
}
"""Which constant states the revision of the code behind, or in, a contract of a role."""
PARAMETER = {
    "OPTIMAL_USAGE_RATIO": "optimal_usage_ray",
    "getBaseVariableBorrowRate": "base_rate_ray",
    "getVariableRateSlope1": "slope1_ray",
    "getVariableRateSlope2": "slope2_ray",
}
"""Immutables of `DefaultReserveInterestRateStrategy` (@aave/core-v3 1.19.3), by their getters."""


def views(contracts: Sequence[Contract]) -> Iterable[View]:
    """Every revision; every price; what aTokens hold where the Pool does not count its cash, and
    the parameters of rates there: from v3.1 on, which counts it, events state them.
    """
    oracles = [contract for contract in contracts if contract.role == "oracle"]
    roles = {contract.role for contract in contracts}
    known = [generation for generation in GENERATIONS if generation.role in roles]
    uncounted = bool(known) and not known[-1].virtual_balance
    for contract in contracts:
        if contract.role in REVISION:
            yield View(contract, REVISION[contract.role])
        if contract.role == "a_token":
            # An oracle that was replaced goes on answering: rows tell them apart.
            yield from (View(one, "getAssetPrice", (contract.subject,)) for one in oracles)
            if uncounted:
                asset = Contract(address=contract.subject, role=UNDERLYING, first_block=0)
                yield View(asset, "balanceOf", (contract.address,))
        if contract.role == INTEREST_RATE_STRATEGY and uncounted:
            yield from (View(contract, getter) for getter in PARAMETER)


def reveal(view: View, answer: tuple[Any, ...] | None) -> Iterable[Discovery]:
    """The addresses provider in the role of the generation that a new Pool belongs to."""
    code = view.contract
    if code.role == POOL_IMPLEMENTATION and answer:
        role = generation_of(answer[0]).role
        yield Contract(address=code.subject, role=role, first_block=code.first_block)


def observe(view: View, answer: tuple[Any, ...] | None, state: State) -> None:
    """A revision holds since the code was put there, a strategy's parameters hold for ever; price
    and cash are only known for now.
    """
    contract, said = view.contract, answer[0] if answer else None
    if view.function == "getAssetPrice":
        state.put(Price(oracle=contract.address, asset=view.args[0], price_raw=said or 0))
    elif contract.role == UNDERLYING:
        _observe_cash(contract.address, said, state)
    elif contract.role == INTEREST_RATE_STRATEGY:
        if answer:
            changes: dict[str, Any] = {PARAMETER[view.function]: said}
            state.amend(replace(state.get(InterestRateStrategy, contract.address), **changes))
    elif contract.role != POOL_IMPLEMENTATION:
        known = state.get(Implementation, contract.address)
        state.amend(
            Implementation(
                proxy=contract.address,
                role=contract.role,
                implementation=known.implementation,
                revision=-1 if said is None else said,
            )
        )


def _observe_cash(asset: str, held: int | None, state: State) -> None:
    counted = state.get(Reserve, asset).virtual_underlying_raw
    donated = 0 if held is None else held - counted
    if donated != state.get(Donation, asset).amount_raw:
        state.put(Donation(asset=asset, amount_raw=donated))
