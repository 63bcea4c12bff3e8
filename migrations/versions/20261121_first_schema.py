"""first schema"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from defirisk.store.types import WideInteger

revision = "20261121_first_schema"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "blocks",
        sa.Column("chain_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("block_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("block_hash", sa.String(length=66), nullable=False),
        sa.Column("parent_hash", sa.String(length=66), nullable=False),
        sa.Column("block_time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("chain_id", "block_number", name=op.f("pk_blocks")),
    )
    op.create_table(
        "chains",
        sa.Column("chain_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("verified_to_block", sa.BigInteger(), nullable=False),
        sa.Column("head_block", sa.BigInteger(), nullable=False),
        sa.Column("head_ts", sa.BigInteger(), nullable=False),
        sa.Column("finalized_block", sa.BigInteger(), nullable=True),
        sa.Column("reorgs", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("chain_id", name=op.f("pk_chains")),
    )
    op.create_table(
        "deployments",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("protocol", sa.String(length=100), nullable=False),
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("first_block", sa.BigInteger(), nullable=False),
        sa.Column("contracts", sa.Text(), nullable=False),
        sa.Column("follows", sa.Text(), nullable=False),
        sa.Column("adapter_version", sa.Integer(), nullable=False),
        sa.Column("folded_to_block", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("deployment_id", name=op.f("pk_deployments")),
        sa.UniqueConstraint("name", name=op.f("uq_deployments_name")),
    )
    op.create_table(
        "raw_calls",
        sa.Column("chain_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("block_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("contract_address", sa.String(length=42), nullable=False),
        sa.Column("calldata", sa.LargeBinary(), nullable=False),
        sa.Column("block_hash", sa.String(length=66), nullable=False),
        sa.Column("ok", sa.Boolean(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint(
            "chain_id", "block_number", "contract_address", "calldata", name=op.f("pk_raw_calls")
        ),
    )
    op.create_table(
        "raw_logs",
        sa.Column("chain_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("block_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("evt_index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("block_hash", sa.String(length=66), nullable=False),
        sa.Column("tx_hash", sa.String(length=66), nullable=False),
        sa.Column("contract_address", sa.String(length=42), nullable=False),
        sa.Column("topic0", sa.LargeBinary(length=32), nullable=True),
        sa.Column("topic1", sa.LargeBinary(length=32), nullable=True),
        sa.Column("topic2", sa.LargeBinary(length=32), nullable=True),
        sa.Column("topic3", sa.LargeBinary(length=32), nullable=True),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("chain_id", "block_number", "evt_index", name=op.f("pk_raw_logs")),
    )
    with op.batch_alter_table("raw_logs", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_raw_logs_chain_id_contract_address_block_number"),
            ["chain_id", "contract_address", "block_number"],
            unique=False,
        )

    op.create_table(
        "tokens",
        sa.Column("chain_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("token_address", sa.String(length=42), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("decimals", sa.Integer(), nullable=False),
        sa.Column("read_at_block", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("chain_id", "token_address", name=op.f("pk_tokens")),
    )
    op.create_table(
        "verified_ranges",
        sa.Column("chain_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("contract_address", sa.String(length=42), nullable=False),
        sa.Column("first_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("last_block", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "chain_id", "contract_address", "first_block", name=op.f("pk_verified_ranges")
        ),
    )
    op.create_table(
        "aave_v3_accounts",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("account", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("emode_category_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_aave_v3_accounts_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "account", "valid_from_block", name=op.f("pk_aave_v3_accounts")
        ),
    )
    with op.batch_alter_table("aave_v3_accounts", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_aave_v3_accounts_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_aave_v3_accounts_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )

    op.create_table(
        "aave_v3_emode_assets",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("category_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("asset", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("collateral", sa.Boolean(), nullable=False),
        sa.Column("borrowable", sa.Boolean(), nullable=False),
        sa.Column("ltvzero", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_aave_v3_emode_assets_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "category_id",
            "asset",
            "valid_from_block",
            name=op.f("pk_aave_v3_emode_assets"),
        ),
    )
    with op.batch_alter_table("aave_v3_emode_assets", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_aave_v3_emode_assets_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_aave_v3_emode_assets_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )

    op.create_table(
        "aave_v3_emode_categories",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("category_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("ltv_bps", sa.BigInteger(), nullable=False),
        sa.Column("liquidation_threshold_bps", sa.BigInteger(), nullable=False),
        sa.Column("liquidation_bonus_bps", sa.BigInteger(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_aave_v3_emode_categories_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "category_id",
            "valid_from_block",
            name=op.f("pk_aave_v3_emode_categories"),
        ),
    )
    with op.batch_alter_table("aave_v3_emode_categories", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_aave_v3_emode_categories_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_aave_v3_emode_categories_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )

    op.create_table(
        "aave_v3_implementations",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("proxy", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("implementation", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_aave_v3_implementations_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "proxy", "valid_from_block", name=op.f("pk_aave_v3_implementations")
        ),
    )
    with op.batch_alter_table("aave_v3_implementations", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_aave_v3_implementations_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_aave_v3_implementations_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )

    op.create_table(
        "aave_v3_markets",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("pool", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("price_oracle", sa.Text(), nullable=False),
        sa.Column("price_oracle_sentinel", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_aave_v3_markets_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "pool", "valid_from_block", name=op.f("pk_aave_v3_markets")
        ),
    )
    with op.batch_alter_table("aave_v3_markets", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_aave_v3_markets_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_aave_v3_markets_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )

    op.create_table(
        "aave_v3_price_oracles",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("oracle", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("base_currency", sa.Text(), nullable=False),
        sa.Column("base_currency_unit_raw", WideInteger(), nullable=False),
        sa.Column("fallback_oracle", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_aave_v3_price_oracles_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "oracle", "valid_from_block", name=op.f("pk_aave_v3_price_oracles")
        ),
    )
    with op.batch_alter_table("aave_v3_price_oracles", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_aave_v3_price_oracles_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_aave_v3_price_oracles_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )

    op.create_table(
        "aave_v3_price_sources",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("oracle", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("asset", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_aave_v3_price_sources_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "oracle",
            "asset",
            "valid_from_block",
            name=op.f("pk_aave_v3_price_sources"),
        ),
    )
    with op.batch_alter_table("aave_v3_price_sources", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_aave_v3_price_sources_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_aave_v3_price_sources_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )

    op.create_table(
        "aave_v3_prices",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("oracle", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("asset", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("price_raw", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_aave_v3_prices_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "oracle", "asset", "valid_from_block", name=op.f("pk_aave_v3_prices")
        ),
    )
    with op.batch_alter_table("aave_v3_prices", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_aave_v3_prices_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_aave_v3_prices_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )

    op.create_table(
        "aave_v3_reserves",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("asset", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("a_token", sa.Text(), nullable=False),
        sa.Column("variable_debt_token", sa.Text(), nullable=False),
        sa.Column("dropped", sa.Boolean(), nullable=False),
        sa.Column("liquidity_index_ray", WideInteger(), nullable=False),
        sa.Column("variable_borrow_index_ray", WideInteger(), nullable=False),
        sa.Column("liquidity_rate_ray", WideInteger(), nullable=False),
        sa.Column("variable_borrow_rate_ray", WideInteger(), nullable=False),
        sa.Column("last_update_ts", sa.BigInteger(), nullable=False),
        sa.Column("scaled_supply_raw", WideInteger(), nullable=False),
        sa.Column("scaled_variable_debt_raw", WideInteger(), nullable=False),
        sa.Column("virtual_underlying_raw", WideInteger(), nullable=False),
        sa.Column("deficit_raw", WideInteger(), nullable=False),
        sa.Column("ltv_bps", sa.BigInteger(), nullable=False),
        sa.Column("pending_ltv_bps", sa.BigInteger(), nullable=False),
        sa.Column("liquidation_threshold_bps", sa.BigInteger(), nullable=False),
        sa.Column("liquidation_bonus_bps", sa.BigInteger(), nullable=False),
        sa.Column("liquidation_protocol_fee_bps", sa.BigInteger(), nullable=False),
        sa.Column("reserve_factor_bps", sa.BigInteger(), nullable=False),
        sa.Column("supply_cap", sa.BigInteger(), nullable=False),
        sa.Column("borrow_cap", sa.BigInteger(), nullable=False),
        sa.Column("debt_ceiling", sa.BigInteger(), nullable=False),
        sa.Column("optimal_usage_bps", sa.BigInteger(), nullable=False),
        sa.Column("base_rate_bps", sa.BigInteger(), nullable=False),
        sa.Column("slope1_bps", sa.BigInteger(), nullable=False),
        sa.Column("slope2_bps", sa.BigInteger(), nullable=False),
        sa.Column("grace_period_until_ts", sa.BigInteger(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("frozen", sa.Boolean(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("borrowing_enabled", sa.Boolean(), nullable=False),
        sa.Column("flash_loan_enabled", sa.Boolean(), nullable=False),
        sa.Column("siloed_borrowing", sa.Boolean(), nullable=False),
        sa.Column("borrowable_in_isolation", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_aave_v3_reserves_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "asset", "valid_from_block", name=op.f("pk_aave_v3_reserves")
        ),
    )
    with op.batch_alter_table("aave_v3_reserves", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_aave_v3_reserves_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_aave_v3_reserves_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )

    op.create_table(
        "aave_v3_user_reserves",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("account", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("asset", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("scaled_a_token_raw", WideInteger(), nullable=False),
        sa.Column("a_token_index_ray", WideInteger(), nullable=False),
        sa.Column("scaled_variable_debt_raw", WideInteger(), nullable=False),
        sa.Column("variable_debt_index_ray", WideInteger(), nullable=False),
        sa.Column("used_as_collateral", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_aave_v3_user_reserves_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "account",
            "asset",
            "valid_from_block",
            name=op.f("pk_aave_v3_user_reserves"),
        ),
    )
    with op.batch_alter_table("aave_v3_user_reserves", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_aave_v3_user_reserves_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_aave_v3_user_reserves_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )

    op.create_table(
        "chainlink_answers",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("aggregator", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("answer_raw", WideInteger(), nullable=False),
        sa.Column("round_id", WideInteger(), nullable=False),
        sa.Column("updated_at_ts", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_chainlink_answers_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "aggregator", "valid_from_block", name=op.f("pk_chainlink_answers")
        ),
    )
    with op.batch_alter_table("chainlink_answers", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_chainlink_answers_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_chainlink_answers_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )

    op.create_table(
        "chainlink_feeds",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("feed", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("aggregator", sa.Text(), nullable=False),
        sa.Column("phase_id", sa.BigInteger(), nullable=False),
        sa.Column("decimals", sa.BigInteger(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("answer_raw", WideInteger(), nullable=False),
        sa.Column("updated_at_ts", sa.BigInteger(), nullable=False),
        sa.Column("transforms", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_chainlink_feeds_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "feed", "valid_from_block", name=op.f("pk_chainlink_feeds")
        ),
    )
    with op.batch_alter_table("chainlink_feeds", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_chainlink_feeds_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_chainlink_feeds_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )

    op.create_table(
        "verifications",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("block_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("block_hash", sa.String(length=66), nullable=False),
        sa.Column("accounts", sa.Integer(), nullable=False),
        sa.Column("compared", sa.Integer(), nullable=False),
        sa.Column("only_read", sa.Integer(), nullable=False),
        sa.Column("mismatches", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_verifications_deployment_id"),
        ),
        sa.PrimaryKeyConstraint("deployment_id", "block_number", name=op.f("pk_verifications")),
    )
    op.create_table(
        "watched_contracts",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("contract_address", sa.String(length=42), nullable=False),
        sa.Column("role", sa.String(length=100), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("first_block", sa.BigInteger(), nullable=False),
        sa.Column("discovered_block", sa.BigInteger(), nullable=False),
        sa.Column("folded", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_watched_contracts_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "contract_address", "role", name=op.f("pk_watched_contracts")
        ),
    )


def downgrade() -> None:
    op.drop_table("watched_contracts")
    op.drop_table("verifications")
    with op.batch_alter_table("chainlink_feeds", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_chainlink_feeds_deployment_id_valid_to_block"))
        batch_op.drop_index(batch_op.f("ix_chainlink_feeds_deployment_id_valid_from_block"))

    op.drop_table("chainlink_feeds")
    with op.batch_alter_table("chainlink_answers", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_chainlink_answers_deployment_id_valid_to_block"))
        batch_op.drop_index(batch_op.f("ix_chainlink_answers_deployment_id_valid_from_block"))

    op.drop_table("chainlink_answers")
    with op.batch_alter_table("aave_v3_user_reserves", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_aave_v3_user_reserves_deployment_id_valid_to_block"))
        batch_op.drop_index(batch_op.f("ix_aave_v3_user_reserves_deployment_id_valid_from_block"))

    op.drop_table("aave_v3_user_reserves")
    with op.batch_alter_table("aave_v3_reserves", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_aave_v3_reserves_deployment_id_valid_to_block"))
        batch_op.drop_index(batch_op.f("ix_aave_v3_reserves_deployment_id_valid_from_block"))

    op.drop_table("aave_v3_reserves")
    with op.batch_alter_table("aave_v3_prices", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_aave_v3_prices_deployment_id_valid_to_block"))
        batch_op.drop_index(batch_op.f("ix_aave_v3_prices_deployment_id_valid_from_block"))

    op.drop_table("aave_v3_prices")
    with op.batch_alter_table("aave_v3_price_sources", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_aave_v3_price_sources_deployment_id_valid_to_block"))
        batch_op.drop_index(batch_op.f("ix_aave_v3_price_sources_deployment_id_valid_from_block"))

    op.drop_table("aave_v3_price_sources")
    with op.batch_alter_table("aave_v3_price_oracles", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_aave_v3_price_oracles_deployment_id_valid_to_block"))
        batch_op.drop_index(batch_op.f("ix_aave_v3_price_oracles_deployment_id_valid_from_block"))

    op.drop_table("aave_v3_price_oracles")
    with op.batch_alter_table("aave_v3_markets", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_aave_v3_markets_deployment_id_valid_to_block"))
        batch_op.drop_index(batch_op.f("ix_aave_v3_markets_deployment_id_valid_from_block"))

    op.drop_table("aave_v3_markets")
    with op.batch_alter_table("aave_v3_implementations", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_aave_v3_implementations_deployment_id_valid_to_block"))
        batch_op.drop_index(batch_op.f("ix_aave_v3_implementations_deployment_id_valid_from_block"))

    op.drop_table("aave_v3_implementations")
    with op.batch_alter_table("aave_v3_emode_categories", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_aave_v3_emode_categories_deployment_id_valid_to_block"))
        batch_op.drop_index(
            batch_op.f("ix_aave_v3_emode_categories_deployment_id_valid_from_block")
        )

    op.drop_table("aave_v3_emode_categories")
    with op.batch_alter_table("aave_v3_emode_assets", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_aave_v3_emode_assets_deployment_id_valid_to_block"))
        batch_op.drop_index(batch_op.f("ix_aave_v3_emode_assets_deployment_id_valid_from_block"))

    op.drop_table("aave_v3_emode_assets")
    with op.batch_alter_table("aave_v3_accounts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_aave_v3_accounts_deployment_id_valid_to_block"))
        batch_op.drop_index(batch_op.f("ix_aave_v3_accounts_deployment_id_valid_from_block"))

    op.drop_table("aave_v3_accounts")
    op.drop_table("verified_ranges")
    op.drop_table("tokens")
    with op.batch_alter_table("raw_logs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_raw_logs_chain_id_contract_address_block_number"))

    op.drop_table("raw_logs")
    op.drop_table("raw_calls")
    op.drop_table("deployments")
    op.drop_table("chains")
    op.drop_table("blocks")
