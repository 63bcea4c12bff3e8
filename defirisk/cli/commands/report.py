"""defirisk report"""

from __future__ import annotations

import click

from defirisk.cli.options import block_option, chain_option, db_option, output_options
from defirisk.core.evm import BlockTag


@click.command(
    epilog="""\b
Examples:
  defirisk report protocol aave-v3
  defirisk report protocol aave-v3 -o aave.html
  defirisk report protocol aave-v3-ethereum --block 23100000 --format md"""
)
@click.argument("report", metavar="REPORT")
@click.argument("name")
@chain_option
@block_option
@db_option
@output_options()
def command(
    report: str,
    name: str,
    chain: str | None,
    block: int | BlockTag | None,
    db: str | None,
    format_: str | None,
    output: str | None,
) -> None:
    """Everything about one protocol or deployment, the answer first.

    REPORT is one of defirisk list reports; NAME is what it is about.
    """
    from defirisk.cli.output import emit
    from defirisk.cli.session import load, opened, provenance
    from defirisk.core.plugins import choose, reports

    chosen = choose(report, reports(), "report")
    with opened(db) as (settings, store):
        book, final = load(store, (name,), settings.chain_id(chain), block)
    emit(chosen.build(book, run=provenance(book.chain_id, final)), format_, output)
