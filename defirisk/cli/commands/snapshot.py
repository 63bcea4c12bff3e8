"""defirisk snapshot"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from defirisk.cli.options import chain_option, db_option

if TYPE_CHECKING:
    from pathlib import Path


@click.group(
    epilog="""\b
Examples:
  defirisk snapshot export aave.snapshot
  defirisk snapshot import aave.snapshot --digest 5f1c..."""
)
def command() -> None:
    """Hand what was read of a chain to somebody else, or take it over from somebody."""


@command.command(
    epilog="""\b
Examples:
  defirisk snapshot export aave.snapshot
  defirisk snapshot export base.snapshot --chain base"""
)
@click.argument("file", type=click.Path(dir_okay=False))
@click.option(
    "--unverified",
    is_flag=True,
    help="Export although logs of some range may be missing; the snapshot says so.",
)
@chain_option
@db_option
def export(file: str, unverified: bool, chain: str | None, db: str | None) -> None:
    """Write blocks, logs and answers of a chain into FILE.

    Up to the last verified block. The same store always gives the same file; its digest is printed,
    to be sent by another way than the file.
    """
    from pathlib import Path

    from defirisk.cli.session import opened
    from defirisk.indexing.snapshot_export import export_snapshot

    with opened(db) as (settings, store):
        chain_id = settings.chain_id(chain)
        done = export_snapshot(store, Path(file), chain_id, allow_unverified=unverified)
    warned = f", {done.unverified} ranges of it unverified" * bool(done.unverified)
    click.echo(
        f"wrote {file}: chain {done.chain_id} to block {done.block.number} ({done.block.hash}), "
        f"{done.logs:,} logs{warned}",
        err=True,
    )
    click.echo(done.digest)


@command.command(
    name="import",
    epilog="""\b
Examples:
  defirisk snapshot import aave.snapshot --digest 5f1c...
  defirisk snapshot import aave.snapshot --db sqlite:///theirs.db --verify-with $ETH_RPC_URL""",
)
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--digest", help="The digest that the sender printed; another file is refused.")
@click.option(
    "--verify-with",
    metavar="RPC_URL",
    help="A node that is asked first about the last block and a sample of the others.",
)
@db_option
def import_(file: str, digest: str | None, verify_with: str | None, db: str | None) -> None:
    """Take over a chain from FILE; defirisk index goes on from there.

    Every digest and value is checked, and all rows are made here from the logs and answers. That
    those are the chain's own is the sender's word; --verify-with asks about some of the blocks.
    """
    import asyncio
    from pathlib import Path

    from defirisk.cli.progress import Bars
    from defirisk.cli.session import opened
    from defirisk.indexing.snapshot_import import import_snapshot

    if verify_with is not None:
        asked = asyncio.run(_compared(Path(file), verify_with))
        click.echo(f"{asked} blocks are the same at the node", err=True)
    with opened(db, create=True) as (_, store), Bars() as bars:
        done = import_snapshot(store, Path(file), bars, digest)
    warned = "" if done.complete else "; its sender did not verify all of it, see defirisk status"
    click.echo(
        f"imported chain {done.chain_id} to block {done.block.number} ({done.block.hash}): "
        f"{done.logs:,} logs, {done.rows:,} rows written{warned}",
        err=True,
    )


async def _compared(path: Path, url: str) -> int:
    from defirisk.chain.rpc import RpcChainReader
    from defirisk.indexing.snapshot_import import compare_with_node

    reader = RpcChainReader(url)
    try:
        return await compare_with_node(path, reader)
    finally:
        await reader.aclose()
