"""A deployment at one block, as its adapter is given it."""

from __future__ import annotations

from sqlalchemy import Connection

from defirisk.core.adapter import Adapter, Answer, MarketAdapter, OracleAdapter, Snapshot
from defirisk.core.errors import StoreError, UsageError
from defirisk.core.evm import Address, Block, BlockTag
from defirisk.core.plugins import adapter, adapters, nearest
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
    markets = [
        stored
        for stored in stored_deployments(connection)
        if isinstance(adapters().get(stored.deployment.protocol), MarketAdapter)
    ]
    if not markets:
        raise StoreError("nothing is indexed yet: run defirisk index first")
    if not names:
        return markets
    chosen: list[StoredDeployment] = []
    for name in names:
        matching = [m for m in markets if name in (m.deployment.name, m.deployment.protocol)]
        if not matching:
            known = {m.deployment.name for m in markets} | {m.deployment.protocol for m in markets}
            raise UsageError(f"nothing called {name!r} is indexed: {nearest(name, known)}")
        chosen += [m for m in matching if m not in chosen]
    return chosen


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


def snapshot(connection: Connection, stored: StoredDeployment, block: Block) -> Snapshot:
    """What an adapter may know of its deployment at `block`."""
    _refuse_unfinished(stored, block.number)
    chain_id = stored.deployment.chain_id
    known = stored_tokens(connection, chain_id)
    return Snapshot(
        deployment=stored.deployment,
        block=block,
        rows=StoredRows(connection, stored.id, block.number),
        tokens={a: token for a, token in known.items() if 0 <= token.decimals <= MAX_DECIMALS},
        answers=answers(connection, chain_id, block),
    )


def answers(connection: Connection, chain_id: int, block: Block) -> dict[Address, Answer]:
    """What every indexed feed of a chain says at `block`."""
    found: dict[Address, Answer] = {}
    for stored in stored_deployments(connection):
        oracle = adapter(stored.deployment.protocol)
        if stored.deployment.chain_id == chain_id and isinstance(oracle, OracleAdapter):
            if _is_new(stored, oracle):
                continue
            _refuse_unfinished(stored, block.number)
            rows = StoredRows(connection, stored.id, block.number)
            found |= oracle.answers(
                Snapshot(
                    deployment=stored.deployment, block=block, rows=rows, tokens={}, answers={}
                )
            )
    return found


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
