"""The first block of each chain, by which two chains of one id are told apart."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261121_genesis"
down_revision = "20261121_alerts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "genesis",
        sa.Column("chain_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("block_hash", sa.String(length=66), nullable=False),
        sa.PrimaryKeyConstraint("chain_id", name=op.f("pk_genesis")),
    )


def downgrade() -> None:
    op.drop_table("genesis")
