"""The rows of Aave v3: reserves, efficiency modes, implementations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from defirisk.store.types import WideInteger

revision = "20261121_aave_v3_market"
down_revision = "20261121_base_layer"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "aave_v3_donations",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("asset", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("amount_raw", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_aave_v3_donations_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "asset", "valid_from_block", name=op.f("pk_aave_v3_donations")
        ),
    )
    with op.batch_alter_table("aave_v3_donations", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_aave_v3_donations_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_aave_v3_donations_deployment_id_valid_to_block"),
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
        sa.Column("price_source", sa.Text(), nullable=False),
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
        "aave_v3_pool_code",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("since_revision", sa.BigInteger(), nullable=False),
        sa.Column("first_revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_aave_v3_pool_code_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "role", "valid_from_block", name=op.f("pk_aave_v3_pool_code")
        ),
    )
    with op.batch_alter_table("aave_v3_pool_code", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_aave_v3_pool_code_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_aave_v3_pool_code_deployment_id_valid_to_block"),
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
        sa.Column("unbacked_mint_cap", sa.BigInteger(), nullable=False),
        sa.Column("debt_ceiling", sa.BigInteger(), nullable=False),
        sa.Column("optimal_usage_bps", sa.BigInteger(), nullable=False),
        sa.Column("base_rate_bps", sa.BigInteger(), nullable=False),
        sa.Column("slope1_bps", sa.BigInteger(), nullable=False),
        sa.Column("slope2_bps", sa.BigInteger(), nullable=False),
        sa.Column("grace_period_until_ts", sa.BigInteger(), nullable=False),
        sa.Column("emode_category_id", sa.BigInteger(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("frozen", sa.Boolean(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("borrowing_enabled", sa.Boolean(), nullable=False),
        sa.Column("stable_borrowing_enabled", sa.Boolean(), nullable=False),
        sa.Column("stable_debt", sa.Boolean(), nullable=False),
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


def downgrade() -> None:
    op.drop_table("aave_v3_reserves")
    op.drop_table("aave_v3_pool_code")
    op.drop_table("aave_v3_markets")
    op.drop_table("aave_v3_implementations")
    op.drop_table("aave_v3_emode_categories")
    op.drop_table("aave_v3_emode_assets")
    op.drop_table("aave_v3_donations")
