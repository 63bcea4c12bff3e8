"""The interest rate strategies of Aave v3.0: what they state, and which reserve follows which."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from defirisk.core.evm import ZERO_ADDRESS
from defirisk.store.types import WideInteger

revision = "20261121_aave_v3_strategies"
down_revision = "20261121_meta_morpho"
branch_labels = None
depends_on = None

TABLE = "aave_v3_interest_rate_strategies"


def upgrade() -> None:
    # Reserves that are already stored are made again by the next run: the adapter is another one.
    named = sa.Column(
        "interest_rate_strategy", sa.Text(), nullable=False, server_default=ZERO_ADDRESS
    )
    op.add_column("aave_v3_reserves", named)
    op.create_table(
        "aave_v3_interest_rate_strategies",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("strategy", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("optimal_usage_ray", WideInteger(), nullable=False),
        sa.Column("base_rate_ray", WideInteger(), nullable=False),
        sa.Column("slope1_ray", WideInteger(), nullable=False),
        sa.Column("slope2_ray", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f(f"fk_{TABLE}_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "strategy", "valid_from_block", name=op.f(f"pk_{TABLE}")
        ),
    )
    with op.batch_alter_table(TABLE, schema=None) as batch_op:
        for column in ("valid_from_block", "valid_to_block"):
            batch_op.create_index(
                batch_op.f(f"ix_{TABLE}_deployment_id_{column}"),
                ["deployment_id", column],
                unique=False,
            )


def downgrade() -> None:
    op.drop_table(TABLE)
    with op.batch_alter_table("aave_v3_reserves", schema=None) as batch_op:
        batch_op.drop_column("interest_rate_strategy")
