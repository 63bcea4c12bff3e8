"""Ranges that may lack logs, and what was audited."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261121_unverified"
down_revision = "20261121_endpoint_health"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "unverified_ranges",
        sa.Column("chain_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("contract_address", sa.String(length=42), nullable=False),
        sa.Column("first_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("audit", sa.String(length=40), nullable=False),
        sa.Column("last_block", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since_ts", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "chain_id",
            "contract_address",
            "first_block",
            "audit",
            name=op.f("pk_unverified_ranges"),
        ),
    )
    op.create_table(
        "audits",
        sa.Column("chain_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("audit", sa.String(length=40), nullable=False),
        sa.Column("population", sa.BigInteger(), nullable=False),
        sa.Column("checked", sa.BigInteger(), nullable=False),
        sa.Column("always", sa.BigInteger(), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.Column("suspicious", sa.BigInteger(), nullable=False),
        sa.Column("gained", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("chain_id", "audit", name=op.f("pk_audits")),
    )


def downgrade() -> None:
    op.drop_table("audits")
    op.drop_table("unverified_ranges")
