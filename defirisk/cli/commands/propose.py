"""defirisk propose"""

from __future__ import annotations

import click

from defirisk.cli.options import block_option, db_option, node_options
from defirisk.core.evm import BlockTag


@click.command(
    epilog="""\b
Examples:
  defirisk propose aave-v3 --asset WETH --set lt=82%,ltv=79% -o out
  defirisk propose aave-v3 --asset WBTC --set bonus=5.5% --asset LINK --set supply_cap=40000
  defirisk propose aave-v3 --asset WETH --set lt=75% --accept-liquidations 0x1234,0x5678
  defirisk propose aave-v3 --asset WETH --set lt=82% --shock price:WETH=-30% --block 23100000"""
)
@click.argument("deployment", metavar="PROTOCOL|DEPLOYMENT")
@click.option(
    "--asset",
    "assets",
    multiple=True,
    required=True,
    help="A listed asset: symbol, address or the start of one. Repeatable, each with its --set.",
)
@click.option(
    "--set",
    "settings_",
    multiple=True,
    required=True,
    metavar="lt=..,ltv=..,bonus=..,supply_cap=..,borrow_cap=..",
    help="New values for the --asset of the same place: percentages (5% is a bonus of 5 %), caps "
    "in whole tokens, 0 for none. What is not named stays.",
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
    help="CSV with columns name,shock, instead of the default scenarios.",
)
@click.option(
    "--cascade/--no-cascade",
    default=True,
    show_default=True,
    help="Play liquidations through in every scenario, or only count who is at risk.",
)
@click.option(
    "--accept-liquidations",
    "accepted",
    multiple=True,
    metavar="ACCOUNT,...|@FILE",
    help="Accounts that may become liquidatable by the change itself at the block's prices. The "
    "rule: each of them has to be named here, or nothing is proposed.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False),
    default="proposal",
    show_default=True,
    help="The folder to write to.",
)
@block_option
@node_options
@db_option
def command(
    deployment: str,
    assets: tuple[str, ...],
    settings_: tuple[str, ...],
    shocks: tuple[str, ...],
    scenarios: str | None,
    cascade: bool,
    accepted: tuple[str, ...],
    output: str,
    block: int | BlockTag | None,
    rpc_url: str | None,
    chain: str | None,
    timeout: float,
    db: str | None,
) -> int:
    """Write a change of parameters as a proposal, and execute it on a fork.

    Writes post.md, proposal.html, impact.json, payload/, bundle/ and manifest.json. The payload is
    executed by the real contracts on an anvil fork of the node, which is then indexed again: exit
    code 1 where anything differs from what was predicted, or where nothing could be executed.
    """
    from pathlib import Path

    from defirisk.cli.progress import Bars
    from defirisk.cli.proposing import Asked, prepared, published, rehearsed, repeated, texts_of
    from defirisk.cli.session import opened
    from defirisk.governance.impact import by_itself, impact

    folder = Path(output)
    asked = Asked(deployment, assets, settings_, shocks, scenarios, accepted, cascade)
    with opened(db) as (settings, store):
        market, stored, final = prepared(store, deployment, settings.chain_id(chain), block)
        made = repeated(market, asked, texts_of(market, asked))
        named = asked.named(by_itself(made.case), folder)
        with Bars() as bars:
            bars("impact", 0, None)
            numbers = impact(made.case)
            bars("execution on a fork", 0, None)
            done, why_not = rehearsed(
                settings, store, stored, made, url=rpc_url, chain=chain, timeout=timeout
            )
    return published(folder, made, numbers, done, why_not, named, final)
