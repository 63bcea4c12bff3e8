"""defirisk index"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from defirisk.cli.options import BlockType, db_option, node_options, output_options
from defirisk.core.evm import BlockTag

if TYPE_CHECKING:
    from defirisk.chain.rpc import RpcChainReader
    from defirisk.cli.settings import Settings
    from defirisk.indexing.audit.settings import AuditMode, AuditSettings

AUDITS = ("none", "sample", "bloom", "receipts")


@click.command(
    epilog="""\b
Examples:
  defirisk index aave-v3 --rpc-url $ETH_RPC_URL
  defirisk index aave-v3-ethereum --to-block finalized
  defirisk index                     every [[deployment]] of defirisk.toml on the node's chain
  defirisk index --follow --metrics 9464
  defirisk index aave-v3 --dry-run   what it would cost, from a few ranges; nothing is stored
  defirisk index aave-v3 --audit receipts
  defirisk index aave-v3 --max-requests 5000     then stop; the next run goes on from there"""
)
@click.argument("protocols", nargs=-1, metavar="[PROTOCOL|DEPLOYMENT]...")
@click.option(
    "--to-block",
    type=BlockType(),
    metavar="N|safe|finalized|latest",
    default="safe",
    show_default=True,
    help="Last block to read.",
)
@click.option(
    "--audit",
    type=click.Choice(AUDITS),
    default="sample",
    show_default=True,
    help="What is asked again to prove that no log is missing. sample: headers of blocks with "
    "logs, near the head, and of a few others; bloom: of all blocks; receipts: also the receipts "
    "of blocks that may hold logs. All but none compare totals with the contracts'.",
)
@click.option(
    "--follow", is_flag=True, help="Go on with every new block, until SIGTERM or Ctrl-C comes."
)
@click.option(
    "--metrics",
    type=click.IntRange(0, 65_535),
    metavar="PORT",
    help="With --follow: serve metrics for Prometheus on this port of every address.",
)
@click.option("--dry-run", is_flag=True, help="Say what it would cost, and store nothing.")
@click.option(
    "--max-requests",
    type=click.IntRange(min=1),
    metavar="N",
    help="Stop after so many HTTP requests, with exit code 1; what was read stays.",
)
@node_options
@db_option
@output_options()
def command(
    protocols: tuple[str, ...],
    to_block: int | BlockTag,
    audit: AuditMode,
    follow: bool,
    metrics: int | None,
    dry_run: bool,
    max_requests: int | None,
    rpc_url: str | None,
    chain: str | None,
    timeout: float,
    db: str | None,
    format_: str | None,
    output: str | None,
) -> int:
    """Read positions, parameters and prices from a chain into the store.

    A second run reads only what is new; --follow never ends. Exit code 1: audits left ranges in
    doubt, which the next run asks for again (defirisk status names them). --format and -o are of
    --dry-run.
    """
    import asyncio

    from defirisk.chain.counts import RequestBudget
    from defirisk.cli.alerts import tell
    from defirisk.cli.following import followed
    from defirisk.cli.progress import Bars
    from defirisk.cli.session import node, opened, served_chain, share_rates
    from defirisk.cli.settings import load_settings
    from defirisk.cli.wanted import wanted
    from defirisk.indexing.audit.settings import AuditSettings
    from defirisk.indexing.run import Indexer, RunSummary, index
    from defirisk.indexing.status import read_chains

    if metrics is not None and not follow:
        raise click.UsageError("--metrics needs --follow (see also: status --format prometheus)")
    settings = load_settings()
    chain_wanted = settings.chain_id(chain)
    reader = node(settings, rpc_url, chain, timeout, budget=RequestBudget(max_requests))
    mode = AuditSettings(mode=audit)
    if dry_run:
        return _estimate(
            protocols, settings, chain_wanted, reader, to_block, mode, db, format_, output
        )

    async def work() -> RunSummary | None:
        try:
            chain_id = await served_chain(reader, chain_wanted)
            # The store is only made once the node has answered and everything asked for is known.
            deployments = wanted(protocols, settings.deployments, chain_id)
            with opened(db, create=True) as (_, store), Bars() as bars:
                share_rates(reader, store)
                if follow:
                    indexer = Indexer(reader, store, deployments, to_block, bars, mode)
                    await followed(indexer, store, settings.alerts, chain_id, metrics)
                    return None
                try:
                    return await index(reader, store, deployments, to_block, bars, mode)
                finally:
                    tell(store, read_chains(store), settings.alerts)
        finally:
            await reader.aclose()

    summary = asyncio.run(work())
    if summary is None:
        return 0
    reorg = f", {summary.reorg_depth} blocks were replaced by a reorg" * bool(summary.reorg_depth)
    click.echo(
        f"indexed chain {summary.chain_id} to block {summary.block.number}: "
        f"{summary.new_logs:,} new logs, {summary.rows_written:,} rows written, "
        f"{summary.views_read:,} views read{reorg}",
        err=True,
    )
    if summary.unverified:
        click.echo(
            f"warning: logs may be missing in {summary.unverified} ranges: defirisk status names "
            "them, the next run asks for them again",
            err=True,
        )
    return 1 if summary.unverified else 0


def _estimate(
    names: tuple[str, ...],
    settings: Settings,
    chain_wanted: int | None,
    reader: RpcChainReader,
    to_block: int | BlockTag,
    audit: AuditSettings,
    db: str | None,
    format_: str | None,
    output: str | None,
) -> int:
    """--dry-run. A store that does not exist yet is not made."""
    import asyncio
    from contextlib import ExitStack

    from defirisk.cli.output import emit
    from defirisk.cli.session import opened, provenance, served_chain
    from defirisk.cli.wanted import wanted
    from defirisk.core.errors import StoreError
    from defirisk.core.estimate import Estimates
    from defirisk.indexing.estimating import estimate
    from defirisk.reports.estimate import build

    async def work() -> Estimates:
        with ExitStack() as stack:
            try:
                chain_id = await served_chain(reader, chain_wanted)
                deployments = wanted(names, settings.deployments, chain_id)
                try:
                    store = stack.enter_context(opened(db))[1]
                except StoreError:
                    store = None
                return await estimate(reader, store, deployments, to_block, audit)
            finally:
                await reader.aclose()

    estimates = asyncio.run(work())
    emit(build(estimates, run=provenance(estimates.chain_id, None)), format_, output)
    return 0
