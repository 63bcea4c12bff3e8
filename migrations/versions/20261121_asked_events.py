"""Which events the verified ranges of a contract are complete for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261121_asked_events"
down_revision = "20261121_aave_v3_strategies"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "asked_events",
        sa.Column("chain_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("contract_address", sa.String(length=42), nullable=False),
        sa.Column("topics", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("chain_id", "contract_address", name=op.f("pk_asked_events")),
    )


def downgrade() -> None:
    op.drop_table("asked_events")
