"""RpcChainReader: headers, and views through whatever the node lets itself be asked with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from aiohttp import web
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from defirisk.chain.aggregate3 import decode_results, encode_calls
from defirisk.chain.multicall import AGGREGATOR, MULTICALL3, CallSettings
from defirisk.chain.node_errors import Overwhelmed
from defirisk.chain.rpc import RpcChainReader
from defirisk.core.errors import NodeBehind, NodeError, ReorgDetected
from defirisk.core.evm import Block, Call, CallResult, ChainReader, LogQuery
from tests.unit.chain.fake_node import (
    FAST,
    FakeNode,
    address,
    block_hash,
    body,
    log_json,
    run,
    status,
)

AT_50 = Block(number=50, hash=block_hash(50), parent_hash=block_hash(49), timestamp=1_700_000_600)


async def ask(node: FakeNode, calls: Sequence[Call], block: Block = AT_50) -> list[CallResult]:
    reader: ChainReader = RpcChainReader(
        node.url, transport=FAST, calls=CallSettings(max_calls=40, max_calldata=2_000)
    )
    try:
        return await reader.calls(calls, block)
    finally:
        await reader.aclose()


def views(count: int, **special: str) -> tuple[dict[tuple[str, bytes], bytes | str], list[Call]]:
    """Views that answer with their number, except special ones named like v7="revert"."""
    calls = [Call(address(1 + n % 5), n.to_bytes(4, "big")) for n in range(count)]
    answers: dict[tuple[str, bytes], bytes | str] = {
        (call.to, call.data): special.get(f"v{n}", n.to_bytes(32, "big"))
        for n, call in enumerate(calls)
    }
    return answers, calls


def numbered(count: int) -> list[CallResult]:
    return [CallResult(True, n.to_bytes(32, "big")) for n in range(count)]


def called(node: FakeNode) -> list[Any]:
    """The eth_calls after the probe: (contract, block reference)."""
    flat = [c for r in node.requests for c in (r if isinstance(r, list) else [r])]
    return [(c["params"][0]["to"], c["params"][1]) for c in flat if c["method"] == "eth_call"][6:]


def test_an_answer_that_says_nothing_is_asked_again() -> None:
    async def scenario() -> None:
        async with FakeNode(head=300) as node:
            reader = RpcChainReader(node.url, transport=FAST)
            for id_, said in enumerate(("null", "null", '"0xno"'), 1):
                node.faults.append(body(f'{{"jsonrpc": "2.0", "id": {id_}, "result": {said}}}'))
            assert await reader.chain_id() == 31337
            for id_, said in enumerate(("null", "{}", "null"), 5):
                node.faults.append(body(f'{{"jsonrpc": "2.0", "id": {id_}, "result": {said}}}'))
            assert (await reader.block("latest")).number == 300
            await reader.aclose()

    run(scenario())


def test_headers() -> None:
    async def scenario() -> None:
        async with FakeNode(head=300) as node:
            reader = RpcChainReader(node.url, transport=FAST)
            numbers = [*range(250, 0, -1), 7]
            blocks = await reader.blocks(numbers)
            assert [block.number for block in blocks] == numbers
            assert [len(request) for request in node.requests] == [200, 50]
            assert (await reader.block("latest")).number == 300
            assert (await reader.block("safe")).number == 290
            assert (await reader.block("finalized")).number == 280
            assert await reader.block(50) == AT_50
            assert await reader.chain_id() == await reader.chain_id() == 31337
            assert node.count("eth_chainId") == 1
            with pytest.raises(NodeBehind, match="does not have block 301"):
                await reader.blocks([1, 301])
            await reader.aclose()

    run(scenario())


def test_a_header_that_comes_late_or_wrong_is_asked_again() -> None:
    async def scenario() -> None:
        async with FakeNode() as node:

            def other(call: Any) -> web.Response:
                wrong = node.eth_getBlockByNumber("0x1", False)
                return web.json_response({"id": call["id"], "result": wrong})

            def nothing(call: Any) -> web.Response:
                return web.json_response({"id": call["id"], "result": None})

            def broken(call: Any) -> web.Response:
                return web.json_response({"id": call["id"], "result": {"number": "0x32"}})

            node.faults.extend([other, nothing, broken])
            reader = RpcChainReader(node.url, transport=FAST)
            assert await reader.block(50) == AT_50
            await reader.aclose()

    run(scenario())


def test_logs_go_through_the_ranges() -> None:
    async def scenario() -> None:
        async with FakeNode(logs=[log_json(3, 0, address(1))]) as node:
            reader = RpcChainReader(node.url, transport=FAST)
            pages = [p async for p in reader.logs(LogQuery(addresses=(address(1),)), 0, 9)]
            assert [(p.first_block, p.last_block, len(p.logs)) for p in pages] == [(0, 9, 1)]
            await reader.aclose()

    run(scenario())


@pytest.mark.parametrize("eip1898", [True, False])
@pytest.mark.parametrize("batches", [True, False])
@pytest.mark.parametrize(
    ("overrides", "multicall3_since", "asked"),
    [(True, None, AGGREGATOR), (False, 50, MULTICALL3), (False, 51, None), (False, None, None)],
)
def test_views_are_asked_in_the_best_way_the_node_allows(
    overrides: bool, multicall3_since: int | None, asked: str | None, eip1898: bool, batches: bool
) -> None:
    async def scenario() -> None:
        answers, calls = views(100)
        async with FakeNode(
            overrides=overrides,
            multicall3_since=multicall3_since,
            eip1898=eip1898,
            batches=batches,
            views=answers,
        ) as node:
            assert await ask(node, calls) == numbered(100)
            if asked is not None and batches:
                reference = {"blockHash": AT_50.hash} if eip1898 else hex(50)
                assert called(node) == [(asked, reference)] * 3

    run(scenario())


def test_an_override_that_is_silently_ignored_is_noticed() -> None:
    async def scenario() -> None:
        answers, calls = views(10)
        async with FakeNode(views=answers) as node:
            node.overlooks_overrides = True
            assert await ask(node, calls) == numbered(10)

    run(scenario())


@pytest.mark.parametrize("overrides", [True, False])
def test_a_revert_is_a_result(overrides: bool) -> None:
    async def scenario() -> None:
        answers, calls = views(10, v4="revert")
        expected = numbered(10)
        expected[4] = CallResult(False, b"\xde\xad\xbe\xef")
        async with FakeNode(views=answers, overrides=overrides) as node:
            assert await ask(node, calls) == expected

    run(scenario())


@pytest.mark.parametrize("how", ["poison", "hang", "burn"])
def test_a_poisoned_view_spoils_only_itself(how: str) -> None:
    async def scenario() -> None:
        answers, calls = views(60, v17=how, v41=how)
        expected = numbered(60)
        expected[17] = expected[41] = CallResult(False, b"")
        async with FakeNode(views=answers) as node:
            assert await ask(node, calls) == expected

    run(scenario())


def test_a_node_that_dies_is_an_error_and_no_result() -> None:
    async def scenario() -> None:
        answers, calls = views(10)
        async with FakeNode(views=answers) as node:
            node.faults.append(None)
            node.faults.extend([status(500)] * 500)
            with pytest.raises(NodeError):
                await ask(node, calls)

    run(scenario())


def test_no_views_no_request() -> None:
    async def scenario() -> None:
        async with FakeNode() as node:
            assert await ask(node, []) == []
            assert node.requests == []

    run(scenario())


@pytest.mark.parametrize("eip1898", [True, False])
def test_another_block_at_that_height_is_a_reorg(eip1898: bool) -> None:
    async def scenario() -> None:
        answers, calls = views(3)
        other = Block(
            number=50, hash="0x" + "ee" * 32, parent_hash=block_hash(49), timestamp=1_700_000_600
        )
        async with FakeNode(views=answers, eip1898=eip1898) as node:
            with pytest.raises(ReorgDetected, match="block 50 was 0xeeee"):
                await ask(node, calls, other)

    run(scenario())


def test_a_block_the_node_does_not_have_yet() -> None:
    async def scenario() -> None:
        _, calls = views(3)
        ahead = Block(
            number=101, hash=block_hash(101), parent_hash=block_hash(100), timestamp=1_700_000_600
        )
        async with FakeNode() as node:
            with pytest.raises(NodeBehind):
                await ask(node, calls, ahead)

    run(scenario())


CALLS = st.lists(
    st.builds(Call, st.binary(min_size=20, max_size=20).map(lambda b: "0x" + b.hex()), st.binary()),
    max_size=8,
)


@given(CALLS)
def test_calldata_is_what_eth_abi_encodes(calls: list[Call]) -> None:
    triples = [(call.to, True, call.data) for call in calls]
    assert encode_calls(calls)[4:] == encode(["(address,bool,bytes)[]"], [triples])
    assert encode_calls(calls)[:4].hex() == "82ad56cb"


@given(st.lists(st.tuples(st.booleans(), st.binary()), max_size=8), st.data())
def test_results_are_what_eth_abi_encoded(
    results: list[tuple[bool, bytes]], data: st.DataObject
) -> None:
    encoded = encode(["(bool,bytes)[]"], [results])
    expected = [CallResult(ok, answer) for ok, answer in results]
    assert decode_results(encoded, len(results)) == expected
    with pytest.raises(Overwhelmed):
        decode_results(encoded, len(results) + 1)
    cut = encoded[: data.draw(st.integers(0, len(encoded) - 33))] if len(encoded) > 64 else b""
    with pytest.raises(Overwhelmed):
        decode_results(cut, len(results))
