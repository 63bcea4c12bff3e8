"""The rows of Uniswap's mean prices."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from defirisk.store.types import WideInteger

revision = "20261121_uniswap_twap"
down_revision = "20261121_curve_stableswap"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _uniswap_twap_v2_feeds()
    _uniswap_twap_v3_feeds()


def _uniswap_twap_v2_feeds() -> None:
    op.create_table(
        "uniswap_twap_v2_feeds",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("feed", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("pair", sa.Text(), nullable=False),
        sa.Column("base", sa.Text(), nullable=False),
        sa.Column("quote", sa.Text(), nullable=False),
        sa.Column("quote_feed", sa.Text(), nullable=False),
        sa.Column("period_seconds", WideInteger(), nullable=False),
        sa.Column("decimals", sa.BigInteger(), nullable=False),
        sa.Column("average_raw", WideInteger(), nullable=False),
        sa.Column("price_cumulative_raw", WideInteger(), nullable=False),
        sa.Column("timestamp_last_ts", sa.BigInteger(), nullable=False),
        sa.Column("read_block", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_uniswap_twap_v2_feeds_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "feed", "valid_from_block", name=op.f("pk_uniswap_twap_v2_feeds")
        ),
    )
    _index("uniswap_twap_v2_feeds")


def _uniswap_twap_v3_feeds() -> None:
    op.create_table(
        "uniswap_twap_v3_feeds",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("feed", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("pool", sa.Text(), nullable=False),
        sa.Column("base", sa.Text(), nullable=False),
        sa.Column("quote", sa.Text(), nullable=False),
        sa.Column("quote_feed", sa.Text(), nullable=False),
        sa.Column("window_seconds", sa.BigInteger(), nullable=False),
        sa.Column("decimals", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_uniswap_twap_v3_feeds_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "feed", "valid_from_block", name=op.f("pk_uniswap_twap_v3_feeds")
        ),
    )
    _index("uniswap_twap_v3_feeds")


def _index(table: str) -> None:
    with op.batch_alter_table(table, schema=None) as batch_op:
        for column in ("valid_from_block", "valid_to_block"):
            batch_op.create_index(
                batch_op.f(f"ix_{table}_deployment_id_{column}"),
                ["deployment_id", column],
                unique=False,
            )


def downgrade() -> None:
    op.drop_table("uniswap_twap_v3_feeds")
    op.drop_table("uniswap_twap_v2_feeds")
