"""The width of ranges: it finds a node's limits in few requests and stays close to them."""

from __future__ import annotations

from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from defirisk.chain.log_filters import Price
from defirisk.chain.range_size import RangeSettings, RangeSize
from defirisk.core.evm import LogQuery
from tests.unit.chain.fake_node import TOPIC, FakeNode, address, log_json, run
from tests.unit.chain.range_node import check, read

TRANSFER = bytes.fromhex("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef")


class Limits:
    """A node with the two limits that there are, asked through a RangeSize, one page at a time."""

    def __init__(self, size: RangeSize, max_blocks: int, max_logs: int, per_block: float) -> None:
        self.size = size
        self.max_blocks, self.max_logs, self.per_block = max_blocks, max_logs, per_block
        self.answers = self.refusals = 0

    def read(self, blocks: int, *, says_why: bool) -> None:
        """All of `blocks` blocks, as `LogRanges.cover` does it."""
        done = 0
        while done < blocks:
            width = self.size.plan(blocks - done)
            while not self._asked(width):
                wide = width > self.max_blocks
                width = self.size.refused(width, about_blocks=says_why and wide)
            done += width

    def _asked(self, width: int) -> bool:
        logs = int(width * self.per_block)
        if width > 1 and (width > self.max_blocks or logs > self.max_logs):
            self.refusals += 1
            return False
        self.answers += 1
        self.size.answered(width, logs)
        return True


@given(
    max_blocks=st.integers(1, 200_000),
    max_logs=st.integers(1, 20_000),
    per_block=st.floats(0, 50),
    says_why=st.booleans(),
)
def test_few_requests_are_refused_until_the_limit_is_found(
    max_blocks: int, max_logs: int, per_block: float, says_why: bool
) -> None:
    settings = RangeSettings()
    node = Limits(RangeSize(settings), max_blocks, max_logs, per_block)
    best = max(1, min(max_blocks, settings.max_blocks, int(max_logs / max(per_block, 1e-9))))
    node.read(min(best * 30, 2_000_000), says_why=says_why)
    assert node.refusals <= log2(settings.max_blocks) + 2


@pytest.mark.parametrize("cap", [10_000, 11_337, 1_024, 3_000])
def test_a_sparse_chain_is_read_at_the_cap(cap: int) -> None:
    """Blocks for 200 answers at the cap, as in the issue; 10 logs in 100 blocks."""
    node = Limits(RangeSize(RangeSettings()), max_blocks=cap, max_logs=10_000, per_block=0.1)
    node.read(200 * cap, says_why=False)
    assert node.answers + node.refusals <= 200 * 1.08


def test_a_cap_on_logs_is_approached_from_below() -> None:
    settings = RangeSettings(target_logs=5_000)
    node = Limits(RangeSize(settings), max_blocks=10**9, max_logs=2_000, per_block=3.0)
    node.read(600_000, says_why=False)
    assert node.answers + node.refusals <= 1.5 * 600_000 * 3 / 2_000
    assert node.refusals <= 12


def test_what_was_refused_for_its_logs_does_not_hold_where_there_are_few() -> None:
    size = RangeSize(RangeSettings(first_blocks=1_000, target_logs=1_000, max_blocks=64_000))
    dense = Limits(size, max_blocks=10**9, max_logs=1_000, per_block=100.0)
    dense.read(2_000, says_why=False)
    assert size.blocks <= 10
    empty = Limits(size, max_blocks=10**9, max_logs=1_000, per_block=0.0)
    empty.read(1_000_000, says_why=False)
    assert empty.answers <= 30


def test_only_one_page_tries_an_unproven_width() -> None:
    size = RangeSize(RangeSettings(first_blocks=100, max_blocks=10_000))
    assert size.pages_ahead == 1
    assert size.plan(10_000) == 100
    size.answered(100, 0)
    size.refused(400, about_blocks=True)
    assert size.pages_ahead == 4
    size.answered(100, 0)
    tried = size.blocks
    assert [size.plan(10_000) for _ in range(3)] == [tried, 100, 100]
    size.answered(tried, 0)
    assert size.plan(10_000) > tried


