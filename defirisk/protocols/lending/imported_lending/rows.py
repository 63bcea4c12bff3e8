"""The state of an imported lending protocol: what the user's files state, digit by digit."""

from __future__ import annotations

from dataclasses import dataclass

from defirisk.core.row import Row, Wide


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedMarket(Row, table="imported_lending_markets", key=("market", "asset")):
    """One asset in one market. Assets of one market are liquidated together.

    Prices in US dollars of a whole token and fractions of 1 (a bonus of 0.05 is 5 %) are decimal
    text, so that no digit is lost. `close_factor` is what a liquidator may repay at once.
    """

    market: str
    asset: str
    decimals: int = 18
    price_usd: str = "0"
    ltv: str = "0"
    liquidation_threshold: str = "0"
    liquidation_bonus: str = "0"
    close_factor: str = "0"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedPosition(
    Row, table="imported_lending_positions", key=("market", "account", "asset", "side")
):
    """What one account holds or owes. `side` is the name of a `core.holdings.Side`, in lower case;
    `amount_raw` is in base units of the asset.
    """

    market: str
    account: str
    asset: str
    side: str
    amount_raw: Wide = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedOracle(Row, table="imported_lending_oracles", key=("market", "asset")):
    """What prices an asset in a market. Prices of the same source move together; one that is
    hard-coded does not move.
    """

    market: str
    asset: str
    oracle_kind: str = ""
    source: str = ""


ROWS = (ImportedMarket, ImportedPosition, ImportedOracle)
