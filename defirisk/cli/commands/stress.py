"""defirisk stress"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import isinf
from typing import TYPE_CHECKING, Any, TypeVar

import click

from defirisk.cli.options import block_option, chain_option, db_option, output_options
from defirisk.contagion.cascade.settings import BASE, Settings
from defirisk.core.evm import BlockTag

if TYPE_CHECKING:
    from defirisk.contagion.reverse import Measure
    from defirisk.core.book import Book
    from defirisk.core.scenario import Scenario
    from defirisk.reports.model import Report, Run

F = TypeVar("F", bound=Callable[..., Any])

_SETTINGS: tuple[tuple[str, Any, str], ...] = (
    ("round_seconds", click.IntRange(0, 86_400), "Seconds between rounds; 0 freezes interest."),
    ("gas_usd", click.FloatRange(0), "What one liquidation costs a keeper, in USD."),
    ("keeper_capacity_usd", click.FloatRange(0), "What all keepers can repay a round, in USD."),
    ("recovery", click.FloatRange(0, 1), "Part of the way back that pools come each round."),
    ("slices", click.IntRange(1, 1000), "Parts that a sale is cut into."),
    ("max_rounds", click.IntRange(1, 100_000), "After how many rounds to stop."),
)
STATIC_STEPS, CASCADE_STEPS = 100, 20
"""Points of the grid of --reverse in each direction."""
COMPILED_FROM = 100_000
"""Rows times scenarios of a --reverse grid from which machine code pays, though it may have to be
made first: all rounds of all scenarios are played, and again for every halving.
"""


def cascade_options(command: F) -> F:
    """The settings of `contagion.cascade`, each None where it is not typed."""
    for name, type_, text in reversed(_SETTINGS):
        default = getattr(BASE, name)
        shown = "no limit" if isinf(default) else default
        command = click.option(
            "--" + name.removesuffix("_usd").replace("_", "-"),
            name,
            type=type_,
            help=f"With --cascade: {text} [default: {shown}]",
        )(command)
    return command


@click.command(
    epilog="""\b
