"""The JSON of a node's answers, read into core.evm values and checked on the way.

Whatever does not read as it should is an `Overwhelmed` error: through a load balancer, a second
question often gets a sound answer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from defirisk.chain.node_errors import Overwhelmed
from defirisk.core.evm import Address, Block, RawLog


def broken(what: str) -> NoReturn:
    """Refuse an answer. Errors: `Overwhelmed`, always."""
    raise Overwhelmed(f"the node gave a broken {what}")


def to_quantity(number: int) -> str:
    """A number as JSON-RPC writes it."""
    return hex(number)


def read_quantity(value: object, what: str) -> int:
    """A number that JSON-RPC wrote. Errors: `Overwhelmed` where it is none."""
    try:
        return int(value, 16) if isinstance(value, str) else broken(what)
    except ValueError:
        broken(what)


def read_bytes(value: object, what: str, length: int | None = None) -> bytes:
    """Bytes from 0x-hex, `length` of them where given. Errors: `Overwhelmed`."""
    try:
        data = bytes.fromhex(value[2:]) if isinstance(value, str) else None
    except ValueError:
        data = None
    if data is None or (length is not None and len(data) != length):
        broken(what)
    return data


def read_hex(value: object, what: str, length: int) -> str:
    """Lower-case 0x text of `length` bytes, as core.evm keeps hashes and addresses."""
    return "0x" + read_bytes(value, what, length).hex()


def read_block(answer: object) -> Block:
    """A header from an eth_getBlockBy… answer. Errors: `Overwhelmed`."""
    fields = answer if isinstance(answer, Mapping) else broken("header")
    return Block(
        number=read_quantity(fields.get("number"), "header's number"),
        hash=read_hex(fields.get("hash"), "header's hash", 32),
        parent_hash=read_hex(fields.get("parentHash"), "header's parentHash", 32),
        timestamp=read_quantity(fields.get("timestamp"), "header's timestamp"),
        logs_bloom=read_bytes(fields.get("logsBloom", "0x"), "header's logsBloom"),
        receipts_root=str(fields.get("receiptsRoot", "")).lower(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFilter:
    """One eth_getLogs: the question, and what an honest answer to it may hold.

    `by_topics` leaves the addresses out of the question; logs of others are then passed over.
    """

    addresses: frozenset[Address]
    topics0: tuple[bytes, ...]
    first_block: int
    last_block: int
    block_hash: str | None = None
    by_topics: bool = False

    def params(self) -> dict[str, object]:
        """The filter object of eth_getLogs; by block hash where one is given."""
        params: dict[str, object] = {}
        if not self.by_topics:
            params["address"] = sorted(self.addresses)
        if self.topics0:
            params["topics"] = [["0x" + topic.hex() for topic in self.topics0]]
        if self.block_hash is not None:
            return params | {"blockHash": self.block_hash}
        return params | {
            "fromBlock": to_quantity(self.first_block),
            "toBlock": to_quantity(self.last_block),
        }

    def read(self, answer: object) -> list[RawLog]:
        """The answer's logs, each of which was asked for. Errors: `Overwhelmed`."""
        found = answer if isinstance(answer, list) else broken("logs")
        logs = read_logs([log for log in found if not self.by_topics or self._names(log)])
        for log in logs:
            if not self.first_block <= log.block_number <= self.last_block:
                broken(f"answer: nobody asked for a log of block {log.block_number}")
            if log.address not in self.addresses:
                broken(f"answer: nobody asked for a log of {log.address}")
            if self.topics0 and (not log.topics or log.topics[0] not in self.topics0):
                broken(f"answer: nobody asked for this topic of {log.address}")
            if self.block_hash not in (None, log.block_hash):
                broken(f"answer: nobody asked for a log of block {log.block_hash}")
        return logs

    def _names(self, log: object) -> bool:
        """Whether a log is of one of the addresses; one that does not say so is to be refused."""
        address = log.get("address") if isinstance(log, Mapping) else None
        return not isinstance(address, str) or address.lower() in self.addresses


def read_logs(answer: object) -> list[RawLog]:
    """Logs in the order of the answer, whatever was asked. Errors: `Overwhelmed`."""
    reader = _LogReader()
    found = answer if isinstance(answer, list) else broken("logs")
    return [reader.read(log) for log in found]


def in_chain_order(logs: Iterable[RawLog]) -> tuple[RawLog, ...]:
    """Logs sorted by position. Errors: `Overwhelmed` where they cannot be of one chain."""
    ordered = tuple(sorted(logs, key=lambda log: (log.block_number, log.log_index)))
    hashes: dict[int, str] = {}
    places: set[tuple[int, int]] = set()
    for log in ordered:
        if hashes.setdefault(log.block_number, log.block_hash) != log.block_hash:
            broken(f"answer: two hashes for block {log.block_number}")
        places.add((log.block_number, log.log_index))
    if len(places) != len(ordered):
        broken("answer: two logs with one index")
    return ordered


def groups_of(addresses: Collection[Address], size: int) -> list[frozenset[Address]]:
    """Addresses in lower case, without repetition, at most `size` in a group."""
    distinct = sorted({address.lower() for address in addresses})
    return [frozenset(distinct[i : i + size]) for i in range(0, len(distinct), size)]


class _Repeated(dict[Any, Any]):
    """What many logs of one answer share, each read once: hashes, addresses, topics, numbers."""

    def __init__(self, read: Callable[[object], object]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, value: object) -> object:
        found = self[value] = self._read(value)
        return found


class _LogReader:
    """Reads the logs of one answer."""

    def __init__(self) -> None:
        self._block = _Repeated(lambda value: read_quantity(value, "log's blockNumber"))
        self._block_hash = _Repeated(lambda value: read_hex(value, "log's blockHash", 32))
        self._tx_hash = _Repeated(lambda value: read_hex(value, "log's transactionHash", 32))
        self._address = _Repeated(lambda value: read_hex(value, "log's address", 20))
        self._topic = _Repeated(lambda value: read_bytes(value, "log's topic", 32))
        self._time = _Repeated(_timestamp)

    def read(self, log: object) -> RawLog:
        """One log. Errors: `Overwhelmed`."""
        fields = log if isinstance(log, dict) else broken("log")
        if fields.get("removed"):
            broken("answer: a log of a block that was reorganised away")
        topics = fields.get("topics")
        if not isinstance(topics, list):
            broken("log's topics")
        try:
            return RawLog(
                block_number=self._block[fields.get("blockNumber")],
                block_hash=self._block_hash[fields.get("blockHash")],
                tx_hash=self._tx_hash[fields.get("transactionHash")],
                log_index=read_quantity(fields.get("logIndex"), "log's logIndex"),
                address=self._address[fields.get("address")],
                topics=tuple([self._topic[topic] for topic in topics]),
                data=read_bytes(fields.get("data"), "log's data"),
                timestamp=self._time[fields.get("blockTimestamp")],
            )
        except TypeError:  # a list or an object where a text should be
            broken("log")


def _timestamp(value: object) -> int | None:
    """Of a log, which not every node tells (execution-apis issue 295)."""
    return None if value is None else read_quantity(value, "log's blockTimestamp")
