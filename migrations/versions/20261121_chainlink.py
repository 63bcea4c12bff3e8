"""The rows of Chainlink."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from defirisk.store.types import WideInteger

revision = "20261121_chainlink"
down_revision = "20261121_aave_v3_accounts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "chainlink_answers",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("aggregator", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("answer_raw", WideInteger(), nullable=False),
        sa.Column("round_id", WideInteger(), nullable=False),
        sa.Column("updated_at_ts", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_chainlink_answers_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "aggregator", "valid_from_block", name=op.f("pk_chainlink_answers")
        ),
    )
    with op.batch_alter_table("chainlink_answers", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_chainlink_answers_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_chainlink_answers_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )
    op.create_table(
        "chainlink_feeds",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("feed", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("aggregator", sa.Text(), nullable=False),
        sa.Column("phase_id", sa.BigInteger(), nullable=False),
        sa.Column("decimals", sa.BigInteger(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("answer_raw", WideInteger(), nullable=False),
        sa.Column("updated_at_ts", sa.BigInteger(), nullable=False),
        sa.Column("transforms", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_chainlink_feeds_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "feed", "valid_from_block", name=op.f("pk_chainlink_feeds")
        ),
    )
    with op.batch_alter_table("chainlink_feeds", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_chainlink_feeds_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_chainlink_feeds_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )


def downgrade() -> None:
    op.drop_table("chainlink_feeds")
    op.drop_table("chainlink_answers")
