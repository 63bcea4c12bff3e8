"""What processes that share a provider know of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261121_endpoint_health"
down_revision = "20261121_imported_perps"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "endpoint_health",
        sa.Column("provider", sa.String(length=300), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("rate", sa.Double(), nullable=False),
        sa.Column("next_free_ts", sa.Double(), nullable=False),
        sa.Column("blocked_until_ts", sa.Double(), nullable=False),
        sa.Column("refused_ts", sa.Double(), nullable=False),
        sa.Column("raised_ts", sa.Double(), nullable=False),
        sa.Column("step", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("provider", name=op.f("pk_endpoint_health")),
    )


def downgrade() -> None:
    op.drop_table("endpoint_health")
