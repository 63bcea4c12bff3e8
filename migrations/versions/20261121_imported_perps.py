"""The rows of imported perpetuals."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from defirisk.store.types import WideInteger

revision = "20261121_imported_perps"
down_revision = "20261121_maker_mcd"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _table(
        "imported_perps_positions",
        ("market", "account"),
        sa.Column("market", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("account", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("size_raw", WideInteger(), nullable=False),
        sa.Column("entry_price_usd", sa.Text(), nullable=False),
        sa.Column("margin_raw", WideInteger(), nullable=False),
        sa.Column("maintenance_margin", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("price_usd", sa.Text(), nullable=False),
    )
    _table(
        "imported_perps_tiers",
        ("asset", "tier"),
        sa.Column("asset", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("tier", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("notional_floor_usd", sa.Text(), nullable=False),
        sa.Column("initial_margin", sa.Text(), nullable=False),
        sa.Column("maintenance_margin", sa.Text(), nullable=False),
    )
    _table(
        "imported_perps_collateral",
        ("account", "asset"),
        sa.Column("account", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("asset", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("amount_raw", WideInteger(), nullable=False),
        sa.Column("haircut", sa.Text(), nullable=False),
        sa.Column("price_usd", sa.Text(), nullable=False),
    )


def _table(name: str, key: tuple[str, ...], *columns: sa.Column[Any]) -> None:
    """A table of rows with the columns that all of them have."""
    op.create_table(
        name,
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        *columns,
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f(f"fk_{name}_deployment_id"),
        ),
        sa.PrimaryKeyConstraint("deployment_id", *key, "valid_from_block", name=op.f(f"pk_{name}")),
    )
    with op.batch_alter_table(name, schema=None) as batch_op:
        for column in ("valid_from_block", "valid_to_block"):
            batch_op.create_index(
                batch_op.f(f"ix_{name}_deployment_id_{column}"),
                ["deployment_id", column],
                unique=False,
            )


def downgrade() -> None:
    for name in ("collateral", "tiers", "positions"):
        op.drop_table(f"imported_perps_{name}")
