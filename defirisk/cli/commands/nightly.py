"""defirisk nightly"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from defirisk.cli.options import db_option, node_options, output_options

if TYPE_CHECKING:
    from defirisk.cli.settings import Settings


@click.command(
    epilog="""\b
Examples:
  defirisk nightly                          every deployment of defirisk.toml
  defirisk nightly aave-v3 --rpc-url $ETH_RPC_URL --site /srv/risk
  defirisk nightly --sample 500 --format json -o nightly.json
  defirisk jobs                             the cron line that runs it"""
)
@click.argument("protocols", nargs=-1, metavar="[PROTOCOL|DEPLOYMENT]...")
@click.option(
    "--site",
    type=click.Path(file_okay=False),
    default="defirisk-site",
    show_default=True,
    help="Folder for the pages.",
)
@click.option(
    "--sample",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    help="Accounts per deployment whose numbers are compared with the contracts'.",
)
@click.option(
    "--shock",
    "shocks",
    multiple=True,
    metavar="SPEC",
    help="A shock of its own each. [default: falls of the largest collaterals]",
)
@node_options
@db_option
@output_options()
def command(
    protocols: tuple[str, ...],
    site: str,
    sample: int,
    shocks: tuple[str, ...],
    rpc_url: str | None,
    chain: str | None,
    timeout: float,
    db: str | None,
    format_: str | None,
    output: str | None,
) -> int:
    """The scheduled run: index, verify a sample, stress, contagion, oracles, and the pages.

    A part that fails is told and does not stop the others; the exit code is then 1. Another run
    that is at work on the chain is no failure: its results are used.
    """
    from pathlib import Path

    from defirisk.cli.nightly import Night, Node, run_chain
    from defirisk.cli.output import emit
    from defirisk.cli.session import opened, provenance
    from defirisk.reports.nightly import build

    night = Night(site=Path(site), sample=sample, shocks=tuple((one,) for one in shocks))
    with opened(db, create=True) as (settings, store):
        for name in _chains(settings, rpc_url, chain):
            run_chain(store, settings, protocols, Node(rpc_url, name, timeout), night)
    emit(build(night.steps, night.verdicts, run=provenance(0, None)), format_, output)
    return 1 if night.failed else 0


def _chains(settings: Settings, rpc_url: str | None, chain: str | None) -> list[str | None]:
    """The chain that was named, else all that have a node."""
    if rpc_url is not None or chain is not None:
        return [chain]
    return [one.name for one in settings.chains.values() if one.rpc_urls] or [None]
