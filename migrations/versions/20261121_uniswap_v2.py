"""The rows of Uniswap v2."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from defirisk.store.types import WideInteger

revision = "20261121_uniswap_v2"
down_revision = "20261121_morpho_blue"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _pairs()
    _reserves()
    _balances()
    _protocol_fees()
    _fees_to()


def downgrade() -> None:
    for table in (
        "uniswap_v2_fees_to",
        "uniswap_v2_protocol_fees",
        "uniswap_v2_balances",
        "uniswap_v2_reserves",
        "uniswap_v2_pairs",
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


def _pairs() -> None:
    op.create_table(
        "uniswap_v2_pairs",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("pair", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("factory", sa.Text(), nullable=False),
        sa.Column("token0", sa.Text(), nullable=False),
        sa.Column("token1", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_uniswap_v2_pairs_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "pair",
            "valid_from_block",
            name=op.f("pk_uniswap_v2_pairs"),
        ),
    )
    _index("uniswap_v2_pairs")


def _reserves() -> None:
    op.create_table(
        "uniswap_v2_reserves",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("pair", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("reserve0", WideInteger(), nullable=False),
        sa.Column("reserve1", WideInteger(), nullable=False),
        sa.Column("block_timestamp_last", sa.BigInteger(), nullable=False),
        sa.Column("price0_cumulative_last", WideInteger(), nullable=False),
        sa.Column("price1_cumulative_last", WideInteger(), nullable=False),
        sa.Column("total_supply_raw", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_uniswap_v2_reserves_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "pair",
            "valid_from_block",
            name=op.f("pk_uniswap_v2_reserves"),
        ),
    )
    _index("uniswap_v2_reserves")


def _balances() -> None:
    op.create_table(
        "uniswap_v2_balances",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("pair", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("account", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("balance_raw", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_uniswap_v2_balances_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "pair",
            "account",
            "valid_from_block",
            name=op.f("pk_uniswap_v2_balances"),
        ),
    )
    _index("uniswap_v2_balances")


def _protocol_fees() -> None:
    op.create_table(
        "uniswap_v2_protocol_fees",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("pair", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("read_block", sa.BigInteger(), nullable=False),
        sa.Column("k_last", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_uniswap_v2_protocol_fees_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "pair",
            "valid_from_block",
            name=op.f("pk_uniswap_v2_protocol_fees"),
        ),
    )
    _index("uniswap_v2_protocol_fees")


def _fees_to() -> None:
    op.create_table(
        "uniswap_v2_fees_to",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("factory", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("read_block", sa.BigInteger(), nullable=False),
        sa.Column("fee_to", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_uniswap_v2_fees_to_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "factory",
            "valid_from_block",
            name=op.f("pk_uniswap_v2_fees_to"),
        ),
    )
    _index("uniswap_v2_fees_to")
