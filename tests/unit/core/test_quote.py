"""Programs of quotes: floats agree with fractions, moves with what moved."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from defirisk.core.evaluation import Floats, evaluate
from defirisk.core.quote import (
    Clamp,
    Constant,
    Feed,
    Leaf,
    Market,
    Median,
    Product,
    Program,
    Rate,
    Ratio,
    Root,
    Spot,
    Sum,
    Twap,
    anchored,
    exact,
    leaves,
    moved,
    rate_value,
    rebuilt,
)

VALUES = st.fractions(Fraction(1, 1000), Fraction(1000), max_denominator=1000)
NAMES = ("a", "b", "c")


def known_leaves() -> st.SearchStrategy[Leaf]:
    """Leaves whose value belongs to their name, so that one name has one value."""
    fixed = {name: Fraction(3 * at + 2, at + 3) for at, name in enumerate(NAMES)}
    names = st.sampled_from(NAMES)
    return st.one_of(
        names.map(lambda name: Feed(name, fixed[name])),
        names.map(lambda name: Spot(name, "base", "quote", fixed[name])),
        VALUES.map(Constant),
    )


PROGRAMS: st.SearchStrategy[Program] = st.recursive(
    known_leaves(),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=4).map(lambda some: Product(tuple(some))),
        st.lists(inner, min_size=1, max_size=4).map(lambda some: Sum(tuple(some))),
        st.lists(inner, min_size=1, max_size=4).map(lambda some: Median(tuple(some))),
        st.builds(Ratio, inner, inner),
        st.builds(Root, inner),
        st.builds(
            lambda part, low, rise: Clamp(part, low, low + rise),
            inner,
            VALUES,
            VALUES,
        ),
        st.builds(lambda part, value: Twap(part, 1800, value), inner, VALUES),
    ),
    max_leaves=8,
)


def now(leaf: Leaf) -> Floats:
    return np.array([np.nan if leaf.value is None else float(leaf.value)])


@given(PROGRAMS)
def test_floats_agree_with_fractions(program: Program) -> None:
    value = exact(program)

    assert value is not None
    assert evaluate(program, now)[0] == pytest.approx(float(value), rel=1e-12)


@given(PROGRAMS, VALUES)
def test_a_move_is_the_ratio_of_the_values_after_and_before(
    program: Program, factor: Fraction
) -> None:
    def moving(leaf: Leaf) -> Fraction:
        return factor if isinstance(leaf, Feed) and leaf.address == "a" else Fraction(1)

    before, after = exact(program), exact(program, moving)

    assert before is not None
    assert after is not None
    assert float(moved(program, moving)) == pytest.approx(float(after / before), rel=1e-12)


@given(PROGRAMS, VALUES)
def test_an_anchored_program_says_the_answer_and_moves_as_before(
    program: Program, answer: Fraction
) -> None:
    def double(leaf: Leaf) -> Fraction:
        return Fraction(2) if isinstance(leaf, Feed) else Fraction(1)

    tied = anchored(program, answer)

    assert exact(tied) == answer
    assert float(moved(tied, double)) == pytest.approx(float(moved(program, double)), rel=1e-12)


@given(PROGRAMS)
def test_rebuilding_with_the_same_leaves_changes_nothing(program: Program) -> None:
    assert rebuilt(program, lambda leaf: leaf) == program
    assert list(leaves(rebuilt(program, lambda leaf: leaf))) == list(leaves(program))


def test_only_the_quote_s_own_rates_are_rates() -> None:
    index = Rate("index", Fraction(3, 2))
    inside = Ratio(Rate("other", Fraction(5)), Constant(Fraction(5)))

    assert rate_value(Product((Feed("a", Fraction(2)), index))) == Fraction(3, 2)
    assert rate_value(Product((Product((index, index)), inside))) == Fraction(9, 4)
    assert rate_value(Feed("a", Fraction(2))) == 1


@pytest.mark.parametrize(
    "program",
    [
        Feed("a", None),
        Market("x", None),
        Product((Constant(Fraction(2)), Feed("a", None))),
        Ratio(Constant(Fraction(2)), Constant(Fraction(0))),
        Root(Constant(Fraction(-1))),
        Clamp(Feed("a", None), Fraction(1), None),
        Twap(Feed("a", Fraction(1)), 1800, None),
    ],
)
def test_what_is_unknown_stays_unknown(program: Program) -> None:
    with np.errstate(invalid="ignore"):
        assert np.isnan(evaluate(program, now)[0])
    assert exact(program) is None
    assert anchored(program, Fraction(5)) == program
    assert moved(Product((program,)), lambda _: Fraction(1)) == 1


def test_an_average_holds_until_its_part_moves() -> None:
    mean = Twap(Spot("pool", "base", "quote", Fraction(5)), 1800, Fraction(6))

    assert evaluate(mean, lambda _: np.array([5.0, 2.5])).tolist() == [6.0, 2.5]
    assert exact(mean, lambda _: Fraction(1, 2)) == Fraction(5, 2)
    assert exact(mean, lambda _: Fraction(1)) == 6
