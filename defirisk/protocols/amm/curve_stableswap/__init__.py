"""Curve's StableSwap: plain pools of two to four coins that are worth about the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from defirisk.core.adapter import (
    Contract,
    Deployment,
    Discovery,
    Interface,
    Kind,
    Log,
    Proof,
    Snapshot,
    TokenWanted,
    View,
)
from defirisk.core.claim import Claim, Share
from defirisk.core.evm import ZERO_ADDRESS, Block
from defirisk.core.row import Row, State
from defirisk.core.venue import Venue
from defirisk.protocols import pools_found
from defirisk.protocols.amm.curve_stableswap import fold as folding
from defirisk.protocols.amm.curve_stableswap import pools, referee
from defirisk.protocols.amm.curve_stableswap.rows import (
    MOST_COINS,
    ROWS,
    Amplification,
    Balances,
    Pool,
)

_LISTED_AHEAD = 16
"""How many places of the factory's list are asked at once beyond those that are known."""

_POOL = {"fee": "fee_e10", "admin_fee": "admin_fee_e10"}
_AMPLIFICATION = {
    "initial_A": "initial_a",
    "future_A": "future_a",
    "initial_A_time": "initial_a_time",
    "future_A_time": "future_a_time",
}


class CurveStableSwap:
    """The adapter. What it does is in the files beside this one.

    A deployment may name a `factory` and single pools (`pool…`). The balances of a factory's pools
    follow from logs; those of others are read where a run ends.
    """

    name = "curve-stableswap"
    kind: Kind = "amm"
    version = 1
    proof: Proof = "executed"
    source = (
        "Plain4Basic, FactorySidechains v5.0.0: npm @perp/curie-deployments 2023.4.12-1681295833590"
    )
    required_contracts = ()
    rows: tuple[type[Row], ...] = ROWS
    interfaces: Mapping[str, Interface] = {
        "factory": Interface(abi="Curve.Factory", events={"Curve.Factory": folding.FACTORY_EVENTS}),
        "pool": Interface(
            abi="Curve.StableSwap",
            events={
                "Curve.StableSwap": folding.POOL_EVENTS,
                "Curve.Liquidity2": folding.LIQUIDITY_EVENTS,
                "Curve.Liquidity3": folding.LIQUIDITY_EVENTS,
                "Curve.Liquidity4": folding.LIQUIDITY_EVENTS,
            },
            untrusted=True,
        ),
        "listed": Interface(abi="Curve.StableSwap"),
        "candidate": Interface(abi="Curve.StableSwap"),
    }

    def roots(self, deployment: Deployment) -> Iterable[Discovery]:
        """The factory and the single pools."""
        return pools_found.named(deployment, "pool", "factory")

    pool = staticmethod(pools_found.candidate)

    def discover(self, deployment: Deployment, log: Log) -> Iterable[Discovery]:
        """The coins of a new pool. Which pool it is, the log does not say."""
        if log.event in folding.FACTORY_EVENTS:
            for coin in log.args["coins"]:
                if coin != ZERO_ADDRESS:
                    yield TokenWanted(address=coin)

    touches = staticmethod(folding.touches)
    fold = staticmethod(folding.fold)

    def views(self, contracts: Sequence[Contract]) -> Iterable[View]:
        """The factory's list, and all about pools that no factory told of."""
        listed = [contract for contract in contracts if contract.role == "listed"]
        for contract in contracts:
            if contract.role == "factory":
                for place in range(len(listed) + _LISTED_AHEAD):
                    yield View(contract, "pool_list", (place,))
                yield from (View(contract, "get_decimals", (pool.address,)) for pool in listed)
            elif contract.role == "candidate":
                yield View(contract, "A_precise")
            elif contract.role == "pool" and not contract.subject:
                yield from (View(contract, function) for function in (*_POOL, *_AMPLIFICATION))
                for place in range(MOST_COINS):
                    yield View(contract, "coins", (place,))
                    yield View(contract, "balances", (place,))

    def discover_view(self, view: View, answer: tuple[Any, ...] | None) -> Iterable[Discovery]:
        """What is on the factory's list, which of that is a plain pool, and a pool's coins.

        Its coins' decimals are told along with a pool, as its logs cannot be folded without them.
        """
        if answer is None:
            return
        contract = view.contract
        if view.function == "pool_list" and answer[0] != ZERO_ADDRESS:
            yield replace(contract, address=answer[0], role="listed")
        elif view.function == "get_decimals":
            decimals = [str(one) for one in answer[0] if one]
            if len(decimals) > 1:  # of a metapool only the first is stated
                subject = " ".join([contract.address, *decimals])
                yield replace(contract, address=view.args[0], role="pool", subject=subject)
        elif contract.role == "candidate":
            # What is folded of a pool is the sum of all its logs.
            yield Contract(address=contract.address, role="pool", first_block=0)
        elif view.function == "coins" and answer[0] != ZERO_ADDRESS:
            yield TokenWanted(address=answer[0])

    def observe(
        self, view: View, answer: tuple[Any, ...] | None, block: Block, state: State
    ) -> None:
        """Of pools that no factory told of: what they are made of holds since they were made, their
        balances and A only for now.
        """
        if view.contract.role != "pool" or answer is None:
            return
        address, function = view.contract.address, view.function
        changes: dict[str, Any]
        if function == "balances":
            changes = {f"balance{view.args[0]}": answer[0], "grade": "read"}
            state.put(replace(state.get(Balances, address), **changes))
        elif function in _AMPLIFICATION:
            changes = {_AMPLIFICATION[function]: answer[0]}
            state.put(replace(state.get(Amplification, address), **changes))
        else:
            name = f"coin{view.args[0]}" if function == "coins" else _POOL[function]
            changes = {name: answer[0]}
            state.amend(replace(state.get(Pool, address), **changes))

    def venues(self, snapshot: Snapshot) -> Iterable[Venue]:
        """Every pool that can be computed with."""
        return [pools.venue_of(snapshot, now) for now in pools.pools_now(snapshot)]

    def claims(self, snapshot: Snapshot) -> Iterable[Claim]:
        """What an LP token of each pool is worth."""
        return [
            pools.claim_of(now)
            for now in pools.pools_now(snapshot)
            if now.balances.total_supply_raw
        ]

    def shares(self, snapshot: Snapshot) -> Iterable[Share]:
        """Every account's LP tokens."""
        return pools.shares(snapshot)

    questions = staticmethod(referee.questions)
    findings = staticmethod(referee.findings)


ADAPTER = CurveStableSwap()
