"""Providers' words are read as what the caller does next."""

from __future__ import annotations

import pytest

from defirisk.chain.node_errors import (
    Asked,
    CallReverted,
    NodeUnavailable,
    Overwhelmed,
    RateLimited,
    classify,
    classify_status,
)
from defirisk.core.errors import NodeBehind, NodeError, RangeTooLarge

LOGS = Asked(host="https://node", method="eth_getLogs", blocks=(1_000, 100_999))
CALL = Asked(host="https://node", method="eth_call")


def meaning(message: str, code: int, asked: Asked, data: object = None) -> NodeError:
    return classify({"code": code, "message": message, "data": data}, asked, lambda text: text)


@pytest.mark.parametrize(
    ("code", "message", "width"),
    [
        # Alchemy, Infura and zkSync, reth
        (
            -32602,
            "Log response size exceeded. You can make eth_getLogs requests with up to a 10,000 "
            "block range and no limit on the response size, or you can request any block range "
            "with a cap of 10K logs in the response. Based on your parameters and the response "
            "size limit, this block range should work: [0x3e8, 0x7cf]",
            1_000,
        ),
        (
            -32005,
            "query returned more than 10000 results. Try with this block range [0x3E8, 0x3EC].",
            5,
        ),
        (-32602, "query exceeds max results 20000, retry with the range 1000-20999", 20_000),
        # QuickNode, 1RPC, BlockPI, Alchemy free, Aurora
        (-32614, "eth_getLogs is limited to a 10,000 range", 10_000),
        (-32000, "eth_getLogs is limited to 0 - 10000 blocks range", 10_000),
        (-32602, "eth_getLogs is limited to 1024 block range. Please check the parameter", 1_024),
        (-32600, "you can make eth_getLogs requests with up to a 10 block range.", 10),
        # Avalanche, Cloudflare, thirdweb, Merkle, Moonbeam, PublicNode, Hyperliquid, Ankr TAC
        (-32000, "requested too many blocks from 1000 to 100999, maximum is set to 2048", 2_048),
        (
            -32047,
            "Invalid eth_getLogs request. 'fromBlock'-'toBlock' range too large. Max range: 800",
            800,
        ),
        (-32602, "Maximum allowed number of requested blocks is 3500", 3_500),
        (-32602, "eth_getLogs range is too large, max is 1k blocks", 1_000),
        (-32603, "block range is too wide (maximum 1024)", 1_024),
        (-32701, "exceed maximum block range: 50000", 50_000),
        (-32602, "query exceeds max block range 1000", 1_000),
        (-32000, "maximum [from, to] blocks distance: 10000", 10_000),
        # Coinbase, Swell, Somnia, Blast, Harmony
        (-32602, "please limit the query to at most 1,000 blocks", 1_000),
        (-32602, "block range greater than 500 max", 500),
        (-32602, "block range exceeds 1000", 1_000),
        (-32600, "exceeds the range allowed for your plan (100000 > 3000)", 3_000),
        (-32602, "query must be smaller than size 1024", 1_024),
        # Those that only say "too much": Ankr, Chainstack, Optimism, Base, 1RPC, Arbitrum, BSC
        (-32600, "block range is too wide", None),
        (-32602, "Block range limit exceeded. See more details", None),
        (-32005, "query returned more than 10000 results", None),
        (-32020, "backend response too large", None),
        (-32602, "Block range is too large", None),
        (-32000, "block range too large", None),
        (-32000, "response size should not greater than 10000000 bytes", None),
        (-32000, "logs matched by query exceeds limit of 10000", None),
        (-32000, "query exceeds max results", None),
        (-32005, "limit exceeded", None),
    ],
)
def test_range_errors_with_and_without_a_hint(code: int, message: str, width: int | None) -> None:
    error = meaning(message, code, LOGS)
    assert isinstance(error, RangeTooLarge)
    assert error.suggested == (None if width is None else (1_000, 1_000 + width - 1))


