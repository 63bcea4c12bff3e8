"""The base layer: what was read from a chain, keyed by block hash and replaced only by a reorg.

Everything else in the store can be built again from these tables alone.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

from defirisk.store.types import AnyText

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

chains = Table(
    "chains",
    metadata,
    Column("chain_id", BigInteger, primary_key=True, autoincrement=False),
    Column("verified_to_block", BigInteger, nullable=False),
    Column("head_block", BigInteger, nullable=False),
    Column("head_ts", BigInteger, nullable=False),
    Column("finalized_block", BigInteger),
    Column("reorgs", Integer, nullable=False, default=0),
)

blocks = Table(
    "blocks",
    metadata,
    Column("chain_id", BigInteger, primary_key=True, autoincrement=False),
    Column("block_number", BigInteger, primary_key=True, autoincrement=False),
    Column("block_hash", String(66), nullable=False),
    Column("parent_hash", String(66), nullable=False),
    Column("block_time", BigInteger, nullable=False),
)

raw_logs = Table(
    "raw_logs",
    metadata,
    Column("chain_id", BigInteger, primary_key=True, autoincrement=False),
    Column("block_number", BigInteger, primary_key=True, autoincrement=False),
    Column("evt_index", Integer, primary_key=True, autoincrement=False),
    Column("block_hash", String(66), nullable=False),
    Column("tx_hash", String(66), nullable=False),
    Column("contract_address", String(42), nullable=False),
    Column("topic0", LargeBinary(32)),
    Column("topic1", LargeBinary(32)),
    Column("topic2", LargeBinary(32)),
    Column("topic3", LargeBinary(32)),
    Column("data", LargeBinary, nullable=False),
    Index(None, "chain_id", "contract_address", "block_number"),
)

raw_calls = Table(
    "raw_calls",
    metadata,
    Column("chain_id", BigInteger, primary_key=True, autoincrement=False),
    Column("block_number", BigInteger, primary_key=True, autoincrement=False),
    Column("contract_address", String(42), primary_key=True),
    Column("calldata", LargeBinary, primary_key=True),
    Column("block_hash", String(66), nullable=False),
    Column("ok", Boolean, nullable=False),
    Column("answer", LargeBinary, nullable=False),
)

verified_ranges = Table(
    "verified_ranges",
    metadata,
    Column("chain_id", BigInteger, primary_key=True, autoincrement=False),
    Column("contract_address", String(42), primary_key=True),
    Column("first_block", BigInteger, primary_key=True, autoincrement=False),
    Column("last_block", BigInteger, nullable=False),
)

asked_events = Table(
    "asked_events",
    metadata,
    Column("chain_id", BigInteger, primary_key=True, autoincrement=False),
    Column("contract_address", String(42), primary_key=True),
    Column("topics", LargeBinary, nullable=False),
)

deployments = Table(
    "deployments",
    metadata,
    Column("deployment_id", Integer, primary_key=True),
    Column("name", String(200), nullable=False, unique=True),
    Column("protocol", String(100), nullable=False),
    Column("chain_id", BigInteger, nullable=False),
    Column("first_block", BigInteger, nullable=False),
    Column("contracts", Text, nullable=False),
    Column("follows", Text, nullable=False),
    Column("adapter_version", Integer, nullable=False),
    Column("folded_to_block", BigInteger, nullable=False),
)

verifications = Table(
    "verifications",
    metadata,
    Column("deployment_id", Integer, ForeignKey("deployments.deployment_id"), primary_key=True),
    Column("block_number", BigInteger, primary_key=True, autoincrement=False),
    Column("block_hash", String(66), nullable=False),
    Column("accounts", Integer, nullable=False),
    Column("compared", Integer, nullable=False),
    Column("only_read", Integer, nullable=False),
    Column("mismatches", Integer, nullable=False),
)

watched_contracts = Table(
    "watched_contracts",
    metadata,
    Column("deployment_id", Integer, ForeignKey("deployments.deployment_id"), primary_key=True),
    Column("contract_address", String(42), primary_key=True),
    Column("role", String(100), primary_key=True),
    Column("subject", String(200), nullable=False),
    Column("first_block", BigInteger, nullable=False),
    Column("discovered_block", BigInteger, nullable=False),
    Column("folded", Boolean, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("chain_id", BigInteger, primary_key=True, autoincrement=False),
    Column("token_address", String(42), primary_key=True),
    Column("symbol", AnyText, nullable=False),
    Column("name", AnyText, nullable=False),
    Column("decimals", Integer, nullable=False),
    Column("read_at_block", BigInteger, nullable=False),
)

unverified_ranges = Table(
    "unverified_ranges",
    metadata,
    Column("chain_id", BigInteger, primary_key=True, autoincrement=False),
    Column("contract_address", String(42), primary_key=True),
    Column("first_block", BigInteger, primary_key=True, autoincrement=False),
    Column("audit", String(40), primary_key=True),
    Column("last_block", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("since_ts", BigInteger, nullable=False),
)

audits = Table(
    "audits",
    metadata,
    Column("chain_id", BigInteger, primary_key=True, autoincrement=False),
    Column("audit", String(40), primary_key=True),
    Column("population", BigInteger, nullable=False),
    Column("checked", BigInteger, nullable=False),
    Column("always", BigInteger, nullable=False),
    Column("calls", BigInteger, nullable=False),
    Column("suspicious", BigInteger, nullable=False),
    Column("gained", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
)

recent_blocks = Table(
    "recent_blocks",
    metadata,
    Column("chain_id", BigInteger, primary_key=True, autoincrement=False),
    Column("block_number", BigInteger, primary_key=True, autoincrement=False),
    Column("block_hash", String(66), nullable=False),
    Column("parent_hash", String(66), nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("source", String(100), primary_key=True),
    Column("holder", String(300), nullable=False),
    Column("until_ts", BigInteger, nullable=False),
)

reorgs = Table(
    "reorgs",
    metadata,
    Column("reorg_id", Integer, primary_key=True),
    Column("chain_id", BigInteger, nullable=False),
    Column("detected_ts", BigInteger, nullable=False),
    Column("ancestor_block", BigInteger, nullable=False),
    Column("depth", BigInteger, nullable=False),
    Column("block_number", BigInteger, nullable=False),
    Column("old_hash", String(66), nullable=False),
    Column("new_hash", String(66), nullable=False),
    Index(None, "chain_id", "reorg_id"),
)

reorged_blocks = Table(
    "reorged_blocks",
    metadata,
    Column("reorg_id", Integer, ForeignKey("reorgs.reorg_id"), primary_key=True),
    Column("block_number", BigInteger, primary_key=True, autoincrement=False),
    Column("block_hash", String(66), nullable=False),
    Index(None, "block_hash"),
)

alerts = Table(
    "alerts",
    metadata,
    Column("alert", String(200), primary_key=True),
    Column("since_ts", BigInteger, nullable=False),
    Column("said", Text, nullable=False),
)

endpoint_health = Table(
    "endpoint_health",
    metadata,
    Column("provider", String(300), primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("rate", Double, nullable=False),
    Column("next_free_ts", Double, nullable=False),
    Column("blocked_until_ts", Double, nullable=False),
    Column("refused_ts", Double, nullable=False),
    Column("raised_ts", Double, nullable=False),
    Column("step", Double, nullable=False),
)
