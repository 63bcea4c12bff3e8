"""defirisk oracle"""

from __future__ import annotations

import click

from defirisk.cli.options import block_option, chain_option, db_option, output_options
from defirisk.core.evm import BlockTag


@click.command(
    epilog="""\b
Examples:
  defirisk oracle
  defirisk oracle LINK UNI-V2
  defirisk oracle 0x5f4eC3Df9cbd43714FE2740f5E3616155c5b8419 --format json
  defirisk oracle --controlled-blocks 3 -o oracles.html

Exit code 1: somebody would earn something by lying about one of the prices."""
)
@click.argument("names", nargs=-1, metavar="[FEED|ASSET]...")
@click.option(
    "--controlled-blocks",
    type=click.IntRange(1),
    metavar="N",
    help="Blocks in a row of which an attacker decides the order. [default: 2]",
)
@click.option(
    "--capital",
    type=click.FloatRange(min=0, min_open=True),
    metavar="USD",
    help="The most capital that an attacker brings together. [default: 100000000]",
)
@chain_option
@block_option
@db_option
@output_options()
def command(
    names: tuple[str, ...],
    controlled_blocks: int | None,
    capital: float | None,
    chain: str | None,
    block: int | BlockTag | None,
    db: str | None,
    format_: str | None,
    output: str | None,
) -> int:
    """What it costs to lie about each price that markets rely on, and what the lie would earn.

    Pools are moved in their own integers, and all that can be borrowed is taken: a price is unsafe
    where the best such attack gains something. Ages are against the feeds' heartbeats.
    """
    from dataclasses import replace

    from defirisk.cli.output import emit
    from defirisk.cli.progress import Bars
    from defirisk.cli.session import load_all, opened, provenance
    from defirisk.manipulation.assumptions import Assumptions
    from defirisk.reports.oracles import report

    assumed = Assumptions()
    if controlled_blocks is not None:
        assumed = replace(assumed, controlled_blocks=controlled_blocks)
    if capital is not None:
        assumed = replace(assumed, capital_usd=capital)
    with opened(db) as (settings, store):
        book, final = load_all(store, settings.chain_id(chain), block)
    run = provenance(book.chain_id, final)
    with Bars() as bars:
        bars("attacks", 0, None)
        shown, found = report(book, names, run=run, assumptions=assumed)
    emit(shown, format_, output)
    return 1 if any(one.verdict == "unsafe" for one in found) else 0
