"""The rows of Aave v3: accounts and prices."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from defirisk.store.types import WideInteger

revision = "20261121_aave_v3_accounts"
down_revision = "20261121_aave_v3_market"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "aave_v3_accounts",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("account", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("emode_category_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_aave_v3_accounts_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "account", "valid_from_block", name=op.f("pk_aave_v3_accounts")
        ),
    )
    with op.batch_alter_table("aave_v3_accounts", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_aave_v3_accounts_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_aave_v3_accounts_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )
    op.create_table(
        "aave_v3_price_oracles",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("oracle", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("base_currency", sa.Text(), nullable=False),
        sa.Column("base_currency_unit_raw", WideInteger(), nullable=False),
        sa.Column("fallback_oracle", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_aave_v3_price_oracles_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "oracle", "valid_from_block", name=op.f("pk_aave_v3_price_oracles")
        ),
    )
    with op.batch_alter_table("aave_v3_price_oracles", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_aave_v3_price_oracles_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_aave_v3_price_oracles_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )
    op.create_table(
        "aave_v3_price_sources",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("oracle", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("asset", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_aave_v3_price_sources_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "oracle",
            "asset",
            "valid_from_block",
            name=op.f("pk_aave_v3_price_sources"),
        ),
    )
    with op.batch_alter_table("aave_v3_price_sources", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_aave_v3_price_sources_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_aave_v3_price_sources_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )
    op.create_table(
        "aave_v3_prices",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("oracle", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("asset", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("price_raw", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_aave_v3_prices_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "oracle", "asset", "valid_from_block", name=op.f("pk_aave_v3_prices")
        ),
    )
    with op.batch_alter_table("aave_v3_prices", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_aave_v3_prices_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_aave_v3_prices_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )
    op.create_table(
        "aave_v3_user_reserves",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("account", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("asset", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("scaled_a_token_raw", WideInteger(), nullable=False),
        sa.Column("a_token_index_ray", WideInteger(), nullable=False),
        sa.Column("scaled_variable_debt_raw", WideInteger(), nullable=False),
        sa.Column("variable_debt_index_ray", WideInteger(), nullable=False),
        sa.Column("used_as_collateral", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_aave_v3_user_reserves_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "account",
            "asset",
            "valid_from_block",
            name=op.f("pk_aave_v3_user_reserves"),
        ),
    )
    with op.batch_alter_table("aave_v3_user_reserves", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_aave_v3_user_reserves_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_aave_v3_user_reserves_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )


def downgrade() -> None:
    op.drop_table("aave_v3_user_reserves")
    op.drop_table("aave_v3_prices")
    op.drop_table("aave_v3_price_sources")
    op.drop_table("aave_v3_price_oracles")
    op.drop_table("aave_v3_accounts")
