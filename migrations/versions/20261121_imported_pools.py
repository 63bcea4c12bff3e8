"""The rows of imported pools."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from defirisk.store.types import WideInteger

revision = "20261121_imported_pools"
down_revision = "20261121_morpho_blue_vaults"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "imported_pools_depth",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("venue", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("level", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("price", sa.Text(), nullable=False),
        sa.Column("cumulative_raw", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_imported_pools_depth_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "venue",
            "level",
            "valid_from_block",
            name=op.f("pk_imported_pools_depth"),
        ),
    )
    with op.batch_alter_table("imported_pools_depth", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_imported_pools_depth_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_imported_pools_depth_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )

    op.create_table(
        "imported_pools_reserves",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("venue", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("place", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("decimals", sa.BigInteger(), nullable=False),
        sa.Column("reserve_raw", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_imported_pools_reserves_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "venue",
            "place",
            "valid_from_block",
            name=op.f("pk_imported_pools_reserves"),
        ),
    )
    with op.batch_alter_table("imported_pools_reserves", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_imported_pools_reserves_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_imported_pools_reserves_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )

    op.create_table(
        "imported_pools_ticks",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("venue", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("tick", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("liquidity_net", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_imported_pools_ticks_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "venue",
            "tick",
            "valid_from_block",
            name=op.f("pk_imported_pools_ticks"),
        ),
    )
    with op.batch_alter_table("imported_pools_ticks", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_imported_pools_ticks_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_imported_pools_ticks_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )

    op.create_table(
        "imported_pools_venues",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("venue", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("fee", sa.Text(), nullable=False),
        sa.Column("admin_fee", sa.Text(), nullable=False),
        sa.Column("amplification", sa.Text(), nullable=False),
        sa.Column("generation", sa.Text(), nullable=False),
        sa.Column("sqrt_price_x96", WideInteger(), nullable=False),
        sa.Column("tick_spacing", sa.BigInteger(), nullable=False),
        sa.Column("liquidity", WideInteger(), nullable=False),
        sa.Column("ticks_from", sa.BigInteger(), nullable=False),
        sa.Column("ticks_to", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_imported_pools_venues_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "venue", "valid_from_block", name=op.f("pk_imported_pools_venues")
        ),
    )
    with op.batch_alter_table("imported_pools_venues", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_imported_pools_venues_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_imported_pools_venues_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )


def downgrade() -> None:
    op.drop_table("imported_pools_depth")
    op.drop_table("imported_pools_ticks")
    op.drop_table("imported_pools_reserves")
    op.drop_table("imported_pools_venues")
