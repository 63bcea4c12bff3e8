"""What one would write first: web3.py's get_logs, its process_log, and an ORM that adds objects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import BigInteger, String, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from web3 import HTTPProvider, Web3

from benchmarks.emitted import Emitted
from benchmarks.stored import Clock, Stored

STEP = 100
ABI: list[dict[str, Any]] = [
    {
        "type": "event",
        "name": "Transfer",
        "anonymous": False,
        "inputs": [
            {"name": "sender", "type": "address", "indexed": True},
            {"name": "receiver", "type": "address", "indexed": True},
            {"name": "amount", "type": "uint256", "indexed": False},
        ],
    }
]


class Base(DeclarativeBase):
    """Of the one table."""


class Transfer(Base):
    """A decoded log."""

    __tablename__ = "transfers"
    block_number: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    log_index: Mapped[int] = mapped_column(primary_key=True)
    tx_hash: Mapped[str] = mapped_column(String(66))
    sender: Mapped[str] = mapped_column(String(42))
    receiver: Mapped[str] = mapped_column(String(42))
    amount: Mapped[str] = mapped_column(String(78))


def naive_index(chain: Emitted, folder: Path) -> Stored:
    """Stores every transfer of the chain in a new SQLite file."""
    engine = create_engine(f"sqlite:///{folder / 'naive.db'}")
    Base.metadata.create_all(engine)
    web3 = Web3(HTTPProvider(chain.url))
    vault = web3.to_checksum_address(chain.vault)
    event = web3.eth.contract(address=vault, abi=ABI).events.Transfer()
    count = requests = 0
    clock = Clock()
    with clock:
        for first in range(0, chain.head + 1, STEP):
            last = min(first + STEP - 1, chain.head)
            logs = web3.eth.get_logs({"address": vault, "fromBlock": first, "toBlock": last})
            decoded = [event.process_log(log) for log in logs]
            with Session(engine) as session, session.begin():
                session.add_all(map(_row, decoded))
            count += len(decoded)
            requests += 1
    engine.dispose()
    return clock.stored(count, requests, requests)


def _row(log: Any) -> Transfer:
    return Transfer(
        block_number=log["blockNumber"],
        log_index=log["logIndex"],
        tx_hash=log["transactionHash"].to_0x_hex(),
        sender=log["args"]["sender"],
        receiver=log["args"]["receiver"],
        amount=str(log["args"]["amount"]),
    )
