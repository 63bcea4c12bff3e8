"""What is read from a chain, and the port through which it is read.

Addresses and hashes are lower-case hex text with 0x everywhere; topics and data are bytes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

Address = str
Hash = str
BlockTag = Literal["latest", "safe", "finalized"]

ZERO_ADDRESS: Address = "0x" + "0" * 40


def to_address(word: bytes) -> Address:
    """The address in the last 20 bytes of an ABI word."""
    return "0x" + word[-20:].hex()


CALLER = "msg.sender"
"""Who called, among the arguments of a note that says so. No argument can have this name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A block header, as far as anything here depends on it. `timestamp` is UTC seconds.

    `logs_bloom` and `receipts_root` are there for audits only: empty where the header came from
    a store or a recording, and no part of what makes two headers the same.
    """

    number: int
    hash: Hash
    parent_hash: Hash
    timestamp: int
    logs_bloom: bytes = field(default=b"", compare=False, repr=False)
    receipts_root: Hash = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RawLog:
    """A log as the node returned it, not decoded.

    `timestamp` is its block's, None where the node does not serve it with logs.
    """

    block_number: int
    block_hash: Hash
    tx_hash: Hash
    log_index: int
    address: Address
    topics: tuple[bytes, ...]
    data: bytes
    timestamp: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuery:
    """Which logs: of any of these addresses, with any of these first topics (empty: all)."""

    addresses: tuple[Address, ...]
    topics0: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class LogPage:
    """All logs that match a query in [first_block, last_block], in chain order."""

    first_block: int
    last_block: int
    logs: tuple[RawLog, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A view to ask: contract and ABI-encoded calldata."""

    to: Address
    data: bytes


@dataclass(frozen=True, slots=True)
class CallResult:
    """What a view answered. `ok` is false where it reverted; `data` is then the revert data."""

    ok: bool
    data: bytes


class ChainReader(Protocol):
    """The only way in which anything here learns about a chain.

    Two implementations: a live node (`chain.rpc`) and a recording (`chain.recorded`).
    Errors: `NodeError` and its kinds.
    """

    async def chain_id(self) -> int:
        """The chain's id by EIP-155."""

    async def block(self, ref: int | BlockTag) -> Block:
        """One header. `NodeBehind` where the node does not have it."""

    async def blocks(self, numbers: Sequence[int]) -> list[Block]:
        """Headers of the given numbers, in the given order."""

    def logs(self, query: LogQuery, first_block: int, last_block: int) -> AsyncIterator[LogPage]:
        """Pages that cover [first_block, last_block] without gap, in order.

        A page is only given once the answering node proved to have reached its last block.
        """

    async def calls(self, calls: Sequence[Call], block: Block) -> list[CallResult]:
        """The views' answers, all in the state after `block`, in the given order.

        A view that reverts is a result, not an error.
        """

    async def aclose(self) -> None:
        """Release connections. Nothing may be read afterwards."""
