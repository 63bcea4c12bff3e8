"""Verified ranges of a contract hold for the events that it was asked for, and for no others."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from defirisk.store.asked import ask_for
from defirisk.store.ranges import add_verified, verified

from .rows import emptied

TOPICS = st.sets(st.integers(0, 5).map(lambda n: bytes([n]) * 32), min_size=1)


@given(st.lists(TOPICS, min_size=1, max_size=6))
def test_asking_for_more_takes_the_ranges_back(questions: list[set[bytes]]) -> None:
    """Against the rule itself: blocks are complete for what every question about them asked."""
    complete: set[bytes] = set()
    with emptied() as connection:
        for last, topics in enumerate(questions):
            ask_for(connection, 1, {"0xaa": topics})
            kept = bool(complete) and topics <= complete
            assert verified(connection, 1, "0xaa") == ([(0, last - 1)] if kept else [])
            add_verified(connection, 1, ["0xaa"], 0, last)
            complete = topics


def test_each_contract_and_chain_is_on_its_own() -> None:
    one, other = b"\1" * 32, b"\2" * 32
    with emptied() as connection:
        ask_for(connection, 1, {"0xaa": {one}, "0xbb": {one}})
        ask_for(connection, 2, {"0xaa": {one}})
        for chain in (1, 2):
            add_verified(connection, chain, ["0xaa", "0xbb"], 3, 9)

        ask_for(connection, 1, {"0xaa": {one, other}, "0xbb": {one}})

        assert verified(connection, 1, "0xaa") == []
        assert verified(connection, 1, "0xbb") == verified(connection, 2, "0xaa") == [(3, 9)]


def test_what_was_read_before_this_was_kept_is_read_again() -> None:
    with emptied() as connection:
        add_verified(connection, 1, ["0xaa"], 0, 9)
        ask_for(connection, 1, {"0xaa": {b"\1" * 32}})
        assert verified(connection, 1, "0xaa") == []
