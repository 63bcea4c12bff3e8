"""Records of Morpho's API in CSV form: which columns are read of the many that such files have."""

from __future__ import annotations

from defirisk.imports.reading import Layout

MARKETS = Layout(
    name="morpho markets",
    columns=(
        *("market_id", "chain_id", "collateral_symbol", "collateral_decimals"),
        *("collateral_price_usd", "loan_symbol", "loan_decimals", "loan_price_usd", "lltv"),
        *("oracle_address", "oracle_price_raw"),
        *("supply_assets", "borrow_assets", "collateral_assets"),
    ),
    loose=True,
)
POSITIONS = Layout(
    name="morpho positions",
    columns=(
        *("user_address", "market_unique_key", "collateral_raw", "borrow_assets_raw"),
        "supply_assets_raw",
    ),
    loose=True,
)
ALLOCATIONS = Layout(
    name="morpho allocations in dollars, of whole vaults",
    columns=(
        *("vault_address", "vault_name", "vault_total_usd", "market_unique_key", "loan_symbol"),
        "supply_assets_usd",
    ),
    loose=True,
)
VAULTS = Layout(
    name="morpho vaults, each with one of its markets",
    columns=(
        *("vault_address", "vault_name", "market_id", "deposit_asset_symbol"),
        *("deposit_asset_decimals", "supply_assets", "vault_total_assets"),
        "vault_total_supply_shares",
    ),
    loose=True,
)
FEEDS = ("base_feed_one", "base_feed_two", "quote_feed_one", "quote_feed_two")
ORACLES = Layout(
    name="morpho oracles",
    columns=("market_unique_key", *FEEDS, "base_oracle_vault", "quote_oracle_vault"),
    loose=True,
)
SUMS = Layout(
    name="sums over allocations",
    columns=("vault_address", "vault_name", "total_assets_usd", "n_total_markets"),
    loose=True,
)
PRICES = Layout(
    name="prices over time",
    columns=("symbol", "address", "chain_id", "timestamp", "price_usd"),
    loose=True,
)
PASSED_OVER = (SUMS, PRICES)
"""What such a folder also has: sums are made anew, prices have an import of their own."""
LAYOUTS = (MARKETS, POSITIONS, ALLOCATIONS, VAULTS, ORACLES, *PASSED_OVER)
