"""The rows of the markets of Synthetix Perps V2: positions and orders."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from defirisk.store.types import WideInteger

revision = "20261121_synthetix_perps_v2_markets"
down_revision = "20261121_asked_events"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "synthetix_perps_v2_delayed_orders",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("market", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("account", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("size_delta_wad", WideInteger(), nullable=False),
        sa.Column("is_offchain", sa.Boolean(), nullable=False),
        sa.Column("target_round_id", WideInteger(), nullable=False),
        sa.Column("intention_time_ts", sa.BigInteger(), nullable=False),
        sa.Column("executable_at_ts", sa.BigInteger(), nullable=False),
        sa.Column("keeper_deposit_wad", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_synthetix_perps_v2_delayed_orders_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "market",
            "account",
            "valid_from_block",
            name=op.f("pk_synthetix_perps_v2_delayed_orders"),
        ),
    )
    with op.batch_alter_table("synthetix_perps_v2_delayed_orders", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_synthetix_perps_v2_delayed_orders_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_synthetix_perps_v2_delayed_orders_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )

    op.create_table(
        "synthetix_perps_v2_market_codes",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("market", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("routed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_synthetix_perps_v2_market_codes_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "market",
            "valid_from_block",
            name=op.f("pk_synthetix_perps_v2_market_codes"),
        ),
    )
    with op.batch_alter_table("synthetix_perps_v2_market_codes", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_synthetix_perps_v2_market_codes_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_synthetix_perps_v2_market_codes_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )

    op.create_table(
        "synthetix_perps_v2_markets",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("market", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("market_key", sa.Text(), nullable=False),
        sa.Column("base_asset", sa.Text(), nullable=False),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.Column("market_size_wad", WideInteger(), nullable=False),
        sa.Column("market_skew_wad", WideInteger(), nullable=False),
        sa.Column("entry_debt_correction_wad", WideInteger(), nullable=False),
        sa.Column("funding_index", sa.BigInteger(), nullable=False),
        sa.Column("funding_wad", WideInteger(), nullable=False),
        sa.Column("funding_rate_wad", WideInteger(), nullable=False),
        sa.Column("funding_last_recomputed_ts", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_synthetix_perps_v2_markets_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "market",
            "valid_from_block",
            name=op.f("pk_synthetix_perps_v2_markets"),
        ),
    )
    with op.batch_alter_table("synthetix_perps_v2_markets", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_synthetix_perps_v2_markets_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_synthetix_perps_v2_markets_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )

    op.create_table(
        "synthetix_perps_v2_positions",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("market", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("account", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("position_id", sa.BigInteger(), nullable=False),
        sa.Column("last_funding_index", sa.BigInteger(), nullable=False),
        sa.Column("margin_wad", WideInteger(), nullable=False),
        sa.Column("last_price_wad", WideInteger(), nullable=False),
        sa.Column("size_wad", WideInteger(), nullable=False),
        sa.Column("funding_wad", WideInteger(), nullable=False),
        sa.Column("flagger", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_synthetix_perps_v2_positions_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "market",
            "account",
            "valid_from_block",
            name=op.f("pk_synthetix_perps_v2_positions"),
        ),
    )
    with op.batch_alter_table("synthetix_perps_v2_positions", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_synthetix_perps_v2_positions_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_synthetix_perps_v2_positions_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )


def downgrade() -> None:
    op.drop_table("synthetix_perps_v2_positions")
    op.drop_table("synthetix_perps_v2_markets")
    op.drop_table("synthetix_perps_v2_market_codes")
    op.drop_table("synthetix_perps_v2_delayed_orders")
