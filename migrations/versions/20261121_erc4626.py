"""The rows of ERC-4626 vaults."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from defirisk.store.types import WideInteger

revision = "20261121_erc4626"
down_revision = "20261121_imported_sources"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _vaults()
    _totals()
    _total_assets()
    _shares()


def downgrade() -> None:
    for table in (
        "erc4626_shares",
        "erc4626_total_assets",
        "erc4626_totals",
        "erc4626_vaults",
    ):
        op.drop_table(table)


def _index(table: str) -> None:
    """Versions are found by where they end and where they begin."""
    with op.batch_alter_table(table, schema=None) as batch_op:
        for column in ("valid_from_block", "valid_to_block"):
            batch_op.create_index(
                batch_op.f(f"ix_{table}_deployment_id_{column}"),
                ["deployment_id", column],
                unique=False,
            )


def _vaults() -> None:
    op.create_table(
        "erc4626_vaults",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("vault", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("virtual_shares_raw", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_erc4626_vaults_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "vault",
            "valid_from_block",
            name=op.f("pk_erc4626_vaults"),
        ),
    )
    _index("erc4626_vaults")


def _totals() -> None:
    op.create_table(
        "erc4626_totals",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("vault", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("total_supply_raw", WideInteger(), nullable=False),
        sa.Column("traded_assets_raw", WideInteger(), nullable=False),
        sa.Column("traded_shares_raw", WideInteger(), nullable=False),
        sa.Column("traded_block", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_erc4626_totals_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "vault",
            "valid_from_block",
            name=op.f("pk_erc4626_totals"),
        ),
    )
    _index("erc4626_totals")


def _total_assets() -> None:
    op.create_table(
        "erc4626_total_assets",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("vault", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("read_block", sa.BigInteger(), nullable=False),
        sa.Column("answered", sa.Boolean(), nullable=False),
        sa.Column("total_assets_raw", WideInteger(), nullable=False),
        sa.Column("sample_shares_raw", WideInteger(), nullable=False),
        sa.Column("sample_assets_raw", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_erc4626_total_assets_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "vault",
            "valid_from_block",
            name=op.f("pk_erc4626_total_assets"),
        ),
    )
    _index("erc4626_total_assets")


def _shares() -> None:
    op.create_table(
        "erc4626_shares",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("vault", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("account", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("balance_raw", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_erc4626_shares_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "vault",
            "account",
            "valid_from_block",
            name=op.f("pk_erc4626_shares"),
        ),
    )
    _index("erc4626_shares")
