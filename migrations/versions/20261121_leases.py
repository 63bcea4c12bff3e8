"""Who works on a source."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261121_leases"
down_revision = "20261121_unverified"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "leases",
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column("holder", sa.String(length=300), nullable=False),
        sa.Column("until_ts", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_leases")),
    )


def downgrade() -> None:
    op.drop_table("leases")
