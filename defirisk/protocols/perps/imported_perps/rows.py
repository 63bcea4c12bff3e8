"""The state of imported perpetuals: what the user's files state, digit by digit."""

from __future__ import annotations

from dataclasses import dataclass

from defirisk.core.row import Row, Wide

PLACES = 18
"""Decimals of every `_raw` amount: of tokens, and of US dollars."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedPerp(Row, table="imported_perps_positions", key=("market", "account")):
    """One position. `size_raw` is above 0 for longs and below for shorts; `mode` is a name of
    `core.margin.Mode`. Prices and fractions are decimal text. `maintenance_margin` is empty where
    only the tiers of the asset say what must be kept.
    """

    market: str
    account: str
    asset: str = ""
    size_raw: Wide = 0
    entry_price_usd: str = "0"
    margin_raw: Wide = 0
    maintenance_margin: str = ""
    mode: str = "isolated"
    price_usd: str = "0"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedTier(Row, table="imported_perps_tiers", key=("asset", "tier")):
    """What positions of an asset need from a notional on. Tiers count from 0, which starts at 0."""

    asset: str
    tier: int
    notional_floor_usd: str = "0"
    initial_margin: str = "0"
    maintenance_margin: str = "0"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedCollateral(Row, table="imported_perps_collateral", key=("account", "asset")):
    """What backs all cross positions of an account, besides their margins. `haircut` is the part
    of its value that does not count.
    """

    account: str
    asset: str
    amount_raw: Wide = 0
    haircut: str = "0"
    price_usd: str = "0"


ROWS = (ImportedPerp, ImportedTier, ImportedCollateral)
