"""The rows of Liquity v1: the stability pool."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from defirisk.store.types import WideInteger

revision = "20261121_liquity_v1_pool"
down_revision = "20261121_liquity_v1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "liquity_v1_deposits",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("depositor", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("initial_raw", WideInteger(), nullable=False),
        sa.Column("p_wad", WideInteger(), nullable=False),
        sa.Column("s", WideInteger(), nullable=False),
        sa.Column("g", WideInteger(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("scale", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_liquity_v1_deposits_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "depositor", "valid_from_block", name=op.f("pk_liquity_v1_deposits")
        ),
    )
    with op.batch_alter_table("liquity_v1_deposits", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_liquity_v1_deposits_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_liquity_v1_deposits_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )
    op.create_table(
        "liquity_v1_pool_sums",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("pool", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("scale", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("s", WideInteger(), nullable=False),
        sa.Column("g", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_liquity_v1_pool_sums_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "pool",
            "epoch",
            "scale",
            "valid_from_block",
            name=op.f("pk_liquity_v1_pool_sums"),
        ),
    )
    with op.batch_alter_table("liquity_v1_pool_sums", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_liquity_v1_pool_sums_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_liquity_v1_pool_sums_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )
    op.create_table(
        "liquity_v1_stability_pools",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("pool", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("p_wad", WideInteger(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("scale", sa.BigInteger(), nullable=False),
        sa.Column("deposits_raw", WideInteger(), nullable=False),
        sa.Column("coll_raw", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_liquity_v1_stability_pools_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "pool", "valid_from_block", name=op.f("pk_liquity_v1_stability_pools")
        ),
    )
    with op.batch_alter_table("liquity_v1_stability_pools", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_liquity_v1_stability_pools_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_liquity_v1_stability_pools_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )


def downgrade() -> None:
    op.drop_table("liquity_v1_stability_pools")
    op.drop_table("liquity_v1_pool_sums")
    op.drop_table("liquity_v1_deposits")
