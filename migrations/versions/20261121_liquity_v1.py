"""The rows of Liquity v1: troves, the system, its price and parameters."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from defirisk.store.types import WideInteger

revision = "20261121_liquity_v1"
down_revision = "20261121_synthetix_perps_v2"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "liquity_v1_aggregators",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("contract", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("aggregator", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_liquity_v1_aggregators_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "contract", "valid_from_block", name=op.f("pk_liquity_v1_aggregators")
        ),
    )
    with op.batch_alter_table("liquity_v1_aggregators", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_liquity_v1_aggregators_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_liquity_v1_aggregators_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )
    op.create_table(
        "liquity_v1_parameters",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("trove_manager", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("base_params", sa.Text(), nullable=False),
        sa.Column("debt_name", sa.Text(), nullable=False),
        sa.Column("mcr_wad", WideInteger(), nullable=False),
        sa.Column("ccr_wad", WideInteger(), nullable=False),
        sa.Column("gas_compensation_raw", WideInteger(), nullable=False),
        sa.Column("min_net_debt_raw", WideInteger(), nullable=False),
        sa.Column("percent_divisor", WideInteger(), nullable=False),
        sa.Column("borrowing_fee_floor_wad", WideInteger(), nullable=False),
        sa.Column("redemption_fee_floor_wad", WideInteger(), nullable=False),
        sa.Column("max_borrowing_fee_wad", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_liquity_v1_parameters_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "trove_manager",
            "valid_from_block",
            name=op.f("pk_liquity_v1_parameters"),
        ),
    )
    with op.batch_alter_table("liquity_v1_parameters", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_liquity_v1_parameters_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_liquity_v1_parameters_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )
    op.create_table(
        "liquity_v1_price_feeds",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("price_feed", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("main", sa.Text(), nullable=False),
        sa.Column("backup", sa.Text(), nullable=False),
        sa.Column("last_good_price_wad", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_liquity_v1_price_feeds_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "price_feed",
            "valid_from_block",
            name=op.f("pk_liquity_v1_price_feeds"),
        ),
    )
    with op.batch_alter_table("liquity_v1_price_feeds", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_liquity_v1_price_feeds_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_liquity_v1_price_feeds_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )
    op.create_table(
        "liquity_v1_prices_read",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("price_feed", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("price_wad", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_liquity_v1_prices_read_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "price_feed",
            "valid_from_block",
            name=op.f("pk_liquity_v1_prices_read"),
        ),
    )
    with op.batch_alter_table("liquity_v1_prices_read", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_liquity_v1_prices_read_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_liquity_v1_prices_read_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )
    op.create_table(
        "liquity_v1_surpluses",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("account", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("coll_raw", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_liquity_v1_surpluses_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "account", "valid_from_block", name=op.f("pk_liquity_v1_surpluses")
        ),
    )
    with op.batch_alter_table("liquity_v1_surpluses", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_liquity_v1_surpluses_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_liquity_v1_surpluses_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )
    op.create_table(
        "liquity_v1_systems",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("trove_manager", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("borrower_operations", sa.Text(), nullable=False),
        sa.Column("active_pool", sa.Text(), nullable=False),
        sa.Column("default_pool", sa.Text(), nullable=False),
        sa.Column("stability_pool", sa.Text(), nullable=False),
        sa.Column("coll_surplus_pool", sa.Text(), nullable=False),
        sa.Column("price_feed", sa.Text(), nullable=False),
        sa.Column("debt_token", sa.Text(), nullable=False),
        sa.Column("l_coll_wad", WideInteger(), nullable=False),
        sa.Column("l_debt_wad", WideInteger(), nullable=False),
        sa.Column("base_rate_wad", WideInteger(), nullable=False),
        sa.Column("last_fee_operation_ts", sa.BigInteger(), nullable=False),
        sa.Column("total_stakes_snapshot_raw", WideInteger(), nullable=False),
        sa.Column("total_collateral_snapshot_raw", WideInteger(), nullable=False),
        sa.Column("active_coll_raw", WideInteger(), nullable=False),
        sa.Column("active_debt_raw", WideInteger(), nullable=False),
        sa.Column("default_coll_raw", WideInteger(), nullable=False),
        sa.Column("default_debt_raw", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_liquity_v1_systems_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "trove_manager", "valid_from_block", name=op.f("pk_liquity_v1_systems")
        ),
    )
    with op.batch_alter_table("liquity_v1_systems", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_liquity_v1_systems_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_liquity_v1_systems_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )
    op.create_table(
        "liquity_v1_troves",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("borrower", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("debt_raw", WideInteger(), nullable=False),
        sa.Column("coll_raw", WideInteger(), nullable=False),
        sa.Column("stake_raw", WideInteger(), nullable=False),
        sa.Column("status", sa.BigInteger(), nullable=False),
        sa.Column("l_coll_snapshot_wad", WideInteger(), nullable=False),
        sa.Column("l_debt_snapshot_wad", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_liquity_v1_troves_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "borrower", "valid_from_block", name=op.f("pk_liquity_v1_troves")
        ),
    )
    with op.batch_alter_table("liquity_v1_troves", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_liquity_v1_troves_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_liquity_v1_troves_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )


def downgrade() -> None:
    op.drop_table("liquity_v1_troves")
    op.drop_table("liquity_v1_systems")
    op.drop_table("liquity_v1_surpluses")
    op.drop_table("liquity_v1_prices_read")
    op.drop_table("liquity_v1_price_feeds")
    op.drop_table("liquity_v1_parameters")
    op.drop_table("liquity_v1_aggregators")
