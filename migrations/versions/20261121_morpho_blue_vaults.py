"""The rows of Morpho Blue's oracles over vaults."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from defirisk.store.types import WideInteger

revision = "20261121_morpho_blue_vaults"
down_revision = "20261121_hard_coded"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _morpho_blue_oracle_vaults()


def _morpho_blue_oracle_vaults() -> None:
    op.create_table(
        "morpho_blue_oracle_vaults",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("oracle", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("base_sample_raw", WideInteger(), nullable=False),
        sa.Column("quote_sample_raw", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_morpho_blue_oracle_vaults_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "oracle", "valid_from_block", name=op.f("pk_morpho_blue_oracle_vaults")
        ),
    )
    _index("morpho_blue_oracle_vaults")


def _index(table: str) -> None:
    with op.batch_alter_table(table, schema=None) as batch_op:
        for column in ("valid_from_block", "valid_to_block"):
            batch_op.create_index(
                batch_op.f(f"ix_{table}_deployment_id_{column}"),
                ["deployment_id", column],
                unique=False,
            )


def downgrade() -> None:
    op.drop_table("morpho_blue_oracle_vaults")
