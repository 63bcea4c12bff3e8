"""What was read from chains, deployments, tokens, verdicts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261121_base_layer"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "blocks",
        sa.Column("chain_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("block_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("block_hash", sa.String(length=66), nullable=False),
        sa.Column("parent_hash", sa.String(length=66), nullable=False),
        sa.Column("block_time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("chain_id", "block_number", name=op.f("pk_blocks")),
    )
    op.create_table(
        "chains",
        sa.Column("chain_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("verified_to_block", sa.BigInteger(), nullable=False),
        sa.Column("head_block", sa.BigInteger(), nullable=False),
        sa.Column("head_ts", sa.BigInteger(), nullable=False),
        sa.Column("finalized_block", sa.BigInteger(), nullable=True),
        sa.Column("reorgs", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("chain_id", name=op.f("pk_chains")),
    )
    op.create_table(
        "deployments",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("protocol", sa.String(length=100), nullable=False),
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("first_block", sa.BigInteger(), nullable=False),
        sa.Column("contracts", sa.Text(), nullable=False),
        sa.Column("follows", sa.Text(), nullable=False),
        sa.Column("adapter_version", sa.Integer(), nullable=False),
        sa.Column("folded_to_block", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("deployment_id", name=op.f("pk_deployments")),
        sa.UniqueConstraint("name", name=op.f("uq_deployments_name")),
    )
    op.create_table(
        "raw_calls",
        sa.Column("chain_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("block_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("contract_address", sa.String(length=42), nullable=False),
        sa.Column("calldata", sa.LargeBinary(), nullable=False),
        sa.Column("block_hash", sa.String(length=66), nullable=False),
        sa.Column("ok", sa.Boolean(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint(
            "chain_id", "block_number", "contract_address", "calldata", name=op.f("pk_raw_calls")
        ),
    )
    op.create_table(
        "raw_logs",
        sa.Column("chain_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("block_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("evt_index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("block_hash", sa.String(length=66), nullable=False),
        sa.Column("tx_hash", sa.String(length=66), nullable=False),
        sa.Column("contract_address", sa.String(length=42), nullable=False),
        sa.Column("topic0", sa.LargeBinary(length=32), nullable=True),
        sa.Column("topic1", sa.LargeBinary(length=32), nullable=True),
        sa.Column("topic2", sa.LargeBinary(length=32), nullable=True),
        sa.Column("topic3", sa.LargeBinary(length=32), nullable=True),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("chain_id", "block_number", "evt_index", name=op.f("pk_raw_logs")),
    )
    with op.batch_alter_table("raw_logs", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_raw_logs_chain_id_contract_address_block_number"),
            ["chain_id", "contract_address", "block_number"],
            unique=False,
        )
    op.create_table(
        "tokens",
        sa.Column("chain_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("token_address", sa.String(length=42), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("decimals", sa.Integer(), nullable=False),
        sa.Column("read_at_block", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("chain_id", "token_address", name=op.f("pk_tokens")),
    )
    op.create_table(
        "verified_ranges",
        sa.Column("chain_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("contract_address", sa.String(length=42), nullable=False),
        sa.Column("first_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("last_block", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "chain_id", "contract_address", "first_block", name=op.f("pk_verified_ranges")
        ),
    )
    op.create_table(
        "verifications",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("block_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("block_hash", sa.String(length=66), nullable=False),
        sa.Column("accounts", sa.Integer(), nullable=False),
        sa.Column("compared", sa.Integer(), nullable=False),
        sa.Column("only_read", sa.Integer(), nullable=False),
        sa.Column("mismatches", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_verifications_deployment_id"),
        ),
        sa.PrimaryKeyConstraint("deployment_id", "block_number", name=op.f("pk_verifications")),
    )
    op.create_table(
        "watched_contracts",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("contract_address", sa.String(length=42), nullable=False),
        sa.Column("role", sa.String(length=100), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("first_block", sa.BigInteger(), nullable=False),
        sa.Column("discovered_block", sa.BigInteger(), nullable=False),
        sa.Column("folded", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.deployment_id"],
            name=op.f("fk_watched_contracts_deployment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "contract_address", "role", name=op.f("pk_watched_contracts")
        ),
    )


def downgrade() -> None:
    op.drop_table("watched_contracts")
    op.drop_table("verifications")
    op.drop_table("verified_ranges")
    op.drop_table("tokens")
    op.drop_table("raw_logs")
    op.drop_table("raw_calls")
    op.drop_table("deployments")
    op.drop_table("chains")
    op.drop_table("blocks")
