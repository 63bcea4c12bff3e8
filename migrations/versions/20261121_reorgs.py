"""Replaced blocks, and since when."""

from __future__ import annotations

revision = "20261121_reorgs"
down_revision = "20261121_leases"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
