"""The rows of Pyth."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from defirisk.store.types import WideInteger

revision = "20261121_pyth"
down_revision = "20261121_uniswap_twap"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _pyth_feeds()
    _pyth_prices()


def _pyth_feeds() -> None:
    op.create_table(
        "pyth_feeds",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("feed", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("pyth", sa.Text(), nullable=False),
        sa.Column("price_id", sa.Text(), nullable=False),
        sa.Column("decimals", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_pyth_feeds_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "feed", "valid_from_block", name=op.f("pk_pyth_feeds")
        ),
    )
    _index("pyth_feeds")


def _pyth_prices() -> None:
    op.create_table(
        "pyth_prices",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("pyth", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("price_id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("price_raw", sa.BigInteger(), nullable=False),
        sa.Column("confidence_raw", WideInteger(), nullable=False),
        sa.Column("publish_time_ts", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_pyth_prices_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "pyth", "price_id", "valid_from_block", name=op.f("pk_pyth_prices")
        ),
    )
    _index("pyth_prices")


def _index(table: str) -> None:
    with op.batch_alter_table(table, schema=None) as batch_op:
        for column in ("valid_from_block", "valid_to_block"):
            batch_op.create_index(
                batch_op.f(f"ix_{table}_deployment_id_{column}"),
                ["deployment_id", column],
                unique=False,
            )


def downgrade() -> None:
    op.drop_table("pyth_prices")
    op.drop_table("pyth_feeds")
