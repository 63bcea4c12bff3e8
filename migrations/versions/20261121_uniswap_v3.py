"""The rows of Uniswap v3."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from defirisk.store.types import WideInteger

revision = "20261121_uniswap_v3"
down_revision = "20261121_uniswap_v2"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _pools()
    _slots()
    _ticks()
    _observations()
    _positions()
    _last_mints()
    _tokens()


def downgrade() -> None:
    for table in (
        "uniswap_v3_tokens",
        "uniswap_v3_last_mints",
        "uniswap_v3_positions",
        "uniswap_v3_observations",
        "uniswap_v3_ticks",
        "uniswap_v3_slots",
        "uniswap_v3_pools",
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
        "uniswap_v3_pools",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("pool", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("factory", sa.Text(), nullable=False),
        sa.Column("token0", sa.Text(), nullable=False),
        sa.Column("token1", sa.Text(), nullable=False),
        sa.Column("fee", sa.BigInteger(), nullable=False),
        sa.Column("tick_spacing", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_uniswap_v3_pools_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "pool",
            "valid_from_block",
            name=op.f("pk_uniswap_v3_pools"),
        ),
    )
    _index("uniswap_v3_pools")


def _slots() -> None:
    op.create_table(
        "uniswap_v3_slots",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("pool", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("sqrt_price_x96", WideInteger(), nullable=False),
        sa.Column("tick", sa.BigInteger(), nullable=False),
        sa.Column("observation_index", sa.BigInteger(), nullable=False),
        sa.Column("observation_cardinality", sa.BigInteger(), nullable=False),
        sa.Column("observation_cardinality_next", sa.BigInteger(), nullable=False),
        sa.Column("fee_protocol", sa.BigInteger(), nullable=False),
        sa.Column("liquidity", WideInteger(), nullable=False),
        sa.Column("next_observation_index", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_uniswap_v3_slots_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "pool",
            "valid_from_block",
            name=op.f("pk_uniswap_v3_slots"),
        ),
    )
    _index("uniswap_v3_slots")


def _ticks() -> None:
    op.create_table(
        "uniswap_v3_ticks",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("pool", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("tick", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("liquidity_gross", WideInteger(), nullable=False),
        sa.Column("liquidity_net", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_uniswap_v3_ticks_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "pool",
            "tick",
            "valid_from_block",
            name=op.f("pk_uniswap_v3_ticks"),
        ),
    )
    _index("uniswap_v3_ticks")


def _observations() -> None:
    op.create_table(
        "uniswap_v3_observations",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("pool", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("block_timestamp", sa.BigInteger(), nullable=False),
        sa.Column("tick_cumulative", sa.BigInteger(), nullable=False),
        sa.Column("seconds_per_liquidity_cumulative_x128", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_uniswap_v3_observations_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "pool",
            "index",
            "valid_from_block",
            name=op.f("pk_uniswap_v3_observations"),
        ),
    )
    _index("uniswap_v3_observations")


def _positions() -> None:
    op.create_table(
        "uniswap_v3_positions",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("pool", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("owner", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("tick_lower", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tick_upper", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("liquidity", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_uniswap_v3_positions_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "pool",
            "owner",
            "tick_lower",
            "tick_upper",
            "valid_from_block",
            name=op.f("pk_uniswap_v3_positions"),
        ),
    )
    _index("uniswap_v3_positions")


def _last_mints() -> None:
    op.create_table(
        "uniswap_v3_last_mints",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("owner", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("pool", sa.Text(), nullable=False),
        sa.Column("tick_lower", sa.BigInteger(), nullable=False),
        sa.Column("tick_upper", sa.BigInteger(), nullable=False),
        sa.Column("amount", WideInteger(), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("log_index", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_uniswap_v3_last_mints_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "owner",
            "valid_from_block",
            name=op.f("pk_uniswap_v3_last_mints"),
        ),
    )
    _index("uniswap_v3_last_mints")


def _tokens() -> None:
    op.create_table(
        "uniswap_v3_tokens",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("manager", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("token_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("pool", sa.Text(), nullable=False),
        sa.Column("tick_lower", sa.BigInteger(), nullable=False),
        sa.Column("tick_upper", sa.BigInteger(), nullable=False),
        sa.Column("liquidity", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_uniswap_v3_tokens_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "manager",
            "token_id",
            "valid_from_block",
            name=op.f("pk_uniswap_v3_tokens"),
        ),
    )
    _index("uniswap_v3_tokens")
