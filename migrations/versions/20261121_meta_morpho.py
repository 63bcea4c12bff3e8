"""The rows of vaults that lend to several markets of Morpho Blue."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from defirisk.store.types import WideInteger

revision = "20261121_meta_morpho"
down_revision = "20261121_erc4626"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _vaults()
    _queues()
    _caps()
    _totals()
    _total_assets()
    _lent()
    _shares()


def downgrade() -> None:
    for table in (
        "meta_morpho_shares",
        "meta_morpho_lent",
        "meta_morpho_total_assets",
        "meta_morpho_totals",
        "meta_morpho_caps",
        "meta_morpho_queues",
        "meta_morpho_vaults",
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
        "meta_morpho_vaults",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("vault", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("morpho", sa.Text(), nullable=False),
        sa.Column("decimals_offset", sa.BigInteger(), nullable=False),
        sa.Column("conforms", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_meta_morpho_vaults_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "vault",
            "valid_from_block",
            name=op.f("pk_meta_morpho_vaults"),
        ),
    )
    _index("meta_morpho_vaults")


def _queues() -> None:
    op.create_table(
        "meta_morpho_queues",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("vault", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("supply_queue", sa.Text(), nullable=False),
        sa.Column("withdraw_queue", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_meta_morpho_queues_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "vault",
            "valid_from_block",
            name=op.f("pk_meta_morpho_queues"),
        ),
    )
    _index("meta_morpho_queues")


def _caps() -> None:
    op.create_table(
        "meta_morpho_caps",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("vault", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("market_id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("cap_raw", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_meta_morpho_caps_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "vault",
            "market_id",
            "valid_from_block",
            name=op.f("pk_meta_morpho_caps"),
        ),
    )
    _index("meta_morpho_caps")


def _totals() -> None:
    op.create_table(
        "meta_morpho_totals",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("vault", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("total_supply_raw", WideInteger(), nullable=False),
        sa.Column("fee_wad", WideInteger(), nullable=False),
        sa.Column("last_total_assets_raw", WideInteger(), nullable=False),
        sa.Column("last_total_block", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_meta_morpho_totals_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "vault",
            "valid_from_block",
            name=op.f("pk_meta_morpho_totals"),
        ),
    )
    _index("meta_morpho_totals")


def _total_assets() -> None:
    op.create_table(
        "meta_morpho_total_assets",
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
            name=op.f("fk_meta_morpho_total_assets_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "vault",
            "valid_from_block",
            name=op.f("pk_meta_morpho_total_assets"),
        ),
    )
    _index("meta_morpho_total_assets")


def _lent() -> None:
    op.create_table(
        "meta_morpho_lent",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("vault", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("market_id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("read_block", sa.BigInteger(), nullable=False),
        sa.Column("supply_shares_raw", WideInteger(), nullable=False),
        sa.Column("total_supply_assets_raw", WideInteger(), nullable=False),
        sa.Column("total_supply_shares_raw", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_meta_morpho_lent_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "vault",
            "market_id",
            "valid_from_block",
            name=op.f("pk_meta_morpho_lent"),
        ),
    )
    _index("meta_morpho_lent")


def _shares() -> None:
    op.create_table(
        "meta_morpho_shares",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("vault", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("account", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("balance_raw", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_meta_morpho_shares_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "vault",
            "account",
            "valid_from_block",
            name=op.f("pk_meta_morpho_shares"),
        ),
    )
    _index("meta_morpho_shares")
