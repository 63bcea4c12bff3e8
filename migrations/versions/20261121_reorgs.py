"""Replaced blocks, and since when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261121_reorgs"
down_revision = "20261121_leases"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "recent_blocks",
        sa.Column("chain_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("block_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("block_hash", sa.String(length=66), nullable=False),
        sa.Column("parent_hash", sa.String(length=66), nullable=False),
        sa.PrimaryKeyConstraint("chain_id", "block_number", name=op.f("pk_recent_blocks")),
    )
    op.create_table(
        "reorgs",
        sa.Column("reorg_id", sa.Integer(), nullable=False),
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("detected_ts", sa.BigInteger(), nullable=False),
        sa.Column("ancestor_block", sa.BigInteger(), nullable=False),
        sa.Column("depth", sa.BigInteger(), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("old_hash", sa.String(length=66), nullable=False),
        sa.Column("new_hash", sa.String(length=66), nullable=False),
        sa.PrimaryKeyConstraint("reorg_id", name=op.f("pk_reorgs")),
    )
    with op.batch_alter_table("reorgs", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_reorgs_chain_id_reorg_id"), ["chain_id", "reorg_id"], unique=False
        )
    op.create_table(
        "reorged_blocks",
        sa.Column("reorg_id", sa.Integer(), nullable=False),
        sa.Column("block_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("block_hash", sa.String(length=66), nullable=False),
        sa.ForeignKeyConstraint(
            ["reorg_id"], ["reorgs.reorg_id"], name=op.f("fk_reorged_blocks_reorg_id")
        ),
        sa.PrimaryKeyConstraint("reorg_id", "block_number", name=op.f("pk_reorged_blocks")),
    )
    with op.batch_alter_table("reorged_blocks", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_reorged_blocks_block_hash"), ["block_hash"], unique=False
        )


def downgrade() -> None:
    op.drop_table("reorged_blocks")
    op.drop_table("reorgs")
    op.drop_table("recent_blocks")
