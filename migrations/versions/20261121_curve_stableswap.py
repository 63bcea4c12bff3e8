"""The rows of Curve's StableSwap."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from defirisk.store.types import WideInteger

revision = "20261121_curve_stableswap"
down_revision = "20261121_uniswap_v3"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _pools()
    _amplifications()
    _balances()
    _lp_balances()
    _newborns()


def downgrade() -> None:
    for table in (
        "curve_stableswap_newborns",
        "curve_stableswap_lp_balances",
        "curve_stableswap_balances",
        "curve_stableswap_amplifications",
        "curve_stableswap_pools",
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


def _pools() -> None:
    op.create_table(
        "curve_stableswap_pools",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("pool", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("factory", sa.Text(), nullable=False),
        sa.Column("coin0", sa.Text(), nullable=False),
        sa.Column("coin1", sa.Text(), nullable=False),
        sa.Column("coin2", sa.Text(), nullable=False),
        sa.Column("coin3", sa.Text(), nullable=False),
        sa.Column("fee_e10", sa.BigInteger(), nullable=False),
        sa.Column("admin_fee_e10", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_curve_stableswap_pools_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "pool",
            "valid_from_block",
            name=op.f("pk_curve_stableswap_pools"),
        ),
    )
    _index("curve_stableswap_pools")


def _amplifications() -> None:
    op.create_table(
        "curve_stableswap_amplifications",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("pool", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("initial_a", WideInteger(), nullable=False),
        sa.Column("future_a", WideInteger(), nullable=False),
        sa.Column("initial_a_time", sa.BigInteger(), nullable=False),
        sa.Column("future_a_time", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_curve_stableswap_amplifications_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "pool",
            "valid_from_block",
            name=op.f("pk_curve_stableswap_amplifications"),
        ),
    )
    _index("curve_stableswap_amplifications")


def _balances() -> None:
    op.create_table(
        "curve_stableswap_balances",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("pool", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("balance0", WideInteger(), nullable=False),
        sa.Column("balance1", WideInteger(), nullable=False),
        sa.Column("balance2", WideInteger(), nullable=False),
        sa.Column("balance3", WideInteger(), nullable=False),
        sa.Column("total_supply_raw", WideInteger(), nullable=False),
        sa.Column("grade", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_curve_stableswap_balances_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "pool",
            "valid_from_block",
            name=op.f("pk_curve_stableswap_balances"),
        ),
    )
    _index("curve_stableswap_balances")


def _lp_balances() -> None:
    op.create_table(
        "curve_stableswap_lp_balances",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("pool", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("account", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("balance_raw", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_curve_stableswap_lp_balances_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "pool",
            "account",
            "valid_from_block",
            name=op.f("pk_curve_stableswap_lp_balances"),
        ),
    )
    _index("curve_stableswap_lp_balances")


def _newborns() -> None:
    op.create_table(
        "curve_stableswap_newborns",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("factory", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("pool", sa.Text(), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_curve_stableswap_newborns_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "factory",
            "valid_from_block",
            name=op.f("pk_curve_stableswap_newborns"),
        ),
    )
    _index("curve_stableswap_newborns")
