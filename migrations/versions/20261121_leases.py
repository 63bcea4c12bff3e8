"""Who works on a source."""

from __future__ import annotations

revision = "20261121_leases"
down_revision = "20261121_unverified"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
