"""Verified block ranges behave as the sets of their blocks."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from defirisk.store.database import Store
from defirisk.store.ranges import add_verified, joined, missing, verified
from defirisk.store.raw import forget_after

from .rows import emptied

Range = tuple[int, int]
RANGES = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 8)).map(lambda r: (r[0], r[0] + r[1])), max_size=8
)


def blocks(ranges: list[Range]) -> set[int]:
    return {block for first, last in ranges for block in range(first, last + 1)}


@given(RANGES)
def test_joined_ranges_hold_the_same_blocks_in_the_fewest_pieces(ranges: list[Range]) -> None:
    found = joined(ranges)
    assert blocks(found) == blocks(ranges)
    assert all(one[1] + 1 < other[0] for one, other in pairwise(found))


@given(RANGES, st.integers(0, 50), st.integers(0, 50))
def test_missing_is_what_is_asked_for_less_what_is_there(
    ranges: list[Range], first: int, last: int
) -> None:
    gaps = missing(ranges, first, last)
    assert blocks(gaps) == set(range(first, last + 1)) - blocks(ranges)
    assert gaps == joined(gaps)


@settings(max_examples=40)
@given(RANGES, RANGES, st.integers(-1, 50))
def test_the_store_keeps_them_apart_by_contract_and_cuts_them_at_a_reorg(
    mine: list[Range], yours: list[Range], cut: int
) -> None:
    with emptied() as connection:
        for address, ranges in (("0xaa", mine), ("0xbb", yours)):
            for first, last in ranges:
                add_verified(connection, 1, [address], first, last)
        add_verified(connection, 2, ["0xaa"], 0, 99)
        assert verified(connection, 1, "0xaa") == joined(mine)
        assert verified(connection, 1, "0xbb") == joined(yours)

        forget_after(connection, 1, cut)

        kept = {block for block in blocks(mine) if block <= cut}
        assert blocks(verified(connection, 1, "0xaa")) == kept
        assert verified(connection, 2, "0xaa") == [(0, 99)]


def test_ranges_survive_closing(store: Store, again: Store) -> None:
    with store.transaction() as connection:
        add_verified(connection, 1, ["0xaa", "0xbb"], 5, 9)
        add_verified(connection, 1, ["0xaa"], 10, 12)
    store.close()
    with again.transaction() as connection:
        assert verified(connection, 1, "0xaa") == [(5, 12)]
        assert verified(connection, 1, "0xbb") == [(5, 9)]