@pytest.mark.parametrize(
    "message",
    [
        "this block range should work: [0x3e8, 0x18a87]",
        "this block range should work: [0x3e8, 0x3e7]",
        "eth_getLogs is limited to a 100,000 range",
        "eth_getLogs is limited to a 0 range",
    ],
)
def test_a_hint_that_does_not_shrink_the_range_is_no_hint(message: str) -> None:
    error = meaning(message, -32000, LOGS)
    assert isinstance(error, RangeTooLarge)
    assert error.suggested is None


@pytest.mark.parametrize(
    ("code", "message", "data", "delay"),
    [
        (429, "Too Many Requests", None, None),
        (-32005, "project ID request rate exceeded", {"rate": {"backoff_seconds": 3.5}}, 3.5),
        (-32000, "rate limit reached", None, None),
        (-32000, "Your app has exceeded its compute units per second capacity.", None, None),
        (-32007, "50/second request limit reached, rate limited to a 50 per second", None, None),
    ],
)
def test_rate_limits_are_retryable(
    code: int, message: str, data: object, delay: float | None
) -> None:
    for asked in (LOGS, CALL):
        error = meaning(message, code, asked, data)
        assert type(error) is RateLimited
        assert error.retry_after == delay


@pytest.mark.parametrize(
    "message",
    [
        "BlockOutOfRangeError: block height is 0 but requested was 5",
        "header not found",
        "header for hash not found",
        "block not found",
        "block #17 not found",
        "unknown block",
        "Resource not found",
        "missing trie node 71c2 (path ) state 0x71c2 is not available, not found",
        "state 0xabc is not available",
        "required historical state unavailable (reexec=128)",
        "block range extends beyond current head block",
        "requested from block 5 after last accepted block 3",
        "One of the blocks specified in filter (fromBlock, toBlock or blockHash) cannot be found.",
    ],
)
def test_a_node_that_lacks_the_block_or_its_state_is_behind(message: str) -> None:
    for asked in (LOGS, CALL):
        assert type(meaning(message, -32000, asked)) is NodeBehind


@pytest.mark.parametrize(
    ("code", "message", "data", "revert_data"),
    [
        (3, "execution reverted: no", "0xdeadbeef", b"\xde\xad\xbe\xef"),
        (-32015, "VM execution error.", "Reverted 0xdeadbeef", b"\xde\xad\xbe\xef"),
        (-32000, "execution reverted", None, b""),
        (3, "execution reverted", {"data": "0xabc"}, b"\xab"),
        (-32603, "EVM error OutOfGas", None, b""),
        (-32000, "out of gas", None, b""),
        (-32000, "invalid opcode: INVALID", None, b""),
    ],
)
def test_a_failed_view_is_told_apart(
    code: int, message: str, data: object, revert_data: bytes
) -> None:
    error = meaning(message, code, CALL, data)
    assert isinstance(error, CallReverted)
    assert error.data == revert_data
    assert not isinstance(meaning(message, code, LOGS, data), CallReverted)


def test_other_errors() -> None:
    assert type(meaning("Method not found", -32601, LOGS)) is NodeUnavailable
    assert type(meaning("execution aborted (timeout = 5s)", -32000, CALL)) is Overwhelmed
    assert type(meaning("no backend is currently healthy", -32011, LOGS)) is Overwhelmed
    assert type(meaning("it is raining", -32005, LOGS)) is Overwhelmed
    assert type(meaning("it is raining", -32000, LOGS)) is NodeError
    assert type(classify("it is raining", LOGS, lambda text: text)) is NodeError
    assert type(classify(None, LOGS, lambda text: text)) is NodeError


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (429, RateLimited),
        (500, Overwhelmed),
        (503, Overwhelmed),
        (524, Overwhelmed),
        (408, Overwhelmed),
        (413, RangeTooLarge),
        (401, NodeUnavailable),
        (403, NodeUnavailable),
        (404, NodeUnavailable),
        (302, NodeUnavailable),
        (400, NodeError),
    ],
)
def test_http_statuses(code: int, kind: type[NodeError]) -> None:
    assert type(classify_status(code, LOGS, 7.0)) is kind
    assert classify_status(200, LOGS, None) is None


def test_413_is_about_the_range_only_where_there_is_one() -> None:
    assert type(classify_status(413, CALL, None)) is NodeError
