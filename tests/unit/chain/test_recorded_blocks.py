"""Blooms and receipts roots of real blocks, and every log of theirs that we know an event of."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

import pytest
from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from eth_bloom.bloom import BloomFilter
from eth_hash.auto import keccak

from defirisk.chain.bloom import Watched, bits_of, bloom_of, shows
from defirisk.chain.codec import EventCodec, compile_event, signature_of
from defirisk.chain.receipts import RootDiffers, read_receipts, receipts_root
from defirisk.chain.words import DecodeError
from defirisk.core.errors import UsageError
from defirisk.core.evm import LogQuery, RawLog
from defirisk.resources import resource
from tests.unit.chain.recorded_blocks import (
    BLOCKS,
    CHAINS,
    recorded_block,
    recorded_headers,
    recorded_logs,
    recorded_receipts,
)


def logs_of(chain: str, number: str) -> list[RawLog]:
    """Every log of a block, as the audit reads them from its receipts."""
    block, receipts = recorded_block(chain, number)
    emitters = {log["address"] for receipt in receipts for log in receipt["logs"]}
    query = LogQuery(addresses=tuple(emitters))
    return read_receipts(block, receipts).logs(query) if emitters else []


@pytest.mark.parametrize(("chain", "number"), BLOCKS)
def test_receipts_give_the_root_of_the_header(chain: str, number: str) -> None:
    block, receipts = recorded_block(chain, number)
    assert receipts_root(receipts) == block.receipts_root
    assert not read_receipts(block, receipts).unproven


@pytest.mark.parametrize(("chain", "number"), BLOCKS)
def test_logs_give_the_bloom_of_the_header(chain: str, number: str) -> None:
    block, _ = recorded_block(chain, number)
    logs = logs_of(chain, number)
    assert bloom_of(logs) == int.from_bytes(block.logs_bloom, "big")
    library = BloomFilter()
    for log in logs:
        library.add(bytes.fromhex(log.address[2:]))
        library.extend(log.topics)
    assert int(library) == bloom_of(logs)


def test_headers_of_nine_chains_show_every_recorded_log() -> None:
    headers = recorded_headers()
    shown: dict[str, int] = defaultdict(int)
    for chain, receipt in recorded_receipts():
        header = headers.get((chain, receipt["blockNumber"]))
        for log in receipt["logs"] if header else ():
            bits = bits_of(bytes.fromhex(log["address"][2:]))
            for topic in log["topics"]:
                bits |= bits_of(bytes.fromhex(topic[2:]))
            assert header is not None
            assert int(header["logsBloom"], 16) & bits == bits, (chain, receipt["blockNumber"])
            shown[chain] += 1
    # Also HyperEVM (999), of which one often reads that its blooms are empty.
    assert set(shown) == {"1", "10", "56", "100", "137", "999", "8453", "42161", "534352"}


@pytest.mark.parametrize("lost", ["log", "receipt", "topic"])
def test_whatever_is_missing_changes_the_root(lost: str) -> None:
    block, receipts = recorded_block("ethereum", "4369999")
    at = next(i for i, receipt in enumerate(receipts) if receipt["logs"])
    if lost == "receipt":
        del receipts[at]
    elif lost == "log":
        del receipts[at]["logs"][-1]
    else:
        receipts[at]["logs"][0]["topics"].pop()
    with pytest.raises(RootDiffers):
        read_receipts(block, receipts)


def test_a_state_sync_receipt_of_polygon_is_known_and_not_proven() -> None:
    block, receipts = recorded_block("polygon", "50000000")
    number = block.number.to_bytes(8, "big")
    name = keccak(b"matic-bor-receipt-" + number + bytes.fromhex(block.hash[2:]))
    synced = {**receipts[0], "transactionHash": "0x" + name.hex(), "transactionIndex": "0x234"}
    read = read_receipts(block, [*receipts, synced])
    assert (len(read.proven), len(read.unproven)) == (564, 1)


@pytest.mark.parametrize("number", CHAINS["ethereum"])
def test_a_bloom_may_hold_every_pair_that_its_block_has(number: str) -> None:
    block, _ = recorded_block("ethereum", number)
    logs = logs_of("ethereum", number)
    topics: dict[str, set[bytes]] = defaultdict(set)
    for log in logs:
        topics[log.address].add(log.topics[0] if log.topics else b"")
    pairs = {(log.address, log.topics[0]) for log in logs if log.topics}
    assert pairs <= set(Watched(topics).maybe(block.logs_bloom))
    assert all(shows(block.logs_bloom, log) for log in logs)


def shipped_events() -> dict[bytes, EventCodec]:
    """Every event of every shipped ABI, in every layout."""
    entries: dict[str, dict[int, dict[str, Any]]] = defaultdict(dict)
    for path in sorted(resource("abis").iterdir(), key=lambda path: path.name):
        if path.name.endswith(".json"):
            parsed = json.loads(path.read_text("utf-8"))
            for entry in parsed["abi"] if isinstance(parsed, dict) else parsed:
                if entry.get("type") == "event" and not entry.get("anonymous"):
                    indexed = sum(bool(i.get("indexed")) for i in entry["inputs"])
                    entries[signature_of(entry)].setdefault(indexed, entry)
    compiled = []
    for layouts in entries.values():
        try:
            compiled.append((compile_event(*layouts.values()), layouts))
        except UsageError:
            continue
    ENTRIES.update({codec.topic0: layouts for codec, layouts in compiled})
    return {codec.topic0: codec for codec, _ in compiled}


ENTRIES: dict[bytes, dict[int, dict[str, Any]]] = {}


def by_library(entry: dict[str, Any], topics: list[bytes], data: bytes) -> dict[str, Any] | None:
    """As eth-abi decodes a log; None where it refuses."""
    indexed = [i for i in entry["inputs"] if i.get("indexed")]
    rest = [i for i in entry["inputs"] if not i.get("indexed")]
    try:
        values = [
            decode([i["type"]], topic)[0] if not _dynamic(i["type"]) else topic
            for i, topic in zip(indexed, topics[1:], strict=True)
        ]
        values += decode([i["type"] for i in rest], data)
    except (DecodingError, UnicodeDecodeError, OverflowError):
        return None
    return dict(zip([i["name"] for i in (*indexed, *rest)], values, strict=True))


def _dynamic(kind: str) -> bool:
    return kind in ("string", "bytes") or kind.endswith("]") or kind == "tuple"


def test_every_log_that_we_know_decodes_as_eth_abi_does() -> None:
    known = shipped_events()
    decoded: dict[str, int] = defaultdict(int)
    for log in recorded_logs():
        topics = [bytes.fromhex(topic[2:]) for topic in log["topics"]]
        codec = known.get(topics[0]) if topics else None
        if codec is None or len(topics) - 1 not in codec.layouts:
            continue
        entry = ENTRIES[codec.topic0][len(topics) - 1]
        if any(i["type"].startswith("tuple") for i in entry["inputs"]):
            continue
        data = bytes.fromhex(log["data"][2:])
        try:
            ours = codec.decode(tuple(topics), data)
        except DecodeError:
            ours = None
        assert ours == by_library(entry, topics, data), codec.signature
        decoded[codec.name] += ours is not None
    assert decoded["Transfer"] > 500
    assert decoded["Borrow"] >= 1
    assert decoded["AnswerUpdated"] >= 15
    assert len(decoded) >= 10
