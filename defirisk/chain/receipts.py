"""The receipts of a whole block, proven against the root in its header.

The root is that of the Merkle-Patricia trie from RLP(index) to the receipt as consensus encodes it
(Yellow Paper, section 4.4.1; EIP-2718 for types; EIP-658 for the status): only a list that lacks
nothing gives it. Rules of other chains, each seen in the client that made it:

* OP Stack deposits (type 0x7e) append depositNonce and depositReceiptVersion since Canyon, where a
  receipt states its version (op-geth, core/types/receipt.go); before, neither is in the root.
* Arbitrum's own types (0x64 and up) are encoded as any type is.
* Polygon's state-sync receipt is served with a block, but was no part of its root: it is known by
  its transaction hash, Keccak-256 of "matic-bor-receipt-", number and hash (bor,
  core/types/bor_receipt.go). Its logs can therefore not be proven.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from eth_hash.auto import keccak

from defirisk.chain.node_errors import Overwhelmed
from defirisk.chain.wire import LogFilter, broken, read_bytes, read_hex, read_quantity
from defirisk.core.evm import Block, Hash, LogQuery, RawLog

OP_DEPOSIT = 0x7E
Receipt = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Receipts:
    """A block's receipts as a node served them. `unproven` are those that no root covers."""

    block: Block
    proven: tuple[Receipt, ...]
    unproven: tuple[Receipt, ...]

    def logs(self, query: LogQuery) -> list[RawLog]:
        """Their logs that a query asks for, in chain order. Errors: `Overwhelmed`."""
        addresses = frozenset(address.lower() for address in query.addresses)
        asked = LogFilter(
            addresses=addresses,
            topics0=query.topics0,
            first_block=self.block.number,
            last_block=self.block.number,
            block_hash=self.block.hash,
        )
        wanted = set(query.topics0)
        held = [
            log
            for receipt in self.proven
            for log in _logs(receipt)
            if str(log.get("address")).lower() in addresses
            and (not wanted or _first_topic(log) in wanted)
        ]
        return sorted(asked.read(held), key=lambda log: log.log_index)


def read_receipts(block: Block, answer: object) -> Receipts:
    """An answer of eth_getBlockReceipts, proven. Errors: `Overwhelmed` where the root differs."""
    served = answer if isinstance(answer, list) else broken("list of receipts")
    receipts = tuple(r if isinstance(r, Mapping) else broken("receipt") for r in served)
    state_sync = state_sync_hash(block)
    own = tuple(r for r in receipts if str(r.get("transactionHash")).lower() == state_sync)
    for proven, unproven in ((receipts, ()), (tuple(r for r in receipts if r not in own), own)):
        if receipts_root(proven) == block.receipts_root:
            return Receipts(block, proven, unproven)
    raise RootDiffers(f"the receipts of block {block.number} do not give its receiptsRoot")


def state_sync_hash(block: Block) -> Hash:
    """Of the transaction that no root and no bloom covers, on Polygon and its kin."""
    number, block_hash = block.number.to_bytes(8, "big"), bytes.fromhex(block.hash[2:])
    return "0x" + keccak(b"matic-bor-receipt-" + number + block_hash).hex()


class RootDiffers(Overwhelmed):
    """Receipts that are not all there, or a chain whose rule is another one."""


def receipts_root(receipts: Sequence[Receipt]) -> Hash:
    """The root of the trie of a block's receipts, in the order of their transactions."""
    # Imported here: it takes half a second, and only this audit needs it.
    import rlp
    from trie.hexary import HexaryTrie

    trie = HexaryTrie({})
    for index, receipt in enumerate(receipts):
        trie[rlp.encode(index)] = encoded(receipt)
    return "0x" + trie.root_hash.hex()


def encoded(receipt: Receipt) -> bytes:
    """A receipt as consensus encodes it. Errors: `Overwhelmed` where a field is missing."""
    import rlp

    kind = read_quantity(receipt.get("type") or "0x0", "receipt's type")
    fields: list[object] = [
        _outcome(receipt),
        _integer(receipt, "cumulativeGasUsed"),
        read_bytes(receipt.get("logsBloom"), "receipt's logsBloom", 256),
        [_log(log) for log in _logs(receipt)],
    ]
    if kind == OP_DEPOSIT and receipt.get("depositReceiptVersion") is not None:
        fields += [_integer(receipt, "depositNonce"), _integer(receipt, "depositReceiptVersion")]
    payload: bytes = rlp.encode(fields)
    return (bytes([kind]) if kind else b"") + payload


def _outcome(receipt: Receipt) -> bytes:
    """The status; before Byzantium the state root."""
    if receipt.get("root") not in (None, "", "0x"):
        return read_bytes(receipt["root"], "receipt's root", 32)
    return _integer(receipt, "status")


def _integer(receipt: Receipt, name: str) -> bytes:
    number = read_quantity(receipt.get(name), f"receipt's {name}")
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _logs(receipt: Receipt) -> Iterator[Mapping[str, object]]:
    logs = receipt.get("logs")
    for log in logs if isinstance(logs, list) else broken("receipt's logs"):
        yield log if isinstance(log, Mapping) else broken("receipt's log")


def _topics(log: Mapping[str, object]) -> list[bytes]:
    topics = log.get("topics")
    given = topics if isinstance(topics, list) else broken("log's topics")
    return [read_bytes(topic, "log's topic", 32) for topic in given]


def _first_topic(log: Mapping[str, object]) -> bytes | None:
    return next(iter(_topics(log)), None)


def _log(log: Mapping[str, object]) -> list[object]:
    address = bytes.fromhex(read_hex(log.get("address"), "log's address", 20)[2:])
    return [address, _topics(log), read_bytes(log.get("data"), "log's data")]
