"""The generated chain is a chain: what a node says of it in one way, it says in every other."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest
import rlp
from eth_bloom.bloom import BloomFilter
from trie.hexary import HexaryTrie

from benchmarks.generated_blocks import ENDOWMENT, TRANSFER, WHALES
from benchmarks.generated_chain import ChainShape, GeneratedChain, Node, ServeLimits, serve
from benchmarks.receipts_trie import trie_root

SHAPES = (
    ChainShape(blocks=120, every=7, logs_per_block=5, tokens=3, transactions=3),
    ChainShape(blocks=40, every=1, logs_per_block=30, transactions=20, seed=5),
    ChainShape(blocks=260, every=100, logs_per_block=1, seed=2, log_timestamps=False),
)


class Asked:
    """A node that is asked without HTTP."""

    def __init__(self, chain: GeneratedChain, limits: ServeLimits | None = None) -> None:
        self.node = Node(chain, limits or ServeLimits())

    def __call__(self, method: str, *params: object) -> Any:
        call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = json.loads(self.node.answer(json.dumps(call).encode()))
        if "error" in answer:
            raise ValueError(answer["error"]["message"])
        return answer["result"]

    def logs(self, **query: object) -> Any:
        return self("eth_getLogs", query)


def reorganised(shape: ChainShape) -> GeneratedChain:
    chain = GeneratedChain(shape)
    chain.reorg(9, seed=1)
    chain.mine(5)
    chain.reorg(3, seed=2)
    chain.mine(11)
    return chain


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("make", [GeneratedChain, reorganised])
def test_every_answer_agrees_with_every_other(shape: ChainShape, make: Any) -> None:
    ask = Asked(make(shape))
    head = int(ask("eth_blockNumber"), 16)
    ranged = ask.logs(fromBlock="0x0", toBlock=hex(head))
    by_hash: list[Any] = []
    parent, hashes = "0x" + "0" * 64, set()
    for number in range(head + 1):
        block = ask("eth_getBlockByNumber", hex(number), False)
        assert block == ask("eth_getBlockByHash", block["hash"], False)
        assert (int(block["number"], 16), block["parentHash"]) == (number, parent)
        parent = block["hash"]
        hashes.add(parent)
        logs = ask.logs(blockHash=parent)
        receipts = ask("eth_getBlockReceipts", hex(number))
        assert logs == [log for receipt in receipts for log in receipt["logs"]]
        assert [int(log["logIndex"], 16) for log in logs] == [*range(len(logs))]
        assert block["logsBloom"] == _bloom(logs)
        assert block["receiptsRoot"] == _root(receipts)
        assert block["transactions"] == [receipt["transactionHash"] for receipt in receipts]
        for log in logs:
            assert log["blockHash"] == parent
            assert log.get("blockTimestamp", block["timestamp"]) == block["timestamp"]
            assert ("blockTimestamp" in log) == shape.log_timestamps
        by_hash += logs
    assert ranged == by_hash
    assert len(hashes) == head + 1
    assert len(ranged) > head // shape.every


def _bloom(logs: list[Any]) -> str:
    bloom = BloomFilter()
    for log in logs:
        for word in (log["address"], *log["topics"]):
            bloom.add(bytes.fromhex(word[2:]))
    return f"0x{int(bloom):0512x}"


def _root(receipts: list[Any]) -> str:
    """With the RLP and the trie of packages, from what is served."""
    trie = HexaryTrie({})
    for receipt in receipts:
        logs = [
            [_raw(log["address"]), [*map(_raw, log["topics"])], _raw(log["data"])]
            for log in receipt["logs"]
        ]
        gas = int(receipt["cumulativeGasUsed"], 16)
        encoded = rlp.encode([b"\x01", gas, _raw(receipt["logsBloom"]), logs])
        kind = int(receipt["type"], 16)
        key = rlp.encode(int(receipt["transactionIndex"], 16))
        trie[key] = (bytes([kind]) if kind else b"") + encoded
    return "0x" + trie.root_hash.hex()


def _raw(text: str) -> bytes:
    return bytes.fromhex(text[2:])


@pytest.mark.parametrize("count", [0, 1, 2, 15, 16, 17, 127, 128, 129, 300])
@pytest.mark.parametrize("length", [1, 40])
def test_roots_are_those_of_another_trie(count: int, length: int) -> None:
    values = [bytes([1 + place % 250]) * length for place in range(count)]
    trie = HexaryTrie({})
    for place, value in enumerate(values):
        trie[rlp.encode(place)] = value
    assert trie_root(values) == trie.root_hash


@pytest.mark.parametrize("make", [GeneratedChain, reorganised])
def test_filters_choose_as_a_slow_pass_does(make: Any) -> None:
    chain = make(SHAPES[0])
    ask = Asked(chain)
    everything = ask.logs(fromBlock="0x0", toBlock="latest")
    one, two, _ = chain.tokens
    whale = everything[0]["topics"][2]
    for addresses, topics in (
        (one, None),
        ([one, two], [[TRANSFER]]),
        ([one.upper().replace("0X", "0x")], [[TRANSFER, "0x" + "1" * 64], None, whale]),
        (chain.tokens, [None, "0x" + "0" * 64]),
        (chain.tokens, [["0x" + "1" * 64]]),
        ("0x" + "1" * 40, []),
    ):
        query = {"address": addresses} | ({} if topics is None else {"topics": topics})
        found = ask.logs(fromBlock="0x3", toBlock="0x60", **query)
        allowed = {a.lower() for a in ([addresses] if isinstance(addresses, str) else addresses)}
        expected = [
            log
            for log in everything
            if 3 <= int(log["blockNumber"], 16) <= 0x60
            and log["address"] in allowed
            and all(
                want is None or have in (want if isinstance(want, list) else [want])
                for want, have in zip(topics or [], log["topics"], strict=False)
            )
        ]
        assert found == expected


@pytest.mark.parametrize("make", [GeneratedChain, reorganised])
def test_contracts_answer_as_their_logs_add_up(make: Any) -> None:
    chain = make(SHAPES[0])
    ask = Asked(chain)
    head = chain.tip.head
    token = chain.tokens[1]
    held: dict[str, int] = {}
    asked_at = {2, 50, head - 12, head}
    by_block: dict[int, list[Any]] = {}
    for log in ask.logs(fromBlock="0x0", toBlock="latest", address=token):
        by_block.setdefault(int(log["blockNumber"], 16), []).append(log)
    for number in range(head + 1):
        for log in by_block.get(number, []):
            sender, receiver = log["topics"][1:]
            held[sender] = held.get(sender, 0) - int(log["data"], 16)
            held[receiver] = held.get(receiver, 0) + int(log["data"], 16)
        if number in asked_at:
            zero = held["0x" + "0" * 64]
            assert _call(ask, token, "0x18160ddd", hex(number)) == -zero
            for word, balance in [*held.items()][:20]:
                if int(word, 16):
                    assert _call(ask, token, "0x70a08231" + word[2:], hex(number)) == balance > 0
    assert -zero > WHALES * ENDOWMENT


def _call(ask: Asked, to: str, data: str, block: str) -> int:
    return int(ask("eth_call", {"to": to, "data": data}, block), 16)


def test_a_reorg_replaces_what_it_says_and_nothing_else() -> None:
    chain, other = GeneratedChain(SHAPES[0]), GeneratedChain(SHAPES[0])
    chain.reorg(10, seed=4)
    for number in range(SHAPES[0].blocks + 1):
        same = chain.hash(number, chain.tip) == other.hash(number, other.tip)
        assert same == (number <= SHAPES[0].blocks - 10)
    ask, before = Asked(chain), Asked(other)
    gone = before("eth_getBlockByNumber", "latest", False)["hash"]
    assert ask("eth_getBlockByHash", gone, False) is None
    with pytest.raises(ValueError, match="unknown block"):
        ask.logs(blockHash=gone)
    last = {"fromBlock": hex(SHAPES[0].blocks - 9), "toBlock": "latest"}
    assert ask.logs(**last) != before.logs(**last)
    other.reorg(10, seed=4)
    assert ask.logs(**last) == before.logs(**last)


def test_limits_refuse_and_say_what_would_do() -> None:
    limits = ServeLimits(max_logs=40, max_blocks=100)
    ask = Asked(GeneratedChain(SHAPES[0]), limits)
    with pytest.raises(ValueError, match="maximum block range: 100"):
        ask.logs(fromBlock="0x0", toBlock="0x65")
    with pytest.raises(
        ValueError, match=r"more than 40 results. Try .* \[0x1, 0x[0-9a-f]+\]"
    ) as said:
        ask.logs(fromBlock="0x1", toBlock="0x60")
    hinted = str(said.value).split("[0x1, ")[1].split("]")[0]
    assert len(ask.logs(fromBlock="0x1", toBlock=hinted)) <= 40


def test_a_rate_is_kept_over_http() -> None:
    chain = GeneratedChain(SHAPES[0])
    call = json.dumps([{"id": at, "method": "eth_blockNumber"} for at in range(3)]).encode()
    with serve(chain, ServeLimits(rate=5)) as url:
        request = urllib.request.Request(url, call)
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert [one["result"] for one in json.load(answer)] == [hex(chain.tip.head)] * 3
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=10)
        refused.value.close()
        assert refused.value.code == 429
        assert 0 < float(refused.value.headers["Retry-After"]) <= 0.2
