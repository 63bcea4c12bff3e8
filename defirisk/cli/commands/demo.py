"""defirisk demo"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pathlib import Path

    from defirisk.core.verdict import Verdict
    from defirisk.store.database import Store

RECORDING = "demo-chain.jsonl.xz"
DEPLOYMENT = "demo.toml"
SHOCKS = (
    ("price:WETH=-20%",),
    ("price:WETH=-40%",),
    ("price:WBTC=-40%",),
    ("depeg:USDC=0.88",),
    ("price:WETH=-30%", "price:WBTC=-30%", "price:LINK=-30%"),
    ("oracle:WETH@aave-v3=+30%",),
)


@click.command(
    epilog="""\b
Example:
  defirisk demo -o out && open out/index.html"""
)
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False),
    default="defirisk-demo",
    show_default=True,
    help="Folder for the pages and the store.",
)
def command(output: str) -> int:
    """Index a recorded chain, prove the numbers, run shocks, write the pages.

    Needs no node and no network: the chain (a real Aave v3.6 market with over 300 accounts and
    half a year of prices, executed on a local chain) comes with the package. The same code runs as
    on a live node.
    """
    import asyncio
    from pathlib import Path

    from defirisk.cli.output import emit

    folder = Path(output)
    store, verdicts = asyncio.run(_indexed(folder))
    try:
        report = _pages(store, folder, verdicts)
    finally:
        store.close()
    emit(report, "table", None)
    click.echo(f"pages: {folder / 'index.html'}", err=True)
    click.echo(f"look further with: defirisk positions aave-v3 --db {_db(folder)}", err=True)
    return 1 if any(verdict.mismatches for verdict in verdicts) else 0
