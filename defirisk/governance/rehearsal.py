"""The payload executed on a fork by the real contracts, and the fork indexed again.

Everything here does I/O. The store that is made is a temporary one, and the URL is told to nobody.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from defirisk.chain.fork.anvil import find_anvil, version
from defirisk.chain.fork.node import Fork, fork
from defirisk.chain.rpc import RpcChainReader
from defirisk.chain.transport import TransportSettings
from defirisk.contagion.screen import liquidatable_units
from defirisk.contagion.valuation import UNMOVED
from defirisk.core.adapter import Snapshot
from defirisk.core.book import Book
from defirisk.core.errors import NodeError
from defirisk.core.evm import Block
from defirisk.core.plugins import adapter
from defirisk.core.verdict import Verdict
from defirisk.governance.aave_v3.calls import ContractCall
from defirisk.governance.aave_v3.proposal import Proposal
from defirisk.governance.aave_v3.roles import RoleHolder, role_holder
from defirisk.governance.aave_v3.snapshot import configuration
from defirisk.governance.aave_v3.words import ask
from defirisk.governance.reverts import explained
from defirisk.governance.rows import held
from defirisk.indexing.run import index
from defirisk.indexing.verify import verify
from defirisk.store.database import Store, open_store
from defirisk.store.frames import load_book
from defirisk.store.registry import StoredDeployment, find_chain, find_deployment
from defirisk.store.snapshots import snapshot

SAMPLE = 5_000
"""Accounts that the contracts are asked about on the fork, where there are more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What came of it. `failures` are the calls that reverted: nothing else is known then.

    `liquidatable` are units of the deployment on the fork, `configurations` the market before and
    after, and `predicted` what it was to be.
    """

    anvil: str
    block: Block
    holder: RoleHolder
    failures: tuple[str, ...]
    before: dict[str, Any]
    predicted: dict[str, Any]
    after: dict[str, Any] | None = None
    snapshot: Snapshot | None = None
    liquidatable: frozenset[str] = frozenset()
    verdict: Verdict | None = None


async def rehearse(
    url: str,
    timeout: float,
    store: Store,
    stored: StoredDeployment,
    made: Proposal,
    calls: Sequence[ContractCall],
) -> Rehearsal:
    """Executes, indexes, asks. Errors: `NoAnvil`, `NodeError`, `CheckFailed` without a role."""
    anvil = find_anvil()
    market, block = made.market, made.case.book.block
    deployment = stored.deployment
    live = RpcChainReader(url, transport=TransportSettings(timeout=timeout))
    try:
        if (await live.block(block.number)).hash != block.hash:
            raise NodeError(
                f"its block {block.number} is not the indexed one: give --rpc-url of a node of "
                "that chain, or index again"
            )
        holder = await role_holder(live, deployment, block)
        words = await ask(live, market.snapshot, block)
    finally:
        await live.aclose()
    configurator = deployment.contracts["pool_configurator"]
    done = Rehearsal(
        anvil=version(anvil),
        block=block,
        holder=holder,
        failures=(),
        before=configuration(market.snapshot, words),
        predicted=configuration(market.under(made.rows), words),
    )
    async with fork(anvil, url, deployment.chain_id, block) as running:
        said = await running.execute(
            [(holder.account, configurator, call.data) for call in calls], block.timestamp
        )
        failures = tuple(
            f"{call.signature}: {explained(error)}"
            for call, error in zip(calls, said, strict=True)
            if error is not None
        )
        if failures:
            return replace(done, failures=failures)
        return await _looked_at(running, store, stored, done)


async def _looked_at(
    running: Fork, store: Store, stored: StoredDeployment, done: Rehearsal
) -> Rehearsal:
    """The fork as the product's own indexing and the contracts themselves see it."""
    reader = RpcChainReader(running.url)
    with tempfile.TemporaryDirectory(prefix="defirisk-rehearsal-") as folder:
        copy = _copy(store, stored.deployment.chain_id, done.block, Path(folder) / "fork.db")
        try:
            summary = await index(reader, copy, [stored.deployment], "latest")
            with copy.transaction() as connection:
                again = find_deployment(connection, stored.deployment.name)
                assert again is not None
                found = snapshot(connection, again, summary.block)
                types = adapter(again.deployment.protocol).rows
                found = replace(found, rows=held(found.rows, types))
                book = load_book(connection, [again], summary.block)
            sample = SAMPLE if len(book.units) > SAMPLE else None
            verdict = await verify(reader, copy, again, summary.block, sample=sample)
            words = await ask(reader, found, summary.block)
        finally:
            copy.close()
            await reader.aclose()
    return replace(
        done,
        block=summary.block,
        after=configuration(found, words),
        snapshot=found,
        liquidatable=_liquidatable(book),
        verdict=verdict,
    )


def _copy(store: Store, chain_id: int, block: Block, path: Path) -> Store:
    """The store at that very block, to go on from; an empty one where it is somewhere else."""
    url = f"sqlite:///{path}"
    with store.transaction() as connection:
        known = find_chain(connection, chain_id)
    sqlite = store.engine.dialect.name == "sqlite"
    if sqlite and known is not None and known.verified_to == block.number:
        with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM INTO ?", (str(path),))
        return open_store(url, create=False)
    return open_store(url, create=True)


def _liquidatable(book: Book) -> frozenset[str]:
    units = liquidatable_units(book, UNMOVED)
    return frozenset(book.units[int(unit)] for unit in units)
