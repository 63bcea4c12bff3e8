"""The rows of LP-share feeds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from defirisk.store.types import WideInteger

revision = "20261121_lp_share"
down_revision = "20261121_capped_ratio"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _lp_share_feeds()
    _lp_share_pairs()
    _lp_share_sides()


def _lp_share_feeds() -> None:
    op.create_table(
        "lp_share_feeds",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("feed", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("pair", sa.Text(), nullable=False),
        sa.Column("feed_0", sa.Text(), nullable=False),
        sa.Column("feed_1", sa.Text(), nullable=False),
        sa.Column("decimals_0", sa.BigInteger(), nullable=False),
        sa.Column("decimals_1", sa.BigInteger(), nullable=False),
        sa.Column("decimals", sa.BigInteger(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_lp_share_feeds_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "feed", "valid_from_block", name=op.f("pk_lp_share_feeds")
        ),
    )
    _index("lp_share_feeds")


def _lp_share_pairs() -> None:
    op.create_table(
        "lp_share_pairs",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("pair", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("reserve_0_raw", WideInteger(), nullable=False),
        sa.Column("reserve_1_raw", WideInteger(), nullable=False),
        sa.Column("supply_raw", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_lp_share_pairs_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "pair", "valid_from_block", name=op.f("pk_lp_share_pairs")
        ),
    )
    _index("lp_share_pairs")


def _lp_share_sides() -> None:
    op.create_table(
        "lp_share_sides",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("feed", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("answer_raw", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_lp_share_sides_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "feed", "valid_from_block", name=op.f("pk_lp_share_sides")
        ),
    )
    _index("lp_share_sides")


def _index(table: str) -> None:
    with op.batch_alter_table(table, schema=None) as batch_op:
        for column in ("valid_from_block", "valid_to_block"):
            batch_op.create_index(
                batch_op.f(f"ix_{table}_deployment_id_{column}"),
                ["deployment_id", column],
                unique=False,
            )


def downgrade() -> None:
    op.drop_table("lp_share_sides")
    op.drop_table("lp_share_pairs")
    op.drop_table("lp_share_feeds")
