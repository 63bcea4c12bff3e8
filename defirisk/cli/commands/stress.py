"""defirisk stress"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from defirisk.cli.options import block_option, chain_option, db_option, output_options
from defirisk.core.evm import BlockTag

if TYPE_CHECKING:
    from defirisk.core.book import Book
    from defirisk.core.scenario import Scenario


@click.command(
    epilog="""\b
Examples:
  defirisk stress --shock price:WETH=-40%
  defirisk stress --shock price:WETH=-30% --shock depeg:USDC=0.88     both at once
  defirisk stress --grid --shock price:WETH=-20% --shock price:WETH=-40% --shock depeg:DAI=0.9
  defirisk stress --scenarios scenarios.csv --format json
  defirisk stress --shock oracle:WETH@aave-v3=+30% --accounts"""
)
@click.argument("protocols", nargs=-1, metavar="[PROTOCOL|DEPLOYMENT]...")
@click.option(
    "--shock",
    "shocks",
    multiple=True,
    metavar="KIND:TARGET=VALUE",
    help="See defirisk list shocks.",
)
@click.option(
    "--scenarios",
    type=click.Path(exists=True, dir_okay=False),
    help="CSV with columns name,shock; rows of one name combine.",
)
@click.option(
    "--grid",
    is_flag=True,
    help="Shocks of one kind and target become alternatives; every combination is a scenario.",
)
@click.option(
    "--cascade/--no-cascade",
    default=False,
    help="Play liquidations through. Not available yet: this version is static.",
)
@click.option("--accounts", is_flag=True, help="List the accounts that can be liquidated.")
@chain_option
@block_option
@db_option
@output_options()
def command(
    protocols: tuple[str, ...],
    shocks: tuple[str, ...],
    scenarios: str | None,
    grid: bool,
    cascade: bool,
    accounts: bool,
    chain: str | None,
    block: int | BlockTag | None,
    db: str | None,
    format_: str | None,
    output: str | None,
) -> None:
    """What could be liquidated, and what would be bad debt, after prices moved.

    Several --shock combine into one scenario. Static: prices are as shocked, and no liquidation is
    played through.
    """
    from defirisk.cli.output import emit
    from defirisk.cli.session import load, opened, provenance
    from defirisk.contagion.screen import liquidatable_units, screen
    from defirisk.core.errors import UsageError
    from defirisk.reports.stress import build

    if cascade:
        raise UsageError("--cascade is not available yet: leave it out for the static shock")
    if not shocks and not scenarios:
        raise UsageError("nothing to stress: give --shock price:WETH=-40% or --scenarios FILE")
    with opened(db) as (settings, store):
        book, final = load(store, protocols, settings.chain_id(chain), block)
    wanted = _scenarios(book, shocks, scenarios, grid)
    outcome = screen(book, wanted)
    listed = [
        (scenario.name, book.units[int(unit)])
        for scenario in (wanted if accounts else [])
        for unit in liquidatable_units(book, scenario)
    ]
    run = provenance(book.chain_id, final)
    emit(build(book, outcome, run=run, accounts=listed), format_, output)


def _scenarios(book: Book, shocks: tuple[str, ...], file: str | None, grid: bool) -> list[Scenario]:
    from defirisk.cli.scenario_file import read_scenarios
    from defirisk.shocks.grammar import axes, scenario
    from defirisk.shocks.grammar import grid as product

    found = [scenario(name, texts, book) for name, texts in read_scenarios(file)] if file else []
    if shocks:
        found += product(axes(shocks), book) if grid else [scenario("", shocks, book)]
    return found
