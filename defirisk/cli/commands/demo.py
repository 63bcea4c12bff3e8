"""defirisk demo"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pathlib import Path

    from defirisk.core.verdict import Verdict
    from defirisk.reports.model import Report, Run
    from defirisk.store.database import Store

RECORDING = "demo-chain.jsonl.xz"
DEPLOYMENT = "demo.toml"
STORE = "demo.db"  # not the name of anybody's own store, which may be in the same folder
CASCADES = (("price:WETH=-20%",), ("price:WETH=-40%",), ("price:WBTC=-30%",))
SHOCKS = (
    ("price:WETH=-20%",),
    ("price:WETH=-40%",),
    ("price:WBTC=-40%",),
    ("depeg:USDC=0.88",),
    ("price:WETH=-30%", "price:WBTC=-30%", "price:LINK=-30%"),
    ("oracle:WETH@aave-v3=+30%",),
    ("slash:yWETH=-10%",),
    ("market:LINK=-50%",),
)
PROPOSAL = ("aave-v3-devnet", ("WETH",), ("lt=84%,ltv=81%",))


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

    Needs no node and no network: the chain (real Aave v3.6 and v3.0, Morpho Blue and Compound v2
    markets, Synthetix and Perp Curie, MakerDAO and Liquity v1, Uniswap and Curve pools, vaults and
    feeds, with over 300 accounts and half a year of prices, executed on a local chain) comes with
    the package. The same code runs as on a live node.
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


def _db(folder: Path) -> str:
    return f"sqlite:///{folder / STORE}"


async def _indexed(folder: Path) -> tuple[Store, list[Verdict]]:
    """The recorded chain in a new store, and the contracts' own word on every number."""
    import tomllib

    from defirisk.chain.recorded import RecordedChainReader
    from defirisk.cli.progress import Bars
    from defirisk.indexing.deployments import parse
    from defirisk.indexing.run import index
    from defirisk.indexing.verify import verify
    from defirisk.resources import read_text, resource
    from defirisk.store.database import open_store
    from defirisk.store.snapshots import refereed_deployments

    folder.mkdir(parents=True, exist_ok=True)
    for leftover in (STORE, f"{STORE}-wal", f"{STORE}-shm"):
        (folder / leftover).unlink(missing_ok=True)
    tables = tomllib.loads(read_text("fixtures", DEPLOYMENT))["deployment"]
    reader = RecordedChainReader(resource("fixtures", RECORDING))
    store = open_store(_db(folder), create=True)
    with Bars() as bars:
        summary = await index(
            reader, store, [parse(table, DEPLOYMENT) for table in tables], "finalized", bars
        )
        with store.transaction() as connection:
            deployments = refereed_deployments(connection, ())
        verdicts = [
            await verify(reader, store, stored, summary.block, progress=bars)
            for stored in deployments
        ]
    return store, [verdict for verdict in verdicts if verdict.compared or verdict.read]


def _pages(store: Store, folder: Path, verdicts: list[Verdict]) -> Report:
    """Writes the linked pages; returns the first of them, which is also the summary."""
    from defirisk.cli.pages import chain_pages
    from defirisk.cli.session import load, provenance
    from defirisk.reports.demo import summary
    from defirisk.reports.site import Page, write_site

    book, final = load(store, (), None, None)
    run = provenance(book.chain_id, final)
    made = chain_pages(store, None, SHOCKS, CASCADES, verdicts, run)
    made.pages["proposal.html"] = Page(
        report=_proposal(store, folder / "proposal", run),
        name="Proposal",
        about="What a change of parameters would do, as a forum would read it",
    )
    front = summary(made.book, made.outcome, verdicts, made.pages, run=run)
    write_site(folder, made.pages, front)
    return front


def _proposal(store: Store, folder: Path, run: Run) -> Report:
    """Writes a proposal's folder as `defirisk propose` does without a node; returns its page."""
    import json
    import sys
    from contextlib import redirect_stdout
    from dataclasses import replace

    from defirisk.cli.proposing import Asked, prepared, published, repeated, texts_of
    from defirisk.governance.impact import impact
    from defirisk.governance.manifest import NAME
    from defirisk.reports.proposal import build

    asked = Asked(*PROPOSAL, (), None, ())
    market, _, final = prepared(store, asked.deployment, None, None)
    made = repeated(market, asked, texts_of(market, asked))
    numbers = impact(made.case)
    named = asked.named(numbers["by_the_change_itself"], folder)
    with redirect_stdout(sys.stderr):
        published(folder, made, numbers, None, "the demo has no node to fork", named, final)
    executed = json.loads((folder / NAME).read_text(encoding="utf-8"))["execution"]
    return build(numbers, executed, replace(run, command=made.case.command))
