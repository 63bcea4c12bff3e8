"""Decisions that were written down are said again, each to its own question."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import pytest

from defirisk.core.errors import CheckFailed
from defirisk.governance.decisions import Recorded, Recording

THIRD = Fraction(1, 3)
QUESTIONS: list[tuple[int, dict[int, Fraction]]] = [
    (1, {}),
    (2, {}),
    (1, {5: THIRD}),
    (1, {6: THIRD}),
    (1, {5: THIRD + Fraction(1, 10**40)}),
    (1, {5: THIRD, 6: THIRD}),
]


class Parity:
    """Says yes and no in turn, and counts."""

    def __init__(self) -> None:
        self.asked = 0

    def liquidatable(self, unit: int, prices: Mapping[int, Fraction]) -> bool:
        self.asked += 1
        return self.asked % 2 == 0


def test_every_question_has_its_own_answer() -> None:
    edge = Parity()
    recording = Recording(edge)
    first = [recording.liquidatable(unit, prices) for unit, prices in QUESTIONS]
    assert first == [False, True] * 3
    recorded = Recorded(dict(recording.said))
    assert [recorded.liquidatable(unit, prices) for unit, prices in QUESTIONS] == first
    assert len(recording.said) == len(QUESTIONS)


def test_a_question_is_asked_once_whatever_the_order_of_its_prices() -> None:
    edge = Parity()
    recording = Recording(edge)
    for prices in ({5: THIRD, 6: Fraction(2)}, {6: Fraction(2), 5: THIRD}):
        assert recording.liquidatable(1, prices) is False
    assert edge.asked == 1


def test_what_was_never_asked_is_not_known() -> None:
    with pytest.raises(CheckFailed, match="unit 7"):
        Recorded({}).liquidatable(7, {})
