"""What processes that share a provider know of it."""

from __future__ import annotations

revision = "20261121_endpoint_health"
down_revision = "20261121_imported_perps"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
