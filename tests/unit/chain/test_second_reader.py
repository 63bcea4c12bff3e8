"""A second reader asks other endpoints than the first, of ranges and of single blocks."""

from __future__ import annotations

from defirisk.chain.answerers import Answerers
from defirisk.chain.range_size import RangeSettings
from defirisk.core.evm import LogQuery
from tests.unit.chain.fake_node import FakeNode, address, block_hash, run
from tests.unit.chain.range_node import check
from tests.unit.chain.several_nodes import QUERY, at, chain, names, serving


def test_a_second_reader_hears_another_endpoint_for_each_range() -> None:
    async def scenario() -> None:
        one, two = chain()
        sizes = RangeSettings(first_blocks=10, max_blocks=10)
        async with serving(one, two, ranges=sizes) as reader:
            second = reader.second()
            assert second is not None
            pages = [page async for page in reader.logs(QUERY, 0, 400)]
            gave = [logs_of(one), logs_of(two)]
            assert gave[0]
            assert gave[1]
            check(one, [page async for page in second.logs(QUERY, 0, 400)], 0, 400)
            check(one, pages, 0, 400)
            heard = [logs_of(one) - gave[0], logs_of(two) - gave[1]]
            assert heard == [gave[1], gave[0]]

    run(scenario())


def logs_of(node: FakeNode) -> set[int]:
    """The first blocks of the ranges that a node was asked for."""
    calls = [c for r in node.requests for c in (r if isinstance(r, list) else [r])]
    return {int(c["params"][0]["fromBlock"], 16) for c in calls if c["method"] == "eth_getLogs"}


def test_a_second_reader_asks_another_about_single_blocks() -> None:
    async def scenario() -> None:
        one, two = chain()
        async with serving(one, two, ranges=RangeSettings(first_blocks=20)) as reader:
            [page async for page in reader.logs(QUERY, 0, 400)]
            second = reader.second()
            assert second is not None
            gave = {n: name for _, a, b, name in reader._answerers._gave for n in range(a, b + 1)}
            blocks = [n for log in one.logs if (n := int(log["blockNumber"], 16))][::10]
            before = [len(one.requests), len(two.requests)]
            found = await second.block_logs([at(n) for n in dict.fromkeys(blocks)])
            assert all(found)
            for node, start, name in zip((one, two), before, names(reader), strict=True):
                calls = [
                    c for r in node.requests[start:] for c in (r if isinstance(r, list) else [r])
                ]
                for call in calls:
                    number = blocks[
                        [block_hash(n) for n in blocks].index(call["params"][0]["blockHash"])
                    ]
                    assert gave[number] != name

    run(scenario())


def test_a_range_is_cut_where_another_endpoint_gave_it() -> None:
    gave = Answerers()
    gave.gave(QUERY, 0, 9, "a")
    gave.gave(QUERY, 10, 19, "b")
    gave.gave(LogQuery(addresses=(address(9),)), 0, 50, "c")
    assert gave.spans(5, 25, QUERY) == [(5, 9, ("a",)), (10, 19, ("b",)), (20, 25, ())]
    assert gave.of(9, 10, QUERY) == {"a", "b"}
    assert gave.of(9, 9) == {"a", "c"}


def test_one_endpoint_has_no_second_and_introduces_itself_to_nobody() -> None:
    async def scenario() -> None:
        async with serving(FakeNode()) as reader:
            assert reader.second() is None
            await reader.block("latest")
            assert reader.asked.requests == reader.asked.calls == 1

    run(scenario())