Examples:
  defirisk stress --shock price:WETH=-40%
  defirisk stress --cascade --shock price:WETH=-40% --shock liquidity:WETH=-80%
  defirisk stress --shock price:WETH=-30% --shock depeg:USDC=0.88     both at once
  defirisk stress --grid --shock price:WETH=-20% --shock price:WETH=-40% --shock depeg:DAI=0.9
  defirisk stress --scenarios scenarios.csv --format json
  defirisk stress --shock oracle:WETH@aave-v3=+30% --accounts
  defirisk stress --reverse 'bad_debt_usd>1e6' --cascade
  defirisk stress --grid --shock history:prices.csv     a scenario for each time of the file"""
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
    show_default=True,
    help="Play liquidations through, round by round: they move prices, which liquidate more.",
)
@cascade_options
@click.option(
    "--reverse",
    metavar="MEASURE>AMOUNT",
    help="The smallest fall and rise of each asset's price that crosses this budget.",
)
@click.option("--accounts", is_flag=True, help="List the accounts that can be liquidated at once.")
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
    reverse: str | None,
    accounts: bool,
    chain: str | None,
    block: int | BlockTag | None,
    db: str | None,
    format_: str | None,
    output: str | None,
    **typed: Any,
) -> None:
    """What could be liquidated, and what would be bad debt, after prices moved.

    Several --shock combine into one scenario. Without --cascade prices are as shocked, and no
    liquidation is played through. With it, a low and a high case stand beside the result.
    """
    from defirisk.cli.output import emit
    from defirisk.cli.progress import Bars
    from defirisk.cli.session import load, opened, provenance
    from defirisk.core.errors import UsageError

    settings = _settings(cascade, typed)
    if reverse is not None and (scenarios or grid or accounts):
        raise UsageError("--reverse makes its own scenarios: only --shock can stand beside it")
    if reverse is None and not shocks and not scenarios:
        raise UsageError("nothing to stress: give --shock price:WETH=-40% or --scenarios FILE")
    budget = _budget(reverse, cascade)
    with opened(db) as (configured, store):
        book, final = load(store, protocols, configured.chain_id(chain), block)
    run = provenance(book.chain_id, final)
    with Bars() as bars:
        bars("stress", 0, None)
        if budget is not None:
            report = _reversed(book, budget, shocks, settings, run)
        else:
            wanted = _scenarios(book, shocks, scenarios, grid)
            report = _report(book, wanted, settings, accounts, run)
    emit(report, format_, output)


def _settings(cascade: bool, typed: dict[str, Any]) -> Settings | None:
    """What was typed, None without the cascade."""
    from defirisk.core.errors import UsageError

    given = {name: value for name, value in typed.items() if value is not None}
    if cascade:
        return replace(BASE, **given)
    if given:
        option = next(iter(given)).removesuffix("_usd").replace("_", "-")
        raise UsageError(f"--{option} is a setting of the cascade: add --cascade")
    return None


def _budget(text: str | None, cascade: bool) -> Any:
    from defirisk.contagion.reverse import parse

    return None if text is None else parse(text, played=cascade)


def _report(
    book: Book, wanted: list[Scenario], settings: Settings | None, accounts: bool, run: Run
) -> Report:
    from defirisk.contagion.screen import liquidatable_units, screen
    from defirisk.reports import cascade, stress

    outcome = screen(book, wanted)
    listed = [
        (scenario.name, book.units[int(unit)])
        for scenario in (wanted if accounts else [])
        for unit in liquidatable_units(book, scenario)
    ]
    if settings is None:
        return stress.build(book, outcome, run=run, accounts=listed)
    cases = cascade.play_cases(book, wanted, settings)
    return cascade.build(book, outcome, cases, run=run, accounts=listed)


def _reversed(
    book: Book, budget: Any, shocks: tuple[str, ...], settings: Settings | None, run: Run
) -> Report:
    from dataclasses import asdict

    from defirisk.contagion.reverse import falls, movable, rises, smallest_moves
    from defirisk.reports import reverse
    from defirisk.reports.cascade.words import assumed, left_out
    from defirisk.shocks.grammar import scenario

    steps = STATIC_STEPS if settings is None else CASCADE_STEPS
    beside = scenario("", shocks, book).moves
    assets = movable(book)
    measure = _measure(book, budget.measure, settings)
    down, up = (
        smallest_moves(book, assets, grid, budget, measure, beside=beside)
        for grid in (falls(steps), rises(steps))
    )
    return reverse.build(
        book,
        budget,
        down,
        up,
        run=run,
        shocks=shocks,
        steps=steps,
        assumptions=None if settings is None else asdict(settings),
        assumed="" if settings is None else assumed(settings),
        notes=() if settings is None else left_out(book),
    )


def _measure(book: Book, name: str, settings: Settings | None) -> Measure:
    """The measure of scenarios, from the screen where it is one of the screen's."""
    from defirisk.contagion.screen import screen

    if settings is None or name in ("debt_at_risk_usd", "collateral_at_risk_usd"):

        def screened(scenarios: Sequence[Scenario]) -> list[float]:
            found = getattr(screen(book, scenarios), name)
            return [float(value) for value in found.sum(axis=0)]

        return screened
    from defirisk.contagion.cascade.play import Cascade

    tables = Cascade(book)
    rows = len(book.holding_unit)
    compiled = False

    def played(scenarios: Sequence[Scenario]) -> list[float]:
        nonlocal compiled
        compiled = compiled or rows * len(scenarios) >= COMPILED_FROM
        outcome = tables.play(scenarios, settings, compiled=compiled)
        found = outcome.rounds[None] if name == "rounds" else getattr(outcome, name)
        return [float(value) for value in found.sum(axis=0)]

    return played


def _scenarios(book: Book, shocks: tuple[str, ...], file: str | None, grid: bool) -> list[Scenario]:
    from defirisk.cli.scenario_file import read_scenarios
    from defirisk.shocks.grammar import axes, scenario
    from defirisk.shocks.grammar import grid as product

    found = [scenario(name, texts, book) for name, texts in read_scenarios(file)] if file else []
    if shocks:
        every = [one for text in shocks for one in (_by_time(text) if grid else [text])]
        found += product(axes(every), book) if grid else [scenario("", shocks, book)]
    return found


def _by_time(text: str) -> list[str]:
    """A recorded path without a time as an alternative for each of its times."""
    from datetime import UTC, datetime

    from defirisk.shocks.grammar import split
    from defirisk.shocks.history import SHOCK, times

    kind, target, value = split(text)
    if kind != SHOCK.name or not target or value:
        return [text]
    stamps = (datetime.fromtimestamp(ts, UTC) for ts in times(target))
    return [f"{kind}:{target}={stamp:%Y-%m-%dT%H:%M:%SZ}" for stamp in stamps]
