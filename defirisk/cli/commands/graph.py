"""defirisk graph"""

from __future__ import annotations

import click

from defirisk.cli.options import FORMATS, block_option, chain_option, db_option, output_options
from defirisk.core.evm import BlockTag

GRAPHML = "graphml"


@click.command(
    epilog="""\b
Examples:
  defirisk graph
  defirisk graph -o graph.html
  defirisk graph --format json
  defirisk graph --measure loops --measure thin_pools
  defirisk graph --block 23100000 -o graph.graphml     for Gephi, yEd, networkx"""
)
@click.option(
    "--measure",
    "names",
    multiple=True,
    metavar="NAME",
    help="One of the graph's measures, such as oracle_dependence; repeatable. [default: all]",
)
@chain_option
@block_option
@db_option
@output_options(*FORMATS, GRAPHML)
def command(
    names: tuple[str, ...],
    chain: str | None,
    block: int | BlockTag | None,
    db: str | None,
    format_: str | None,
    output: str | None,
) -> None:
    """Who stands on what: markets, assets, oracles, pools, vaults and owners, in dollars.

    Says how many claims stand on each asset, who borrows in loops or in several protocols, how
    much stands on each oracle and pool, which prices are hard-coded, and what vaults have lost.
    """
    from defirisk.cli.output import emit, put
    from defirisk.cli.session import load_all, opened, provenance
    from defirisk.core.plugins import choose
    from defirisk.graph.build import compose
    from defirisk.graph.measures import measures
    from defirisk.reports.graph import graphml, report

    known = measures()
    chosen = [choose(name, known, "measure") for name in dict.fromkeys(names)]
    with opened(db) as (settings, store):
        book, final = load_all(store, settings.chain_id(chain), block)
    made = compose(book)
    shown = report(made, chosen or list(known.values()), run=provenance(book.chain_id, final))
    if format_ == GRAPHML or (format_ is None and (output or "").lower().endswith(f".{GRAPHML}")):
        put(graphml(made, shown.header), output)
    else:
        emit(shown, format_, output)
