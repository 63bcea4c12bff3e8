"""defirisk import"""

from __future__ import annotations

import click

from defirisk.cli.options import db_option, output_options

KINDS = ("lending", "perps", "pools", "prices", "vaults", "oracles", "morpho")


@click.command(
    "import",
    epilog="""\b
Examples:
  defirisk import lending positions.csv markets.csv
  defirisk import lending markets.parquet positions.parquet --skip-bad --format json
  defirisk import perps perps.csv tiers.csv collateral.csv
  defirisk import perps dump.json
  defirisk import pools pools.csv ticks.csv
  defirisk import vaults vaults.csv allocations.csv
  defirisk import morpho markets.csv positions.csv allocations.csv oracles.csv
\b
Columns, the first line of a file being its header; amounts are in whole tokens, fractions of 1:
  lending  protocol,market,account,asset,side,amount        side: collateral, supply or debt
           protocol,market,asset,decimals,price_usd,ltv,liquidation_threshold,
           liquidation_bonus,close_factor
  perps    protocol,market,account,asset,size,entry_price_usd,margin_usd,maintenance_margin,
           mode,price_usd     size below 0: short; mode: isolated, or cross (margins add up)
           protocol,asset,notional_floor_usd,initial_margin,maintenance_margin,max_leverage
           (tiers of an asset go before a position's own maintenance_margin, which may be empty)
           protocol,account,asset,amount,haircut,price_usd     more that backs cross positions
           or a JSON file of what the API of Hyperliquid or Binance answered (see docs)
  pools    venue,kind,asset_in,asset_out,reserve_in,reserve_out,fee,amplification
           kind: constant-product (admin_fee 1: the fee leaves the pool), stableswap (with
           admin_fee, and generation first for 3pool and its like), uniswap-v3 (with
           sqrt_price_x96 or price, tick_spacing, and a file venue,tick,liquidity_net; liquidity
           and ticks_from,ticks_to where not all ticks are given), depth (with
           price,cumulative_amount); decimals_in,decimals_out where they are not 18
  prices   ts,asset,price_usd,source
  vaults   vault,asset,total_assets,total_shares            and: vault,market,amount
  oracles  protocol,market,asset,kind,source
  morpho   what Morpho's API says of markets, positions, vaults, allocations and oracles, with its
           column names; other columns are passed over, and files of sums and of prices, too
\b
A CSV file that ends in .gz is unpacked.""",
)
@click.argument("kind", type=click.Choice(KINDS), metavar="|".join(KINDS))
@click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(exists=True),
    metavar="FILE...",
)
@click.option("--skip-bad", is_flag=True, help="Store what is valid, and leave refused rows out.")
@db_option
@output_options()
def command(
    kind: str,
    files: tuple[str, ...],
    skip_bad: bool,
    db: str | None,
    format_: str | None,
    output: str | None,
) -> None:
    """Read positions, perpetuals, pools, prices, vaults, oracles or records of Morpho's API from
    CSV or parquet files into the store.

    Which file is which, its header says; a folder stands for all such files in it. Nothing is
    stored unless every row is valid. A protocol, pool or vault that was imported before is
    replaced; what it was stays readable with --block.
    """
    from defirisk.cli.output import emit
    from defirisk.cli.progress import Bars
    from defirisk.cli.session import opened, provenance
    from defirisk.core.errors import UsageError
    from defirisk.imports import run
    from defirisk.reports.imported import build
    from defirisk.reports.value import plural

    what = run.kind_of(kind)
    files = run.files_of(files)
    with Bars() as bars:
        found = run.read(what, files, bars)
        refused = found.refused
        if refused and not skip_bad:
            said = run.summary(found, files)
        else:
            bars("store", 0, None)
            # The store is only made once there is something to put into it.
            with opened(db, create=True) as (_, store):
                said = run.store(store, what, found, files)
    emit(build(said, run=provenance(0, True)), format_, output)
    if said.block is None:
        first = refused[0]
        more = f" (and {plural(len(refused) - 1, 'more row')})" if len(refused) > 1 else ""
        raise UsageError(
            f"nothing was stored: {first.file}, line {first.line}: {first.reason}{more}"
        )
