"""Where a feed's answer comes from, and when logs are not to be trusted for it."""

from __future__ import annotations

from typing import Any

from defirisk.core.adapter import Answer, Contract, Deployment, Log, Snapshot, View
from defirisk.core.evm import Block
from defirisk.protocols.oracles.chainlink import ADAPTER, AggregatorAnswer, Feed
from tests.unit.protocols.rows_in_memory import RowsInMemory

PROXY, AGGREGATOR = "0x" + "a1" * 20, "0x" + "b2" * 20
BLOCK = Block(number=9, hash="0x09", parent_hash="0x08", timestamp=1_700_000_000)
FEED = Contract(address=PROXY, role="feed", first_block=0)


def observed(state: RowsInMemory, **answers: Any) -> RowsInMemory:
    """Applies views of the proxy in the order in which they are asked."""
    for view in ADAPTER.views([FEED]):
        said = answers.get(view.function)
        ADAPTER.observe(view, said, BLOCK, state)
    return state


def answer_of(state: RowsInMemory) -> Answer | None:
    snapshot = Snapshot(
        deployment=Deployment(name="chainlink-1", protocol="chainlink", chain_id=1),
        block=BLOCK,
        rows=state,
        tokens={},
        answers={},
    )
    return ADAPTER.answers(snapshot).get(PROXY)


def answered(*values: int) -> RowsInMemory:
    """The state after an AnswerUpdated of each value, all in one round and block."""
    state = RowsInMemory()
    for index, value in enumerate(values):
        log = Log(
            block_number=7,
            timestamp=1_699_999_000,
            log_index=index,
            contract=Contract(address=AGGREGATOR, role="aggregator", first_block=0, subject=PROXY),
            event="AnswerUpdated",
            args={"current": value, "roundId": 3, "updatedAt": 1_699_999_000},
        )
        ADAPTER.fold(log, state)
    return state


FACTS: dict[str, Any] = {
    "aggregator": (AGGREGATOR,),
    "phaseId": (1,),
    "decimals": (8,),
    "description": ("ETH / USD",),
    "latestRoundData": (18446744073709551619, 2000, 1_699_999_000, 1_699_999_000, 3),
}


def test_a_proxy_answers_what_its_aggregator_emitted() -> None:
    state = observed(answered(2000), **FACTS, latestAnswer=(2000,))

    assert answer_of(state) == Answer(
        price=2000,
        decimals=8,
        updated_at=1_699_999_000,
        grade="logs",
        kind="chainlink",
        made_of=(AGGREGATOR,),
    )


def test_a_feed_that_makes_something_else_of_the_answer_is_read() -> None:
    """An adapter with a cap has an aggregator too, but its price is not the aggregator's."""
    state = observed(answered(2000), **FACTS, latestAnswer=(1900,))

    answer = answer_of(state)
    assert answer is not None
    assert (answer.price, answer.grade) == (1900, "read")


def test_a_feed_without_an_aggregator_is_read() -> None:
    facts = {**FACTS, "aggregator": None}

    answer = answer_of(observed(RowsInMemory(), **facts, latestAnswer=(1900,)))

    assert answer is not None
    assert (answer.price, answer.grade) == (1900, "read")


def test_a_feed_that_answers_nothing_has_no_answer() -> None:
    assert answer_of(observed(RowsInMemory())) is None


def test_the_last_answer_of_a_round_counts() -> None:
    """FluxAggregator emits again within the round whenever another oracle submits."""
    state = answered(2000, 2001, 1999)

    assert state.get(AggregatorAnswer, AGGREGATOR).answer_raw == 1999


def test_a_new_aggregator_replaces_the_old_one_from_now_on() -> None:
    state = observed(answered(2000), **FACTS, latestAnswer=(2000,))
    other = "0x" + "c3" * 20

    ADAPTER.observe(View(FEED, "aggregator"), (other,), BLOCK, state)

    assert state.get(Feed, PROXY).aggregator == other
    revealed = list(ADAPTER.discover_view(View(FEED, "aggregator"), (other,)))
    assert [(c.address, c.role, c.subject) for c in revealed if isinstance(c, Contract)] == [
        (other, "aggregator", PROXY)
    ]


def of(state: RowsInMemory, **standing: Answer) -> Snapshot:
    """A moment at which other kinds of feeds answered `standing` for the proxy."""
    return Snapshot(
        deployment=Deployment(name="chainlink-1", protocol="chainlink", chain_id=1),
        block=BLOCK,
        rows=state,
        tokens={},
        answers=dict.fromkeys([PROXY], standing["other"]) if standing else {},
    )


def test_the_proxy_is_asked_for_answer_and_round() -> None:
    """Its rounds are the aggregator's, with the number of the aggregator above 64 bits."""
    asked = list(ADAPTER.questions(of(observed(answered(2000), **FACTS, latestAnswer=(2000,)))))

    assert [(one.view.function, one.ours, one.grade) for one in asked] == [
        ("latestAnswer", (2000,), "compared"),
        ("latestRoundData", ((1 << 64) + 3, 2000), "compared"),
    ]


def test_what_was_only_read_is_said_and_asked_as_such() -> None:
    state = observed(RowsInMemory(), **{**FACTS, "aggregator": None}, latestAnswer=(1900,))

    assert [one.grade for one in ADAPTER.questions(of(state))] == ["read"]
    assert [one.code for one in ADAPTER.findings(of(state))] == ["answer-read"]
    # Who knows what it is made of is asked instead.
    other = Answer(price=1900, decimals=8, updated_at=7, grade="logs", kind="hard-coded")
    assert list(ADAPTER.questions(of(state, other=other))) == []
    assert list(ADAPTER.findings(of(state, other=other))) == []
