"""Ranges that may lack logs, and what was audited."""

from __future__ import annotations

revision = "20261121_unverified"
down_revision = "20261121_endpoint_health"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
