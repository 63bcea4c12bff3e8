"""The rows of imported lending positions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from defirisk.store.types import WideInteger

revision = "20261121_imported_lending"
down_revision = "20261121_chainlink"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "imported_lending_markets",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("market", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("asset", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("decimals", sa.BigInteger(), nullable=False),
        sa.Column("price_usd", sa.Text(), nullable=False),
        sa.Column("ltv", sa.Text(), nullable=False),
        sa.Column("liquidation_threshold", sa.Text(), nullable=False),
        sa.Column("liquidation_bonus", sa.Text(), nullable=False),
        sa.Column("close_factor", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_imported_lending_markets_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "market",
            "asset",
            "valid_from_block",
            name=op.f("pk_imported_lending_markets"),
        ),
    )
    with op.batch_alter_table("imported_lending_markets", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_imported_lending_markets_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_imported_lending_markets_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )
    op.create_table(
        "imported_lending_positions",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("market", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("account", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("asset", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("side", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("amount_raw", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_imported_lending_positions_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "market",
            "account",
            "asset",
            "side",
            "valid_from_block",
            name=op.f("pk_imported_lending_positions"),
        ),
    )
    with op.batch_alter_table("imported_lending_positions", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_imported_lending_positions_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_imported_lending_positions_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )


def downgrade() -> None:
    op.drop_table("imported_lending_positions")
    op.drop_table("imported_lending_markets")
