"""defirisk tune"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from defirisk.cli.options import block_option, chain_option, db_option, output_options
from defirisk.core.evm import BlockTag

if TYPE_CHECKING:
    from defirisk.governance.change import Terms
    from defirisk.governance.losses import Engine

REACH, STEP = 1_500, 100
"""Basis points around today's threshold, and between two points, where nothing is said."""


@click.command(
    epilog="""\b
Examples:
  defirisk tune aave-v3 --asset WETH
  defirisk tune aave-v3 --asset WETH --lt 70%..86%:0.5% -o frontier.html
  defirisk tune aave-v3 --asset WBTC --bonus 5% --bonus 7.5% --keep-ltv --format json
  defirisk tune aave-v3 --asset WETH --lt 78%..84%:2% --bonus 3% --bonus 6% --cascade"""
)
@click.argument("deployment", metavar="PROTOCOL|DEPLOYMENT")
@click.option("--asset", required=True, help="A listed collateral: symbol or address.")
@click.option(
    "--lt",
    metavar="FROM..TO[:STEP]",
    help="Liquidation thresholds to try. [default: 15 % around today's, by 1 %]",
)
@click.option("--bonus", "bonuses", multiple=True, help="Bonuses to try. [default: today's]")
@click.option(
    "--keep-ltv", is_flag=True, help="Leave the LTV; else it keeps its distance to the threshold."
)
@click.option(
    "--shock",
    "shocks",
    multiple=True,
    metavar="KIND:TARGET=VALUE",
    help="One more scenario, of all --shock together. See defirisk list shocks.",
)
@click.option(
    "--scenarios",
    type=click.Path(exists=True, dir_okay=False),
    help="CSV with columns name,shock, instead of the default scenarios of propose.",
)
@click.option(
    "--cascade/--no-cascade",
    default=False,
    show_default=True,
    help="Play liquidations through at every point: bad debt then hangs on the bonus and on pools, "
    "too. It takes ten seconds a point and more.",
)
@chain_option
@block_option
@db_option
@output_options()
def command(
    deployment: str,
    asset: str,
    lt: str | None,
    bonuses: tuple[str, ...],
    keep_ltv: bool,
    shocks: tuple[str, ...],
    scenarios: str | None,
    cascade: bool,
    chain: str | None,
    block: int | BlockTag | None,
    db: str | None,
    format_: str | None,
    output: str | None,
) -> None:
    """The frontier of bad debt against borrowing power over one asset's parameters.

    Every point is judged by the same named scenarios as a proposal; today's point is marked.
    """
    from defirisk.cli.output import emit
    from defirisk.cli.progress import Bars
    from defirisk.cli.proposing import Asked, prepared, texts_of
    from defirisk.cli.session import opened, provenance
    from defirisk.governance.aave_v3.dial import dial
    from defirisk.governance.request import percent
    from defirisk.governance.tuning import frontier, grid
    from defirisk.reports.tuning import build
    from defirisk.shocks.grammar import scenario

    with opened(db) as (settings, store):
        market, _, final = prepared(store, deployment, settings.chain_id(chain), block)
    asked = Asked(deployment, (asset,), (), shocks, scenarios, ())
    turned = dial(market, asset)
    tried = [percent("--bonus", text) for text in bonuses] or [turned.today.liquidation_bonus_bps]
    terms = grid(turned.today, _thresholds(lt, turned.today), tried, keep_ltv=keep_ltv)
    texts = texts_of(market, asked)
    wanted = [scenario(name, each, market.book) for name, each in texts]
    engine: Engine = "cascade" if cascade else "static"
    with Bars() as bars:
        points = frontier(
            turned, terms, wanted, lambda done, all_: bars("tune", done, all_), engine
        )
    listed = list(dict.fromkeys(shock for _, each in texts for shock in each))
    symbol = market.symbol(market.reserve(asset).asset)
    run = provenance(market.book.chain_id, final)
    report = build(market.book, market.deployment, symbol, points, run, listed, engine)
    emit(report, format_, output)


def _thresholds(text: str | None, today: Terms) -> list[int]:
    """Basis points of FROM..TO:STEP, or around today's."""
    from defirisk.core.errors import UsageError
    from defirisk.governance.request import percent

    now = today.liquidation_threshold_bps
    first, last, step = max(STEP, now - REACH), now + REACH, STEP
    if text is not None:
        match = re.fullmatch(r"([^:]+)\.\.([^:]+?)(?::([^:]+))?", text)
        if match is None:
            raise UsageError(f"--lt {text!r} is no range: type for example --lt 70%..86%:0.5%")
        first, last = percent("--lt", match[1]), percent("--lt", match[2])
        step = percent("--lt", match[3]) if match[3] else STEP
        if step <= 0 or last < first:
            raise UsageError(f"--lt {text!r} goes nowhere: type for example --lt 70%..86%:0.5%")
    return list(range(first, last + 1, step))
