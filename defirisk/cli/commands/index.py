"""defirisk index"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from defirisk.cli.options import BlockType, db_option, node_options
from defirisk.core.evm import BlockTag

if TYPE_CHECKING:
    from collections.abc import Sequence

    from defirisk.core.adapter import Deployment


@click.command(
    epilog="""\b
Examples:
  defirisk index aave-v3 --rpc-url $ETH_RPC_URL
  defirisk index aave-v3-ethereum --to-block finalized
  defirisk index                     every [[deployment]] of defirisk.toml on the node's chain"""
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
@node_options
@db_option
def command(
    protocols: tuple[str, ...],
    to_block: int | BlockTag,
    rpc_url: str | None,
    chain: str | None,
    timeout: float,
    db: str | None,
) -> None:
    """Read positions, parameters and prices from a chain into the store.

    A second run reads only what is new.
    """
    import asyncio

    from defirisk.cli.progress import Bars
    from defirisk.cli.session import node, opened, served_chain
    from defirisk.cli.settings import load_settings
    from defirisk.indexing.run import RunSummary, index

    settings = load_settings()
    chain_wanted = settings.chain_id(chain)
    reader = node(settings, rpc_url, chain, timeout)

    async def work() -> RunSummary:
        try:
            chain_id = await served_chain(reader, chain_wanted)
            # The store is only made once the node has answered and everything asked for is known.
            deployments = wanted(protocols, settings.deployments, chain_id)
            with opened(db, create=True) as (_, store), Bars() as bars:
                return await index(reader, store, deployments, to_block, bars)
        finally:
            await reader.aclose()

    summary = asyncio.run(work())
    reorg = f", {summary.reorg_depth} blocks were replaced by a reorg" * bool(summary.reorg_depth)
    click.echo(
        f"indexed chain {summary.chain_id} to block {summary.block.number}: "
        f"{summary.new_logs:,} new logs, {summary.rows_written:,} rows written, "
        f"{summary.views_read:,} views read{reorg}",
        err=True,
    )


def wanted(names: tuple[str, ...], own: Sequence[Deployment], chain_id: int) -> list[Deployment]:
    """The deployments that the names mean on this chain, one's own before those shipped."""
    from defirisk.core.errors import UsageError
    from defirisk.indexing.deployments import choose, shipped

    if not names:
        here = [deployment for deployment in own if deployment.chain_id == chain_id]
        if not here:
            raise UsageError(
                f"defirisk.toml names no deployment on chain {chain_id}: say what to index, "
                "such as defirisk index aave-v3"
            )
        return here
    taken = {deployment.name for deployment in own}
    known = [*own, *(deployment for deployment in shipped() if deployment.name not in taken)]
    return choose(names, known, chain_id)
