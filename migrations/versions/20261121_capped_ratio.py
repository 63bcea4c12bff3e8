"""The rows of capped ratio feeds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from defirisk.store.types import WideInteger

revision = "20261121_capped_ratio"
down_revision = "20261121_pyth"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _capped_ratio_feeds()
    _capped_ratio_caps()
    _capped_ratio_providers()


def _capped_ratio_feeds() -> None:
    op.create_table(
        "capped_ratio_feeds",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("feed", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("base_feed", sa.Text(), nullable=False),
        sa.Column("ratio_provider", sa.Text(), nullable=False),
        sa.Column("ratio_decimals", sa.BigInteger(), nullable=False),
        sa.Column("decimals", sa.BigInteger(), nullable=False),
        sa.Column("asked", sa.Boolean(), nullable=False),
        sa.Column("converts", sa.Boolean(), nullable=False),
        sa.Column("ratio_raw", WideInteger(), nullable=False),
        sa.Column("read_block", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_capped_ratio_feeds_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "feed", "valid_from_block", name=op.f("pk_capped_ratio_feeds")
        ),
    )
    _index("capped_ratio_feeds")


def _capped_ratio_caps() -> None:
    op.create_table(
        "capped_ratio_caps",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("feed", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("snapshot_ratio_raw", WideInteger(), nullable=False),
        sa.Column("snapshot_ts", WideInteger(), nullable=False),
        sa.Column("growth_per_second_raw", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_capped_ratio_caps_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "feed", "valid_from_block", name=op.f("pk_capped_ratio_caps")
        ),
    )
    _index("capped_ratio_caps")


def _capped_ratio_providers() -> None:
    op.create_table(
        "capped_ratio_providers",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("provider", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("assets_raw", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_capped_ratio_providers_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "provider", "valid_from_block", name=op.f("pk_capped_ratio_providers")
        ),
    )
    _index("capped_ratio_providers")


def _index(table: str) -> None:
    with op.batch_alter_table(table, schema=None) as batch_op:
        for column in ("valid_from_block", "valid_to_block"):
            batch_op.create_index(
                batch_op.f(f"ix_{table}_deployment_id_{column}"),
                ["deployment_id", column],
                unique=False,
            )


def downgrade() -> None:
    op.drop_table("capped_ratio_providers")
    op.drop_table("capped_ratio_caps")
    op.drop_table("capped_ratio_feeds")
