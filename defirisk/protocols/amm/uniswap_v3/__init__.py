"""Uniswap v3 and its forks: liquidity in ranges of ticks, and pools that remember their prices."""

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
from defirisk.core.claim import Share
from defirisk.core.evm import Block
from defirisk.core.row import Row, State
from defirisk.core.venue import Venue
from defirisk.protocols import pools_found
from defirisk.protocols.amm.uniswap_v3 import fold as folding
from defirisk.protocols.amm.uniswap_v3 import pools, referee
from defirisk.protocols.amm.uniswap_v3.rows import ROWS, Pool
from defirisk.protocols.amm.uniswap_v3.tokens import MANAGER_EVENTS

_CONSTANTS = {
    "factory": "factory",
    "token0": "token0",
    "token1": "token1",
    "fee": "fee",
    "tickSpacing": "tick_spacing",
}


class UniswapV3:
    """The adapter. What it does is in the files beside this one.

    A deployment may name a `factory`, whose pools are found by its logs, single pools (`pool…`),
    the `position_manager` whose tokens are ranges, and a `quoter`, which ours are compared with.
    """

    name = "uniswap-v3"
    kind: Kind = "amm"
    version = 1
    proof: Proof = "executed"
    source = "npm @uniswap/v3-core 1.0.1, @uniswap/v3-periphery 1.4.4"
    required_contracts = ()
    rows: tuple[type[Row], ...] = ROWS
    interfaces: Mapping[str, Interface] = {
        "factory": Interface(
            abi="UniswapV3.Factory", events={"UniswapV3.Factory": folding.FACTORY_EVENTS}
        ),
        "pool": Interface(
            abi="UniswapV3.Pool", events={"UniswapV3.Pool": folding.POOL_EVENTS}, untrusted=True
        ),
        "candidate": Interface(abi="UniswapV3.Pool"),
        "position_manager": Interface(
            abi="UniswapV3.PositionManager", events={"UniswapV3.PositionManager": MANAGER_EVENTS}
        ),
        "quoter": Interface(abi="UniswapV3.QuoterV2"),
    }

    def roots(self, deployment: Deployment) -> Iterable[Discovery]:
        """The factory, the position manager and the single pools."""
        return pools_found.named(deployment, "pool", "factory", "position_manager")

    pool = staticmethod(pools_found.candidate)

    def discover(self, deployment: Deployment, log: Log) -> Iterable[Discovery]:
        """A new pool and its tokens."""
        return pools_found.created(log, "pool", "pool") if log.event == "PoolCreated" else ()

    touches = staticmethod(folding.touches)
    fold = staticmethod(folding.fold)

    def views(self, contracts: Sequence[Contract]) -> Iterable[View]:
        """All about pools that no factory told of; the others follow from logs alone."""
        for contract in contracts:
            if contract.role == "candidate":
                yield View(contract, "slot0")
            elif contract.role == "pool" and not contract.subject:
                yield from (View(contract, function) for function in _CONSTANTS)

    def discover_view(self, view: View, answer: tuple[Any, ...] | None) -> Iterable[Discovery]:
        """That a candidate is a pool, and its tokens.

        A pool is read from the chain's first block on: its ticks are the sum of all its logs.
        """
        if answer is None:
            return
        if view.contract.role == "candidate":
            yield Contract(address=view.contract.address, role="pool", first_block=0)
        elif view.function in ("token0", "token1"):
            yield TokenWanted(address=answer[0])

    def observe(
        self, view: View, answer: tuple[Any, ...] | None, block: Block, state: State
    ) -> None:
        """What a pool is made of holds since it was made."""
        if view.contract.role == "pool" and answer is not None:
            changes: dict[str, Any] = {_CONSTANTS[view.function]: answer[0]}
            state.amend(replace(state.get(Pool, view.contract.address), **changes))

    def venues(self, snapshot: Snapshot) -> Iterable[Venue]:
        """Every pool whose tokens can be counted and whose logs are complete."""
        return [venue for _, venue in pools.countable(snapshot)]

    def shares(self, snapshot: Snapshot) -> Iterable[Share]:
        """Every range that is not empty."""
        return pools.shares(snapshot)

    questions = staticmethod(referee.questions)
    findings = staticmethod(referee.findings)


ADAPTER = UniswapV3()
