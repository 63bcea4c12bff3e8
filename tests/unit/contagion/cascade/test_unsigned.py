"""Indices of kernels count from the start: machine code takes them as they are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from defirisk.contagion.cascade import many
from defirisk.contagion.cascade.play import Cascade
from defirisk.contagion.cascade.settings import BASE, HIGH, LOW, Settings
from defirisk.core.book import Book

from .liquidated import liquidated_books
from .test_play import scenarios

CASES = (replace(BASE, round_seconds=0), replace(LOW, keeper_capacity_usd=20_000.0), HIGH)


class FromTheStart(np.ndarray[Any, Any]):
    """Refuses what machine code would read or write outside of it."""

    def __getitem__(self, place: Any) -> Any:
        return super().__getitem__(inside(self, place))

    def __setitem__(self, place: Any, value: Any) -> None:
        super().__setitem__(inside(self, place), value)


def inside(table: FromTheStart, place: Any) -> Any:
    """The place, where it is one."""
    for at, size in zip(place if isinstance(place, tuple) else (place,), table.shape, strict=False):
        if isinstance(at, (int, np.integer)):
            assert 0 <= at < size
    return place


def checked(of: Any) -> Any:
    """The same arrays, in tuples of tuples of them."""
    if isinstance(of, np.ndarray):
        return of.view(FromTheStart)
    if isinstance(of, tuple):
        return type(of)(*map(checked, of))
    return of


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(liquidated_books(), st.sampled_from(CASES))
def test_no_kernel_counts_from_the_end(book: Book, case: Settings) -> None:
    cascade = Cascade(book)
    begun, assumed, state = cascade.prepared(scenarios(book), case)
    ends = many.empty_ends(state, len(assumed))
    with np.errstate(all="ignore"):
        many.play_many(*map(checked, (cascade.facts, state, begun, assumed, ends)))


@pytest.mark.parametrize("place", [-1, 3, (0, -1)])
def test_what_would_is_seen(place: Any) -> None:
    with pytest.raises(AssertionError):
        FromTheStart((3, 2))[place]
