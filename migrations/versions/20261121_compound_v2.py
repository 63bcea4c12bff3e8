"""The rows of Compound v2: accounts, cTokens, Comptrollers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from defirisk.store.types import WideInteger

revision = "20261121_compound_v2"
down_revision = "20261121_imported_lending"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "compound_v2_account_markets",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("account", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("c_token", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("entered", sa.Boolean(), nullable=False),
        sa.Column("tokens_raw", WideInteger(), nullable=False),
        sa.Column("principal_raw", WideInteger(), nullable=False),
        sa.Column("interest_index_mantissa", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_compound_v2_account_markets_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "account",
            "c_token",
            "valid_from_block",
            name=op.f("pk_compound_v2_account_markets"),
        ),
    )
    with op.batch_alter_table("compound_v2_account_markets", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_compound_v2_account_markets_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_compound_v2_account_markets_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )
    op.create_table(
        "compound_v2_c_token_constants",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("c_token", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("underlying", sa.Text(), nullable=False),
        sa.Column("native", sa.Boolean(), nullable=False),
        sa.Column("initial_exchange_rate_mantissa", WideInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_compound_v2_c_token_constants_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "c_token",
            "valid_from_block",
            name=op.f("pk_compound_v2_c_token_constants"),
        ),
    )
    with op.batch_alter_table("compound_v2_c_token_constants", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_compound_v2_c_token_constants_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_compound_v2_c_token_constants_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )
    op.create_table(
        "compound_v2_c_tokens",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("c_token", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.Column("collateral_factor_mantissa", WideInteger(), nullable=False),
        sa.Column("reserve_factor_mantissa", WideInteger(), nullable=False),
        sa.Column("interest_rate_model", sa.Text(), nullable=False),
        sa.Column("accrual_block_number", sa.BigInteger(), nullable=False),
        sa.Column("borrow_index_mantissa", WideInteger(), nullable=False),
        sa.Column("total_borrows_raw", WideInteger(), nullable=False),
        sa.Column("total_reserves_raw", WideInteger(), nullable=False),
        sa.Column("total_supply_raw", WideInteger(), nullable=False),
        sa.Column("cash_raw", WideInteger(), nullable=False),
        sa.Column("cash_read", sa.Boolean(), nullable=False),
        sa.Column("last_to_self_raw", WideInteger(), nullable=False),
        sa.Column("borrow_cap_raw", WideInteger(), nullable=False),
        sa.Column("mint_paused", sa.Boolean(), nullable=False),
        sa.Column("borrow_paused", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_compound_v2_c_tokens_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "c_token", "valid_from_block", name=op.f("pk_compound_v2_c_tokens")
        ),
    )
    with op.batch_alter_table("compound_v2_c_tokens", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_compound_v2_c_tokens_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_compound_v2_c_tokens_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )
    op.create_table(
        "compound_v2_comptrollers",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("comptroller", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("valid_from_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_block", sa.BigInteger(), nullable=True),
        sa.Column("price_oracle", sa.Text(), nullable=False),
        sa.Column("close_factor_mantissa", WideInteger(), nullable=False),
        sa.Column("liquidation_incentive_mantissa", WideInteger(), nullable=False),
        sa.Column("transfer_paused", sa.Boolean(), nullable=False),
        sa.Column("seize_paused", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_compound_v2_comptrollers_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id",
            "comptroller",
            "valid_from_block",
            name=op.f("pk_compound_v2_comptrollers"),
        ),
    )
    with op.batch_alter_table("compound_v2_comptrollers", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_compound_v2_comptrollers_deployment_id_valid_from_block"),
            ["deployment_id", "valid_from_block"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_compound_v2_comptrollers_deployment_id_valid_to_block"),
            ["deployment_id", "valid_to_block"],
            unique=False,
        )


def downgrade() -> None:
    op.drop_table("compound_v2_comptrollers")
    op.drop_table("compound_v2_c_tokens")
    op.drop_table("compound_v2_c_token_constants")
    op.drop_table("compound_v2_account_markets")
