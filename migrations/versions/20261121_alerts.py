"""What somebody was told of, and since when it is so."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261121_alerts"
down_revision = "20261121_reorgs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alerts",
        sa.Column("alert", sa.String(length=200), nullable=False),
        sa.Column("since_ts", sa.BigInteger(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("alert", name=op.f("pk_alerts")),
    )


def downgrade() -> None:
    op.drop_table("alerts")