@pytest.mark.parametrize("words", ["exceed max addresses", "das sind zu viele"])
def test_a_node_that_bears_few_addresses_is_asked_for_few(words: str) -> None:
    emitters = tuple(address(n) for n in range(1, 101))
    logs = [log_json(n, n, emitters[n]) for n in range(100)]

    async def scenario() -> None:
        async with FakeNode(head=100, logs=logs, max_addresses=30) as node:
            node.too_many_addresses = words
            check(node, await read(node, 0, 100, query=LogQuery(addresses=emitters)), 0, 100)
            served = [c for r in node.requests if isinstance(r, list) for c in r][1:]
            widths = [len(c["params"][0]["address"]) for c in served if c["params"]]
            assert max(widths[-4:]) <= 25

    run(scenario())


def children(count: int, head: int, strangers: int, seed: int = 3) -> tuple[LogQuery, FakeNode]:
    """A factory's children and others that emit the same event."""
    mine = tuple(address(n) for n in range(1, count + 1))
    emitters = [*mine, *(address(10_000 + n) for n in range(strangers))]
    logs = [
        log_json((n * seed) % head, n, emitters[n % len(emitters)]) for n in range(len(emitters))
    ]
    logs.sort(key=lambda log: int(str(log["blockNumber"]), 16))
    return LogQuery(addresses=mine, topics0=(TOPIC,)), FakeNode(head=head, logs=logs)


def test_the_children_of_a_factory_are_asked_for_by_topics_alone() -> None:
    query, node = children(600, 3_000, strangers=300)

    async def scenario() -> None:
        async with node:
            sizes = RangeSettings(addresses_per_filter=50)
            pages = await read(node, 0, 3_000, sizes, query)
            node.logs = [log for log in node.logs if log["address"] in query.addresses]
            check(node, pages, 0, 3_000)
            filters = [c["params"][0] for r in node.requests for c in r if c["params"]]
            assert not any("address" in one for one in filters)
            assert node.count("eth_getLogs") <= 4

    run(scenario())


def test_strangers_that_cost_more_than_they_save_are_named_away() -> None:
    query, node = children(120, 2_000, strangers=9_000)
    node.max_logs = 500

    async def scenario() -> None:
        async with node:
            sizes = RangeSettings(addresses_per_filter=50, first_blocks=50, target_logs=400)
            pages = await read(node, 0, 2_000, sizes, query)
            filters = [c["params"][0] for r in node.requests for c in r if c["params"]]
            assert "address" not in filters[0]
            assert "address" in filters[-1]
            node.logs = [log for log in node.logs if log["address"] in query.addresses]
            check(node, pages, 0, 2_000)

    run(scenario())


@pytest.mark.parametrize(
    ("topics", "addresses"),
    [((TRANSFER,), 200), ((), 200), ((TRANSFER, TOPIC), 200), ((TOPIC,), 9)],
)
def test_what_everybody_emits_is_never_asked_for_by_topics(
    topics: tuple[bytes, ...], addresses: int
) -> None:
    async def scenario() -> None:
        async with FakeNode(head=50) as node:
            query = LogQuery(
                addresses=tuple(address(n) for n in range(1, addresses + 1)), topics0=topics
            )
            await read(node, 0, 50, RangeSettings(addresses_per_filter=50), query)
            filters = [c["params"][0] for r in node.requests for c in r if c["params"]]
            assert all("address" in one for one in filters)

    run(scenario())


@pytest.mark.parametrize(
    ("kept", "dropped", "groups", "worth"),
    [
        (0, 0, 4, True),  # nothing is there: one call for four
        (1_000, 3_000, 4, True),  # 4,000 logs in 1 answer, or 4 calls of 250
        (1_000, 90_000, 4, False),  # 19 answers of strangers, or 4 calls
        (40_000, 10_000, 4, False),  # 10 answers, or 4 calls of 2 answers
        (40_000, 0, 4, True),  # the same number, with fewer addresses to send
    ],
)
def test_the_price_of_strangers(kept: int, dropped: int, groups: int, worth: bool) -> None:
    price = Price(blocks=1_000, kept=kept, dropped=dropped)
    calls_by_topics = max(1, (kept + dropped) / 5_000)
    calls_by_address = groups * max(1, kept / groups / 5_000)
    assert (calls_by_topics <= calls_by_address) is worth
    assert price.worth_it(groups, 1_000, 5_000) is worth
