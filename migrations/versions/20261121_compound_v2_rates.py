"""The rows of Compound v2: rate models, prices, implementations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from defirisk.store.types import WideInteger

revision = "20261121_compound_v2_rates"
down_revision = "20261121_compound_v2"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "compound_v2_implementations",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("contract", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("implementation", sa.Text(), nullable=False),
        sa.Column("proven", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_compound_v2_implementations_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "contract",
            "valid_from_block",
            name=op.f("pk_compound_v2_implementations"),
        ),
    )
    with op.batch_alter_table("compound_v2_implementations", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_compound_v2_implementations_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_compound_v2_implementations_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )
    op.create_table(
        "compound_v2_interest_rate_models",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("model", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("base_rate_per_block_mantissa", WideInteger(), nullable=False),
        sa.Column("multiplier_per_block_mantissa", WideInteger(), nullable=False),
        sa.Column("jump_multiplier_per_block_mantissa", WideInteger(), nullable=False),
        sa.Column("kink_mantissa", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_compound_v2_interest_rate_models_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "model",
            "valid_from_block",
            name=op.f("pk_compound_v2_interest_rate_models"),
        ),
    )
    with op.batch_alter_table("compound_v2_interest_rate_models", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_compound_v2_interest_rate_models_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_compound_v2_interest_rate_models_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )
    op.create_table(
        "compound_v2_price_feeds",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("price_oracle", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("c_token", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_compound_v2_price_feeds_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "price_oracle",
            "c_token",
            "valid_from_block",
            name=op.f("pk_compound_v2_price_feeds"),
        ),
    )
    with op.batch_alter_table("compound_v2_price_feeds", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_compound_v2_price_feeds_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_compound_v2_price_feeds_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )
    op.create_table(
        "compound_v2_prices",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("price_oracle", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("c_token", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("price_mantissa", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_compound_v2_prices_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "price_oracle",
            "c_token",
            "valid_from_block",
            name=op.f("pk_compound_v2_prices"),
        ),
    )
    with op.batch_alter_table("compound_v2_prices", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_compound_v2_prices_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_compound_v2_prices_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )
    op.create_table(
        "compound_v2_rate_model_constants",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("model", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("blocks_per_year", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_compound_v2_rate_model_constants_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "model",
            "valid_from_block",
            name=op.f("pk_compound_v2_rate_model_constants"),
        ),
    )
    with op.batch_alter_table("compound_v2_rate_model_constants", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_compound_v2_rate_model_constants_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_compound_v2_rate_model_constants_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )
    op.create_table(
        "compound_v2_rates_read",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("c_token", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("borrow_rate_per_block_mantissa", WideInteger(), nullable=False),
        sa.Column("supply_rate_per_block_mantissa", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_compound_v2_rates_read_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "c_token", "valid_from_block", name=op.f("pk_compound_v2_rates_read")
        ),
    )
    with op.batch_alter_table("compound_v2_rates_read", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_compound_v2_rates_read_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_compound_v2_rates_read_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )


def downgrade() -> None:
    op.drop_table("compound_v2_rates_read")
    op.drop_table("compound_v2_rate_model_constants")
    op.drop_table("compound_v2_prices")
    op.drop_table("compound_v2_price_feeds")
    op.drop_table("compound_v2_interest_rate_models")
    op.drop_table("compound_v2_implementations")
