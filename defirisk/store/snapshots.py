"""A deployment at one block, as its adapter is given it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from sqlalchemy import Connection

from defirisk.core.adapter import Adapter, Answer, MarketAdapter, Refereed, Snapshot
from defirisk.core.errors import StoreError, UsageError
from defirisk.core.evm import Address, Block, BlockTag
from defirisk.core.plugins import adapter, adapters, nearest
from defirisk.core.sources import (
    ClaimAdapter,
    HasVenues,
    HoldsShares,
    OracleAdapter,
    Sources,
    VenueAdapter,
    WrapperAdapter,
)
from defirisk.store.derived import StoredRows
from defirisk.store.raw import block_at, last_block
from defirisk.store.registry import (
    StoredChain,
    StoredDeployment,
    find_chain,
    stored_deployments,
    stored_tokens,
)

MAX_DECIMALS = 77  # 10^78 does not fit into 256 bits


def market_deployments(connection: Connection, names: tuple[str, ...]) -> list[StoredDeployment]:
    """The stored deployments of these names; a protocol's name stands for all of its own.

    No name stands for every deployment in which positions are held.
    """
    return _named(connection, names, lambda its: isinstance(its, MarketAdapter))


def _named(
    connection: Connection, names: tuple[str, ...], meant: Callable[[Adapter | None], bool]
) -> list[StoredDeployment]:
    known = adapters()
    every = stored_deployments(connection)
    mine = [s for s in every if meant(known.get(s.deployment.protocol))]
    if not mine:
        raise StoreError("nothing is indexed yet: run defirisk index first")
    if not names:
        return mine
    chosen: list[StoredDeployment] = []
    for name in names:
        matching = [m for m in mine if name in (m.deployment.name, m.deployment.protocol)]
        if not matching:
            offered = {m.deployment.name for m in mine} | {m.deployment.protocol for m in mine}
            raise UsageError(f"nothing called {name!r} is indexed: {nearest(name, offered)}")
        chosen += [m for m in matching if m not in chosen]
    return chosen


def refereed_deployments(connection: Connection, names: tuple[str, ...]) -> list[StoredDeployment]:
    """As `market_deployments`, with pools, feeds and vaults that contracts can be asked about."""
    return _named(connection, names, lambda its: isinstance(its, Refereed))


def shared_deployments(connection: Connection, names: tuple[str, ...]) -> list[StoredDeployment]:
    """As `market_deployments`: those whose shares somebody holds, vaults and pools."""
    return _named(connection, names, lambda its: isinstance(its, HoldsShares))


def stored_block(connection: Connection, chain_id: int, ref: int | BlockTag | None) -> Block:
    """The header of a block up to which everything is verified.

    None, "latest" and "safe" are the last of them, "finalized" the last that is final.
    """
    chain = find_chain(connection, chain_id)
    if chain is None:
        raise StoreError(f"chain {chain_id} was never indexed: run defirisk index first")
    if ref == "finalized":
        return _last_final(connection, chain)
    wanted = ref if isinstance(ref, int) else chain.verified_to
    if wanted > chain.verified_to:
        raise UsageError(
            f"block {wanted} is not indexed yet, the store ends at {chain.verified_to}: "
            f"run defirisk index --to-block {wanted}"
        )
    block = block_at(connection, chain_id, wanted)
    if block is None:
        raise UsageError(
            f"block {wanted} holds no log of what is indexed and its time was not stored: "
            "choose the block of a run or of a log (see defirisk status)"
        )
    return block


def _last_final(connection: Connection, chain: StoredChain) -> Block:
    final = -1 if chain.finalized is None else min(chain.finalized, chain.verified_to)
    block = last_block(connection, chain.chain_id, before=final + 1)
    if block is None:
        raise StoreError(
            f"no stored block of chain {chain.chain_id} is known to be final: "
            "index again, or leave out --block"
        )
    return block


def snapshot(
    connection: Connection,
    stored: StoredDeployment,
    block: Block,
    sources: Sources | None = None,
) -> Snapshot:
    """What an adapter may know of its deployment at `block`.

    `sources` saves making them again where several deployments of a chain are looked at.
    """
    _refuse_unfinished(stored, block.number)
    found = sources or sources_at(connection, stored.deployment.chain_id, block)
    return Snapshot(
        deployment=stored.deployment,
        block=block,
        rows=StoredRows(connection, stored.id, block.number),
        tokens=found.tokens,
        answers=found.answers,
        venues=found.venues,
        claims=found.claims,
    )


MAX_FEED_DEPTH = 6
"""Feeds made of feeds made of feeds: deeper than this nobody builds them."""


def sources_at(connection: Connection, chain_id: int, block: Block) -> Sources:
    """Pools first, then what tokens are claims on, then feeds: each is made of those before it."""
    known = stored_tokens(connection, chain_id)
    found = Sources(tokens={a: t for a, t in known.items() if 0 <= t.decimals <= MAX_DECIMALS})
    ready = [
        stored
        for stored in stored_deployments(connection)
        if stored.deployment.chain_id == chain_id and _is_ready(stored, block.number)
    ]
    pairs = [(adapter(stored.deployment.protocol), stored) for stored in ready]
    for its, stored in pairs:
        if isinstance(its, HasVenues):
            venues = its.venues(snapshot(connection, stored, block, found))
            found.venues |= {venue.address: venue for venue in venues}
    for its, stored in pairs:
        if isinstance(its, ClaimAdapter):
            claims = its.claims(snapshot(connection, stored, block, found))
            issuer = stored.deployment.name
            found.claims |= {claim.token: replace(claim, issuer=issuer) for claim in claims}
    oracles = [(its, stored) for its, stored in pairs if isinstance(its, OracleAdapter)]
    for _ in range(MAX_FEED_DEPTH):
        before = dict(found.answers)
        for oracle, stored in oracles:
            _add_answers(found, oracle.answers(snapshot(connection, stored, block, found)))
        if found.answers == before:
            break
    return found


def _add_answers(found: Sources, answers: Mapping[Address, Answer]) -> None:
    """A feed that says what it is made of is better known than one that only answers."""
    for feed, answer in answers.items():
        known = found.answers.get(feed)
        if known is None or known.program is None or answer.program is not None:
            found.answers[feed] = answer


def _is_ready(stored: StoredDeployment, number: int) -> bool:
    """Whether what is needed of it can be used: markets are looked at one by one, by name."""
    its = adapter(stored.deployment.protocol)
    source = isinstance(its, OracleAdapter | VenueAdapter | WrapperAdapter)
    if not source and not isinstance(its, HasVenues | ClaimAdapter):
        return False
    if _is_new(stored, its) or (not source and stored.folded_to < number):
        return False
    _refuse_unfinished(stored, number)
    return True


def _is_new(stored: StoredDeployment, its: Adapter) -> bool:
    """Whether a first run was cut off before anything was folded."""
    folded = stored.folded_to >= stored.deployment.first_block
    return not folded and stored.adapter_version == its.version


def _refuse_unfinished(stored: StoredDeployment, number: int) -> None:
    """Rows that are being made again, or that other code made, are no answer at a block."""
    name = stored.deployment.name
    if stored.adapter_version != adapter(stored.deployment.protocol).version:
        raise StoreError(
            f"{name} was indexed by another version of defirisk: run defirisk index to renew it"
        )
    if stored.folded_to < number:
        raise StoreError(
            f"{name} is only complete to block {stored.folded_to}, the last run was cut off: "
            "run defirisk index again"
        )
