"""defirisk db"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from defirisk.cli.options import chain_option, db_option, output_options

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from defirisk.store.reorgs import Reorg


@click.group(
    epilog="""\b
Examples:
  defirisk db rederive
  defirisk db history"""
)
def command() -> None:
    """Look after a store: its rows, its schema, and what reorgs replaced in it."""


@command.command(
    epilog="""\b
Examples:
  defirisk db rederive
  defirisk db rederive aave-v3-ethereum"""
)
@click.argument("deployments", nargs=-1, metavar="[PROTOCOL|DEPLOYMENT]...")
@db_option
def rederive(deployments: tuple[str, ...], db: str | None) -> None:
    """Make all rows again from the logs and answers in the store, without a node.

    Without names, what is watched and the tokens' words are made again, too. What was finished when
    it is interrupted stays; run it again, or defirisk index, to complete the rest.
    """
    from defirisk.cli.progress import Bars
    from defirisk.cli.session import opened
    from defirisk.indexing.rederiving import rederive as again

    with opened(db) as (_, store), Bars() as bars:
        rows = again(store, deployments, bars)
    click.echo(f"{rows:,} rows written", err=True)


@command.command(
    epilog="""\b
Examples:
  defirisk db history
  defirisk db history --chain ethereum --last 50 --format json"""
)
@click.option("--last", type=click.IntRange(min=1), default=20, show_default=True, help="How many.")
@chain_option
@db_option
@output_options()
def history(
    last: int, chain: str | None, db: str | None, format_: str | None, output: str | None
) -> None:
    """The last reorgs: when they were noticed, how deep they were, which block gave way."""
    from defirisk.cli.output import emit
    from defirisk.cli.session import opened, provenance
    from defirisk.reports.reorgs import build
    from defirisk.store.reorgs import reorg_log

    with opened(db) as (settings, store), store.transaction() as connection:
        reorgs: list[Reorg] = reorg_log(connection, settings.chain_id(chain), last)
    emit(build(reorgs, run=provenance(0, None)), format_, output)


@command.command(
    epilog="""\b
Examples:
  defirisk db check
  defirisk db check 0x6f3c...      the block hash of a report"""
)
@click.argument("block_hash", required=False)
@db_option
def check(block_hash: str | None, db: str | None) -> int:
    """Whether the store is sound, or whether a report's BLOCK_HASH still is a block of the chain.

    Exit code 1 where it is not.
    """
    from defirisk.cli.session import opened
    from defirisk.store.checking import faults

    with opened(db) as (_, store), store.transaction() as connection:
        if block_hash is not None:
            said, sound = _said_of(connection, block_hash.lower())
            click.echo(said)
            return 0 if sound else 1
        found = faults(connection)
    for fault in found:
        click.echo(fault)
    click.echo("the store is sound" if not found else f"{len(found)} faults", err=True)
    return 1 if found else 0


def _said_of(connection: Connection, block_hash: str) -> tuple[str, bool]:
    from defirisk.core.errors import UsageError
    from defirisk.store.reorgs import find_hash, lost_block

    number = find_hash(connection, block_hash)
    if number is not None:
        return f"block {number} has this hash", True
    number = lost_block(connection, block_hash)
    if number is None:
        raise UsageError(f"no block of the store has or had the hash {block_hash}")
    return f"block {number} had this hash until a reorg: results at it are void", False


@command.command(
    epilog="""\b
Examples:
  defirisk db upgrade --db postgresql+psycopg://localhost/defirisk"""
)
@db_option
def upgrade(db: str | None) -> None:
    """Bring the schema of a store up to this version. Every other command does so, too."""
    from defirisk.cli.session import opened

    with opened(db):
        click.echo("the schema is up to date", err=True)
