"""A node of a generated chain: JSON-RPC in, JSON out. See `generated_chain`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from benchmarks.generated_blocks import TRANSFER, GeneratedChain, Tip, Transfer, wanted
from benchmarks.generated_ledger import Ledger
from benchmarks.generated_views import Views


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeLimits:
    """What the server bears. 0: without limit. `latency` in seconds, `rate` in HTTP requests a
    second, beyond which it refuses with 429 or, with `over` "delay", answers later. `hints`: what
    is refused for its many logs says which range would do.
    """

    latency: float = 0.0
    rate: float = 0.0
    over: Literal["refuse", "delay"] = "refuse"
    max_logs: int = 0
    max_blocks: int = 0
    hints: bool = True


class RpcError(Exception):
    """What a node answers instead of a result."""

    def __init__(self, code: int, message: str, data: object = None) -> None:
        super().__init__(message)
        self.code, self.message, self.data = code, message, data


@dataclass
class Node:
    """A node of the chain. `exchanges` are HTTP requests, `calls` JSON-RPC calls by method."""

    chain: GeneratedChain
    limits: ServeLimits = field(default_factory=ServeLimits)
    calls: Counter[str] = field(default_factory=Counter)
    exchanges: int = 0
    refused: int = 0
    ledger: Ledger = field(init=False)

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.chain)

    def answer(self, body: bytes) -> bytes:
        """The answer to a request, or to a batch."""
        asked = orjson.loads(body)
        if isinstance(asked, list):
            return b"[" + b",".join(map(self._one, asked)) + b"]"
        return self._one(asked)

    def _one(self, call: Mapping[str, Any]) -> bytes:
        method = str(call.get("method"))
        self.calls[method] += 1
        head = b'{"jsonrpc":"2.0","id":' + orjson.dumps(call.get("id"))
        try:
            known = _METHODS.get(method)
            if known is None:
                raise RpcError(-32601, f"the method {method} does not exist/is not available")
            try:
                result = known(self, call.get("params") or [], self.chain.tip)
            except (KeyError, IndexError, TypeError, ValueError) as error:
                raise RpcError(-32602, f"invalid params: {error!r}") from error
        except RpcError as error:
            said: dict[str, object] = {"code": error.code, "message": error.message}
            if error.data is not None:
                said["data"] = error.data
            return head + b',"error":' + orjson.dumps(said) + b"}"
        return head + b',"result":' + result + b"}"

    def _chain_id(self, params: Sequence[Any], tip: Tip) -> bytes:
        return _quantity(self.chain.shape.chain_id)

    def _head(self, params: Sequence[Any], tip: Tip) -> bytes:
        return _quantity(tip.head)

    def _mine(self, params: Sequence[Any], tip: Tip) -> bytes:
        self.chain.mine(_int(params[0]) if params else 1)
        return b"null"

    def _reorg(self, params: Sequence[Any], tip: Tip) -> bytes:
        self.chain.reorg(_int(params[0]), _int(params[1]) if len(params) > 1 else 1)
        return b"null"

    def _number(self, ref: object, tip: Tip) -> int | None:
        """The block that a number, a tag or an object with a hash means."""
        if isinstance(ref, dict):
            if "blockHash" in ref:
                return self.chain.number_of(str(ref["blockHash"]).lower(), tip)
            ref = ref["blockNumber"]
        shape = self.chain.shape
        tags = {
            "latest": tip.head,
            "pending": tip.head,
            "safe": max(0, tip.head - shape.safe_distance),
            "finalized": max(0, tip.head - shape.finalized_distance),
            "earliest": 0,
        }
        number = tags[str(ref)] if str(ref) in tags else _int(ref)
        return number if number <= tip.head else None

    def _block_by_number(self, params: Sequence[Any], tip: Tip) -> bytes:
        number = self._number(params[0], tip)
        return b"null" if number is None else self._header(number, tip)

    def _block_by_hash(self, params: Sequence[Any], tip: Tip) -> bytes:
        number = self.chain.number_of(str(params[0]).lower(), tip)
        return b"null" if number is None else self._header(number, tip)

    def _header(self, number: int, tip: Tip) -> bytes:
        chain, fork = self.chain, tip.fork(number)
        hashes = chain.transaction_hashes(number, fork)
        return orjson.dumps(
            {
                "number": hex(number),
                "hash": chain.hash(number, tip),
                "parentHash": chain.hash(number - 1, tip),
                "timestamp": hex(chain.timestamp(number, fork)),
                "logsBloom": f"0x{chain.bloom(chain.transfers(number, fork)):0512x}",
                "receiptsRoot": chain.receipts_root(number, fork),
                "gasLimit": "0x1c9c380",
                "gasUsed": hex(21_000 * len(hashes)),
                "transactions": hashes,
                "uncles": [],
            }
        )

    def _logs(self, params: Sequence[Any], tip: Tip) -> bytes:
        query = params[0]
        if "blockHash" in query:
            number = self.chain.number_of(str(query["blockHash"]).lower(), tip)
            if number is None:
                raise RpcError(-32000, "unknown block")
            first = last = number
        else:
            wished = (query.get("fromBlock", "latest"), query.get("toBlock", "latest"))
            begin, end = (self._number(ref, tip) for ref in wished)
            first, last = tip.head + 1 if begin is None else begin, tip.head if end is None else end
            self._refuse_width(first, last)
        addresses, topics = _words(query.get("address")), [*map(_words, query.get("topics") or [])]
        if not self._refuse_many(first, last, addresses, topics, tip, "blockHash" in query):
            return b"[]"
        chain = self.chain
        if _all_match(chain, addresses, topics):
            parts = [chain.rendered(*one) for one in chain.eventful(first, last, tip)]
        else:
            parts = [
                piece
                for one in chain.eventful(first, last, tip)
                for transfer, piece in zip(chain.transfers(*one), chain.log_json(*one), strict=True)
                if self._fits(transfer, addresses, topics)
            ]
        return b"[" + b",".join(parts) + b"]"

    def _fits(
        self, transfer: Transfer, addresses: set[str] | None, topics: Sequence[set[str] | None]
    ) -> bool:
        address, words = self.chain.words_of(transfer)
        return (addresses is None or address in addresses) and wanted(topics, words)

    def _refuse_width(self, first: int, last: int) -> None:
        most = self.limits.max_blocks
        if most and last - first + 1 > most:
            raise RpcError(-32602, f"exceed maximum block range: {most}")

    def _refuse_many(
        self,
        first: int,
        last: int,
        addresses: set[str] | None,
        topics: Sequence[set[str] | None],
        tip: Tip,
        by_hash: bool,
    ) -> int:
        """How many logs there are at least. Errors: `RpcError` where they are too many."""
        chain, most = self.chain, self.limits.max_logs
        everything = _all_match(chain, addresses, topics)
        found, fitting_to = 0, first
        for number, fork in chain.eventful(first, last, tip):
            if everything:
                found += chain.log_count(number, fork)
            else:
                ours = (self._fits(t, addresses, topics) for t in chain.transfers(number, fork))
                found += sum(ours)
            if not most or by_hash:
                if found:
                    return found
            elif found > most:
                hint = f". Try with this block range [{first:#x}, {fitting_to:#x}]."
                said = f"query returned more than {most} results"
                raise RpcError(-32005, said + (hint if self.limits.hints else ""))
            fitting_to = number
        return found

    def _receipts(self, params: Sequence[Any], tip: Tip) -> bytes:
        number = self._number(
            {"blockHash": params[0]} if len(str(params[0])) == 66 else params[0], tip
        )
        if number is None:
            return b"null"
        chain, fork = self.chain, tip.fork(number)
        logs = iter(chain.log_json(number, fork))
        parts = chain.by_transaction(number, fork)
        hashes = chain.transaction_hashes(number, fork)
        return orjson.dumps(
            [
                {
                    "type": "0x2" if at % 2 else "0x0",
                    "status": "0x1",
                    "cumulativeGasUsed": hex(21_000 * (at + 1)),
                    "gasUsed": hex(21_000),
                    "effectiveGasPrice": "0x1",
                    "logsBloom": f"0x{chain.bloom(part):0512x}",
                    "logs": [orjson.Fragment(next(logs)) for _ in part],
                    "transactionHash": hashes[at],
                    "transactionIndex": hex(at),
                    "blockHash": chain.hash(number, tip),
                    "blockNumber": hex(number),
                    "from": chain.accounts[1],
                    "to": chain.tokens[0],
                    "contractAddress": None,
                }
                for at, part in enumerate(parts)
            ]
        )

    def _call(self, params: Sequence[Any], tip: Tip) -> bytes:
        call, ref = params[0], params[1] if len(params) > 1 else "latest"
        number = self._number(ref, tip)
        if number is None:
            raise RpcError(-32000, "header not found")
        overridden = {str(a).lower(): v for a, v in (params[2] if len(params) > 2 else {}).items()}
        data = bytes.fromhex(str(call.get("data", call.get("input", "0x")))[2:])
        said = Views(self.chain, self.ledger, number, tip).call(
            str(call["to"]).lower(), data, overridden
        )
        if said is None:
            raise RpcError(3, "execution reverted", "0x")
        return b'"0x' + said.hex().encode() + b'"'


_Method = Callable[[Node, Sequence[Any], Tip], bytes]
_METHODS: dict[str, _Method] = {
    "eth_chainId": Node._chain_id,
    "eth_blockNumber": Node._head,
    "eth_getBlockByNumber": Node._block_by_number,
    "eth_getBlockByHash": Node._block_by_hash,
    "eth_getLogs": Node._logs,
    "eth_getBlockReceipts": Node._receipts,
    "eth_call": Node._call,
    "anvil_mine": Node._mine,
    "anvil_reorg": Node._reorg,
}


def _quantity(number: int) -> bytes:
    return f'"{number:#x}"'.encode()


def _int(value: object) -> int:
    return int(value, 16) if isinstance(value, str) else int(str(value))


def _words(value: object) -> set[str] | None:
    """What one place of a filter allows; None: anything."""
    if value is None:
        return None
    return {str(one).lower() for one in (value if isinstance(value, list) else [value])} or None


def _all_match(
    chain: GeneratedChain, addresses: set[str] | None, topics: Sequence[set[str] | None]
) -> bool:
    everywhere = addresses is None or addresses.issuperset(chain.tokens)
    return everywhere and all(
        allowed is None or (at == 0 and TRANSFER in allowed) for at, allowed in enumerate(topics)
    )
