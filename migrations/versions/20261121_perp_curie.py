"""The rows of Perp Curie."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from defirisk.store.types import WideInteger

revision = "20261121_perp_curie"
down_revision = "20261121_liquity_v1_pool"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _configs()
    _margin_ratios()
    _markets()
    _pools()
    _price_sources()
    _dispatchers()
    _fallbacks()
    _feed_constants()
    _price_feeds()
    _price_observations()
    _accounts()
    _account_markets()
    _orders()
    _maker_reads()
    _collaterals()
    _collateral_configs()
    _insurance_ledgers()
    _insurance_wallets()
    _paused_prices()


def _configs() -> None:
    _table(
        "perp_curie_configs",
        ("scope",),
        sa.Column("scope", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("liquidation_penalty_ratio", sa.BigInteger(), nullable=False),
        sa.Column("twap_interval", sa.BigInteger(), nullable=False),
        sa.Column("max_funding_rate", sa.BigInteger(), nullable=False),
        sa.Column("market_twap_interval", sa.BigInteger(), nullable=False),
        sa.Column("premium_interval", sa.BigInteger(), nullable=False),
    )


def _margin_ratios() -> None:
    _table(
        "perp_curie_margin_ratios",
        ("scope",),
        sa.Column("scope", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("im_ratio", sa.BigInteger(), nullable=False),
        sa.Column("mm_ratio", sa.BigInteger(), nullable=False),
    )


def _markets() -> None:
    _table(
        "perp_curie_markets",
        ("base_token",),
        sa.Column("base_token", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("pool", sa.Text(), nullable=False),
        sa.Column("uniswap_fee", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.BigInteger(), nullable=False),
        sa.Column("paused_timestamp", sa.BigInteger(), nullable=False),
        sa.Column("sqrt_price_x96", WideInteger(), nullable=False),
        sa.Column("first_traded_timestamp", sa.BigInteger(), nullable=False),
        sa.Column("last_settled_timestamp", sa.BigInteger(), nullable=False),
        sa.Column("tw_premium_x96", WideInteger(), nullable=False),
        sa.Column("growth_known", sa.Boolean(), nullable=False),
    )


def _pools() -> None:
    _table(
        "perp_curie_pools",
        ("pool",),
        sa.Column("pool", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("liquidity", WideInteger(), nullable=False),
        sa.Column("observation_cardinality_next", sa.BigInteger(), nullable=False),
        sa.Column("fee_protocol", sa.BigInteger(), nullable=False),
    )


def _price_sources() -> None:
    _table(
        "perp_curie_price_sources",
        ("base_token",),
        sa.Column("base_token", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("dispatcher", sa.Text(), nullable=False),
        sa.Column("said", sa.Boolean(), nullable=False),
    )


def _dispatchers() -> None:
    _table(
        "perp_curie_dispatchers",
        ("dispatcher",),
        sa.Column("dispatcher", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("price_feed", sa.Text(), nullable=False),
    )


def _fallbacks() -> None:
    _table(
        "perp_curie_fallbacks",
        ("dispatcher",),
        sa.Column("dispatcher", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("uniswap_feed", sa.Text(), nullable=False),
    )


def _feed_constants() -> None:
    _table(
        "perp_curie_feed_constants",
        ("price_feed",),
        sa.Column("price_feed", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("aggregator", sa.Text(), nullable=False),
        sa.Column("decimals", sa.BigInteger(), nullable=False),
    )


def _price_feeds() -> None:
    _table(
        "perp_curie_price_feeds",
        ("price_feed",),
        sa.Column("price_feed", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("last_valid_price", WideInteger(), nullable=False),
        sa.Column("last_valid_timestamp", sa.BigInteger(), nullable=False),
        sa.Column("observation_index", sa.BigInteger(), nullable=False),
        sa.Column("next_observation_index", sa.BigInteger(), nullable=False),
        sa.Column("freezed_reason", sa.BigInteger(), nullable=False),
    )


def _price_observations() -> None:
    _table(
        "perp_curie_price_observations",
        ("price_feed", "index"),
        sa.Column("price_feed", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("price", WideInteger(), nullable=False),
        sa.Column("price_cumulative", WideInteger(), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
    )


def _accounts() -> None:
    _table(
        "perp_curie_accounts",
        ("account",),
        sa.Column("account", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("balance_raw", WideInteger(), nullable=False),
        sa.Column("owed_realized_pnl", WideInteger(), nullable=False),
        sa.Column("latest_market", sa.Text(), nullable=False),
    )


def _account_markets() -> None:
    _table(
        "perp_curie_account_markets",
        ("account", "base_token"),
        sa.Column("account", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("base_token", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("taker_position_size", WideInteger(), nullable=False),
        sa.Column("taker_open_notional", WideInteger(), nullable=False),
        sa.Column("last_tw_premium_growth_global_x96", WideInteger(), nullable=False),
        sa.Column("orders", sa.BigInteger(), nullable=False),
        sa.Column("changed_block", sa.BigInteger(), nullable=False),
        sa.Column("changed_log_index", sa.BigInteger(), nullable=False),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.Column("earlier_market", sa.Text(), nullable=False),
    )


def _orders() -> None:
    _table(
        "perp_curie_orders",
        ("account", "base_token", "lower_tick", "upper_tick"),
        sa.Column("account", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("base_token", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("lower_tick", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("upper_tick", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("liquidity", WideInteger(), nullable=False),
        sa.Column("base_debt", WideInteger(), nullable=False),
        sa.Column("quote_debt", WideInteger(), nullable=False),
    )


def _maker_reads() -> None:
    _table(
        "perp_curie_maker_reads",
        ("account", "base_token"),
        sa.Column("account", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("base_token", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("pending_fee", WideInteger(), nullable=False),
        sa.Column("pending_funding", WideInteger(), nullable=False),
        sa.Column("read_block", sa.BigInteger(), nullable=False),
    )


def _collaterals() -> None:
    _table(
        "perp_curie_collaterals",
        ("account", "token"),
        sa.Column("account", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("token", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("balance_raw", WideInteger(), nullable=False),
    )


def _collateral_configs() -> None:
    _table(
        "perp_curie_collateral_configs",
        ("token",),
        sa.Column("token", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.Column("price_feed", sa.Text(), nullable=False),
        sa.Column("collateral_ratio", sa.BigInteger(), nullable=False),
        sa.Column("discount_ratio", sa.BigInteger(), nullable=False),
    )


def _insurance_ledgers() -> None:
    _table(
        "perp_curie_insurance_ledgers",
        ("scope",),
        sa.Column("scope", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("bad_debt_raw", WideInteger(), nullable=False),
        sa.Column("fees_raw", WideInteger(), nullable=False),
    )


def _insurance_wallets() -> None:
    _table(
        "perp_curie_insurance_wallets",
        ("scope",),
        sa.Column("scope", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("balance_raw", WideInteger(), nullable=False),
        sa.Column("read_block", sa.BigInteger(), nullable=False),
    )


def _paused_prices() -> None:
    _table(
        "perp_curie_paused_prices",
        ("base_token",),
        sa.Column("base_token", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("paused_index_price", WideInteger(), nullable=False),
        sa.Column("closed_price", WideInteger(), nullable=False),
    )


def _table(name: str, key: tuple[str, ...], *columns: sa.Column[Any]) -> None:
    op.create_table(
        name,
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        *columns,
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f(f"fk_{name}_deployment_id"),
        ),
        sa.PrimaryKeyConstraint("deployment_id", *key, "valid_from_block", name=op.f(f"pk_{name}")),
    )
    for column in ("valid_from_block", "valid_to_block"):
        index = op.f(f"ix_{name}_deployment_id_{column}")
        op.create_index(index, name, ["deployment_id", column])


def downgrade() -> None:
    op.drop_table("perp_curie_paused_prices")
    op.drop_table("perp_curie_insurance_wallets")
    op.drop_table("perp_curie_insurance_ledgers")
    op.drop_table("perp_curie_collateral_configs")
    op.drop_table("perp_curie_collaterals")
    op.drop_table("perp_curie_maker_reads")
    op.drop_table("perp_curie_orders")
    op.drop_table("perp_curie_account_markets")
    op.drop_table("perp_curie_accounts")
    op.drop_table("perp_curie_price_observations")
    op.drop_table("perp_curie_price_feeds")
    op.drop_table("perp_curie_feed_constants")
    op.drop_table("perp_curie_fallbacks")
    op.drop_table("perp_curie_dispatchers")
    op.drop_table("perp_curie_price_sources")
    op.drop_table("perp_curie_pools")
    op.drop_table("perp_curie_markets")
    op.drop_table("perp_curie_margin_ratios")
    op.drop_table("perp_curie_configs")
