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
  defirisk report protocol aave-v3-ethereum --block 23100000 --format md
  defirisk report venue WETH/USDC -o pool.html
  defirisk report feed WETH
  defirisk report contagion
  defirisk report contagion xUSD -o contagion.html
  defirisk report holder
  defirisk report holder 0x70997970C51812dc3A010C7d01b50e0d17dc79C8"""
)
@click.argument("report", metavar="REPORT")
@click.argument("name", default="")
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
    """Everything about one protocol, pool, feed, failure or account, the answer first.

    REPORT is one of defirisk list reports; NAME is what it is about: a deployment or a protocol, a
    pool ("WETH/USDC" or its address), a feed (its address, or the asset that it prices), what fails
    (an asset, a vault, a market such as USDC@aave-v3, a protocol), an account. Of contagion and of
    holder it may be left out: everything that can fail, or everybody who is in several places, is
    ranked then.
    """
    from defirisk.cli.output import emit
    from defirisk.cli.progress import Bars
    from defirisk.cli.session import load, load_all, opened, provenance
    from defirisk.core.errors import UsageError
    from defirisk.core.plugins import choose, reports

    chosen = choose(report, reports(), "report")
    if not name and not getattr(chosen, "of_everything", False):
        raise UsageError(f"a report on a {report} needs a NAME: defirisk report {report} NAME")
    with opened(db) as (settings, store):
        chain_id = settings.chain_id(chain)
        more = {}
        if chosen.of_deployments:
            book, final = load(store, (name,), chain_id, block)
            if any(one.perps_of or one.debt_of for one in book.deployments):
                # Its accounts may be elsewhere too.
                more["whole"] = load_all(store, book.chain_id, book.block.number)[0]
        else:
            book, final = load_all(store, chain_id, block)
    run = provenance(book.chain_id, final)
    with Bars() as bars:
        bars(report, 0, None)  # a failure is played through: that may take a while
        built = chosen.build(book, run=run, subject=name, **more)
    emit(built, format_, output)
