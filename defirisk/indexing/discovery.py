"""Registers what logs and views reveal: contracts to watch, feeds and tokens that are wanted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import Connection

from defirisk.core.adapter import (
    Contract,
    Discovery,
    FeedWanted,
    OracleAdapter,
    TokenWanted,
)
from defirisk.core.plugins import adapters
from defirisk.store.registry import (
    StoredDeployment,
    stored_deployments,
    watch,
    watched,
)

TOKEN_ROLE = "erc20"
"""The role under which wanted tokens are kept among the watched contracts."""


def register(
    connection: Connection, owner: StoredDeployment, found: Iterable[Discovery], block: int
) -> int:
    """Stores discoveries made at `block`; returns how many of them are new."""
    new = 0
    for discovery in found:
        if isinstance(discovery, FeedWanted):
            new += _want_feed(connection, owner.deployment.chain_id, discovery, block)
        elif isinstance(discovery, TokenWanted):
            token = Contract(address=discovery.address, role=TOKEN_ROLE, first_block=block)
            new += _watch(connection, owner, token, block)
        else:
            new += _watch(connection, owner, discovery, block)
    return new


FEED_LOOK_BACK = 400_000
"""Blocks before a market's first that its feeds are read from: what a feed answered last before
the market began is its price until the next answer. More than a day on the fastest chains.
"""


def _want_feed(connection: Connection, chain_id: int, wanted: FeedWanted, block: int) -> int:
    new = 0
    for stored in stored_deployments(connection):
        oracle = adapters().get(stored.deployment.protocol)
        if stored.deployment.chain_id == chain_id and isinstance(oracle, OracleAdapter):
            earlier = replace(wanted, first_block=max(0, wanted.first_block - FEED_LOOK_BACK))
            new += _watch(connection, stored, oracle.feed(earlier), block)
    return new


def _watch(connection: Connection, owner: StoredDeployment, contract: Contract, block: int) -> int:
    known = {(c.address, c.role) for c in watched(connection, owner.id)}
    if (contract.address, contract.role) in known:
        return 0
    watch(connection, owner.id, [contract], block)
    return 1
