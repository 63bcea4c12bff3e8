"""The rows of imported prices, vaults and oracles."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from defirisk.store.types import WideInteger

revision = "20261121_imported_sources"
down_revision = "20261121_imported_pools"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "imported_lending_oracles",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("market", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("asset", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("oracle_kind", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_imported_lending_oracles_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "market",
            "asset",
            "valid_from_block",
            name=op.f("pk_imported_lending_oracles"),
        ),
    )
    with op.batch_alter_table("imported_lending_oracles", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_imported_lending_oracles_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_imported_lending_oracles_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )

    op.create_table(
        "imported_prices_series",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("asset", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("ts", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("price_usd", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_imported_prices_series_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "source",
            "asset",
            "ts",
            "valid_from_block",
            name=op.f("pk_imported_prices_series"),
        ),
    )
    with op.batch_alter_table("imported_prices_series", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_imported_prices_series_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_imported_prices_series_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )

    op.create_table(
        "imported_vaults_allocations",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("vault", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("market", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("assets_raw", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_imported_vaults_allocations_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "vault",
            "market",
            "valid_from_block",
            name=op.f("pk_imported_vaults_allocations"),
        ),
    )
    with op.batch_alter_table("imported_vaults_allocations", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_imported_vaults_allocations_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_imported_vaults_allocations_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )

    op.create_table(
        "imported_vaults_totals",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("vault", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("total_assets_raw", WideInteger(), nullable=False),
        sa.Column("total_shares_raw", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_imported_vaults_totals_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "vault", "valid_from_block", name=op.f("pk_imported_vaults_totals")
        ),
    )
    with op.batch_alter_table("imported_vaults_totals", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_imported_vaults_totals_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_imported_vaults_totals_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )


def downgrade() -> None:
    op.drop_table("imported_lending_oracles")
    op.drop_table("imported_vaults_allocations")
    op.drop_table("imported_vaults_totals")
    op.drop_table("imported_prices_series")
