"""How pools of every kind of AMM are found: named by a deployment, made by a factory, or wanted.

A wanted pool is a candidate without events until it has answered as one of the kind does, so that a
stranger's logs are never fetched.
"""

from __future__ import annotations

from collections.abc import Iterator

from defirisk.core.adapter import (
    Contract,
    Deployment,
    Discovery,
    Log,
    TokenWanted,
    VenueWanted,
)

CANDIDATE = "candidate"


def candidate(wanted: VenueWanted) -> Contract:
    """A contract that is asked whether it is a pool."""
    return Contract(address=wanted.address, role=CANDIDATE, first_block=wanted.first_block)


def named(deployment: Deployment, pool: str, *others: str) -> Iterator[Contract]:
    """The single pools (roles that begin with "pool"), under the role `pool`, and contracts of
    these other roles.
    """
    for role, address in deployment.contracts.items():
        watched = pool if role.startswith("pool") else role
        if watched in (pool, *others):
            yield Contract(address=address, role=watched, first_block=deployment.first_block)


def created(log: Log, pool: str, role: str) -> Iterator[Discovery]:
    """The pool of two tokens that a factory's log names in its argument `pool`, and the tokens."""
    yield Contract(
        address=log.args[pool],
        role=role,
        first_block=log.block_number,
        subject=log.contract.address,
    )
    yield TokenWanted(address=log.args["token0"])
    yield TokenWanted(address=log.args["token1"])
