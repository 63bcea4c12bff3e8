"""Events that put other code in place.

Source: `IPoolAddressesProvider` and the ERC-1967 proxies of @aave/core-v3 1.19.3 and
@aave-dao/aave-v3-origin 3.6.0. An event names the code, not its revision: that is a constant of the
code, asked of it before anything is folded. The provider is then watched once more, in the role of
the generation, from the block on in which that code came.
"""

from __future__ import annotations

from dataclasses import replace

from defirisk.core.adapter import Log
from defirisk.core.row import State
from defirisk.protocols.lending.aave_v3.fold.events import Handler, On, Touched, of_contract
from defirisk.protocols.lending.aave_v3.generation import GENERATIONS, Generation, generation_of
from defirisk.protocols.lending.aave_v3.rows import THE_POOL, Implementation, PoolCode

POOL_CODE: Touched = [(PoolCode, (THE_POOL,))]


def generation_in_force(state: State) -> Generation:
    """Whose rules the log that is being folded follows."""
    return generation_of(state.get(PoolCode, THE_POOL).since_revision)


def _upgraded(log: Log, state: State) -> None:
    # The revision of the new code is not in the event: unknown until it is read.
    state.put(
        Implementation(
            proxy=log.contract.address,
            role=log.contract.role,
            implementation=log.args["implementation"],
        )
    )


def _pool_updated(log: Log, state: State) -> None:
    state.put(
        Implementation(
            proxy=log.contract.subject, role=THE_POOL, implementation=log.args["newAddress"]
        )
    )


def _follows(generation: Generation) -> Handler:
    def handle(_: Log, state: State) -> None:
        code = state.get(PoolCode, THE_POOL)
        # Every generation so far hears of an update; revisions only grow.
        since = max(code.since_revision, generation.since_revision)
        first = code.first_revision or since
        state.put(replace(code, since_revision=since, first_revision=first))

    return handle


def _pool(log: Log) -> Touched:
    return [(Implementation, (log.contract.subject,))]


PROXY_EVENTS = {"Upgraded": On(of_contract(Implementation), _upgraded)}
PROVIDER_EVENTS = {"PoolUpdated": On(_pool, _pool_updated)}
GENERATION_EVENTS = {
    generation.role: {"PoolUpdated": On(lambda _: POOL_CODE, _follows(generation))}
    for generation in GENERATIONS
}
