"""The scheduled run of one chain, part by part: one that fails does not stop the others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from defirisk.core.errors import DefiriskError, LeaseHeld
from defirisk.reports.nightly import Result, Step

if TYPE_CHECKING:
    from defirisk.cli.settings import Settings
    from defirisk.core.adapter import Deployment
    from defirisk.core.verdict import Verdict
    from defirisk.indexing.run import RunSummary
    from defirisk.store.database import Store


class Node(NamedTuple):
    """How to find the node: --rpc-url, --chain and --timeout."""

    rpc_url: str | None
    chain: str | None
    timeout: float


@dataclass
class Night:
    """What is wanted of the run, and what became of it so far."""

    site: Path
    sample: int
    shocks: Sequence[Sequence[str]]
    steps: list[Step] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Whether any part failed or found a difference."""
        return any(step.result == "failed" for step in self.steps)

    @contextmanager
    def part(self, chain: str, name: str) -> Iterator[list[str]]:
        """Notes how a part ended; what it has to say goes into the list."""
        begun, said = time.monotonic(), list[str]()
        result: Result = "done"
        try:
            yield said
        except LeaseHeld as error:
            result = "left out"
            said.append(str(error))
        except DefiriskError as error:
            result = "failed"
            said.append(str(error))
        seconds = time.monotonic() - begun
        self.steps.append(Step(chain, name, result, seconds, "; ".join(said)))

    def fail(self, chain: str, name: str, said: str) -> None:
        """Notes what failed inside of a part."""
        self.steps.append(Step(chain, name, "failed", 0.0, said))


def run_chain(
    store: Store, settings: Settings, protocols: tuple[str, ...], node: Node, night: Night
) -> None:
    """Index, verify a sample, and the pages of what is stored by then."""
    label = node.chain or "chain"
    chain_id = None
    with night.part(label, "index") as said:
        summary = asyncio.run(_indexed(store, settings, protocols, node))
        chain_id = summary.chain_id
        said.append(f"block {summary.block.number:,}, {summary.new_logs:,} new logs")
    chain_id = chain_id or settings.chain_id(node.chain) or _only_chain(store)
    if chain_id is None:
        return
    verdicts: list[Verdict] = []
    with night.part(label, "verify") as said:
        verdicts = asyncio.run(_verified(store, settings, node, chain_id, night.sample))
        compared = sum(one.compared for one in verdicts)
        said.append(f"{compared:,} numbers compared with the contracts' own")
    for one in verdicts:
        if one.mismatches:
            night.fail(label, "verify", f"{one.deployment}: {len(one.mismatches)} numbers differ")
    night.verdicts += verdicts
    with night.part(label, "pages") as said:
        said.append(_pages(store, chain_id, label, verdicts, night))


async def _indexed(
    store: Store, settings: Settings, protocols: tuple[str, ...], node: Node
) -> RunSummary:
    from defirisk.cli.progress import Bars
    from defirisk.cli.session import node as reader_of
    from defirisk.cli.session import served_chain
    from defirisk.indexing.run import index

    reader = reader_of(settings, node.rpc_url, node.chain, node.timeout)
    try:
        chain_id = await served_chain(reader, settings.chain_id(node.chain))
        deployments = _deployments(store, settings, protocols, chain_id)
        with Bars() as bars:
            return await index(reader, store, deployments, progress=bars)
    finally:
        await reader.aclose()


def _deployments(
    store: Store, settings: Settings, protocols: tuple[str, ...], chain_id: int
) -> list[Deployment]:
    """What was asked for; nothing where the store knows the chain's deployments itself."""
    from defirisk.cli.wanted import wanted
    from defirisk.store.registry import stored_deployments

    with store.transaction() as connection:
        known = {one.deployment.chain_id for one in stored_deployments(connection)}
    configured = {one.chain_id for one in settings.deployments}
    if not protocols and chain_id in known - configured:
        return []
    return wanted(protocols, settings.deployments, chain_id)


async def _verified(
    store: Store, settings: Settings, node: Node, chain_id: int, sample: int
) -> list[Verdict]:
    from defirisk.cli.session import node as reader_of
    from defirisk.cli.verifying import verified

    reader = reader_of(settings, node.rpc_url, node.chain, node.timeout)
    return await verified(reader, store, (), chain_id, None, sample=sample)


def _only_chain(store: Store) -> int | None:
    from defirisk.store.registry import stored_chains

    with store.transaction() as connection:
        found = [one.chain_id for one in stored_chains(connection)]
    return found[0] if len(found) == 1 else None


def _pages(
    store: Store, chain_id: int, label: str, verdicts: Sequence[Verdict], night: Night
) -> str:
    from defirisk.chain.chains import chain_of
    from defirisk.cli.pages import chain_pages, usual_shocks
    from defirisk.cli.session import load, provenance
    from defirisk.reports.nightly import front
    from defirisk.reports.site import write_site

    book, final = load(store, (), chain_id, None)
    shocks = night.shocks or usual_shocks(book)
    run = provenance(chain_id, final)

    def failed(part: str, error: DefiriskError) -> None:
        night.fail(label, part, str(error))

    made = chain_pages(store, chain_id, shocks, shocks, verdicts, run, failed)
    folder = night.site / chain_of(chain_id).short_name.replace(" ", "-")
    index = front(made.book, made.outcome, night.steps, made.pages, run=run)
    written = write_site(folder, made.pages, index)
    return f"{len(written)} files in {folder}"
