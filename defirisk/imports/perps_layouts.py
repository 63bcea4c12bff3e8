"""The columns of files of perpetuals."""

from __future__ import annotations

from defirisk.imports.reading import Layout

PERPS = Layout(
    name="perps",
    columns=(
        *("protocol", "market", "account", "asset", "size", "entry_price_usd", "margin_usd"),
        *("maintenance_margin", "mode", "price_usd"),
    ),
    exact=frozenset({"size", "margin_usd"}),
)
TIERS = Layout(
    name="perp tiers",
    columns=(
        *("protocol", "asset", "notional_floor_usd", "initial_margin", "maintenance_margin"),
        "max_leverage",
    ),
    optional=frozenset({"max_leverage"}),
)
COLLATERAL = Layout(
    name="perp collateral",
    columns=("protocol", "account", "asset", "amount", "haircut", "price_usd"),
    exact=frozenset({"amount"}),
)
LAYOUTS = (PERPS, TIERS, COLLATERAL)
