"""Registers what logs and views reveal: contracts to watch, feeds and tokens that are wanted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import Connection

from defirisk.core.adapter import (
    Adapter,
    Contract,
    Discovery,
    FeedWanted,
    TokenWanted,
    VenueWanted,
)
from defirisk.core.evm import Address
from defirisk.core.plugins import adapters
from defirisk.core.sources import OracleAdapter, VenueAdapter, WrapperAdapter
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
        match discovery:
            case FeedWanted():
                new += _want_feed(connection, owner.deployment.chain_id, discovery, block)
            case VenueWanted():
                new += _want_venue(connection, owner.deployment.chain_id, discovery, block)
            case TokenWanted(address=address):
                token = Contract(address=address, role=TOKEN_ROLE, first_block=block)
                new += _watch(connection, owner, token, block)
                new += _want_wrapper(connection, owner.deployment.chain_id, address, block)
            case _:
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


def _want_venue(connection: Connection, chain_id: int, wanted: VenueWanted, block: int) -> int:
    """Every kind of AMM is asked about a pool, unless a deployment of that kind has it already."""
    new = 0
    for stored, venue in _made_here(connection, chain_id):
        if isinstance(venue, VenueAdapter) and not _has(connection, venue.name, wanted.address):
            new += _watch(connection, stored, venue.pool(wanted), block)
    return new


def _want_wrapper(connection: Connection, chain_id: int, token: Address, block: int) -> int:
    """Every kind of wrapper is asked about a token, unless a deployment has it already."""
    new = 0
    for stored, kind in _made_here(connection, chain_id):
        if isinstance(kind, WrapperAdapter) and not _has(connection, kind.name, token):
            new += _watch(connection, stored, kind.wrapper(token, block), block)
    return new


def _made_here(connection: Connection, chain_id: int) -> list[tuple[StoredDeployment, Adapter]]:
    """The deployments that a run makes by itself, with their adapters."""
    known = adapters()
    return [
        (stored, known[stored.deployment.protocol])
        for stored in stored_deployments(connection)
        if stored.deployment.chain_id == chain_id
        and stored.deployment.protocol in known
        and stored.deployment.name == own_name(known[stored.deployment.protocol], chain_id)
    ]


def own_name(adapter: Adapter, chain_id: int) -> str:
    """What the deployment is called that a run makes by itself for a kind of source."""
    return f"{adapter.name}-{chain_id}"


def _has(connection: Connection, protocol: str, address: Address) -> bool:
    return any(
        contract.address == address
        for stored in stored_deployments(connection)
        if stored.deployment.protocol == protocol
        for contract in watched(connection, stored.id)
    )


def _watch(connection: Connection, owner: StoredDeployment, contract: Contract, block: int) -> int:
    return watch(connection, owner.id, [contract], block)
