"""Byte code against `core.evaluation.evaluate`, over drawn programs."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from defirisk.contagion.cascade.byte_code import KERNELS, LEAF, evaluate
from defirisk.contagion.cascade.machine import machine_code
from defirisk.contagion.cascade.programs import Compiled, compiled
from defirisk.core.evaluation import Floats
from defirisk.core.evaluation import evaluate as in_lanes
from defirisk.core.quote import (
    Clamp,
    Constant,
    Conversion,
    Cut,
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
    leaves,
)

ASSETS = ("0xa", "0xb", "0xc")
SCENARIOS = 3
CODE = machine_code(KERNELS)

values = st.one_of(
    st.none(),
    st.sampled_from([Fraction(0), Fraction(1), Fraction(-2)]),
    st.fractions(-10, 10_000, max_denominator=10**9),
)
names = st.sampled_from(["one", "two"])
any_leaf: st.SearchStrategy[Leaf] = st.one_of(
    st.builds(Feed, names, values),
    st.builds(Spot, names, st.just("0xa"), st.sampled_from(["0xb", "0xc"]), values),
    st.builds(Conversion, names, values),
    st.builds(Market, st.sampled_from([*ASSETS, "0xd"]), values),
    st.builds(Rate, names, values.map(lambda value: value or Fraction(1))),
    st.builds(Constant, values.map(lambda value: value or Fraction(0))),
)


def inner(part: st.SearchStrategy[Program]) -> st.SearchStrategy[Program]:
    several = st.lists(part, min_size=1, max_size=7).map(tuple)
    limit = st.one_of(st.none(), st.fractions(-10, 100))
    return st.one_of(
        st.builds(Product, several),
        st.builds(Sum, several),
        st.builds(Median, several),
        st.builds(Ratio, part, part),
        st.builds(Clamp, part, limit, limit),
        st.builds(Root, part),
        st.builds(Cut, part, st.sampled_from([0, 2, 8, 18])),
    )


programs: st.SearchStrategy[Program] = st.recursive(any_leaf, inner, max_leaves=12)


def drawn_values(drawn: list[Program], data: st.DataObject) -> dict[Leaf, Floats]:
    """Every leaf's values over scenarios, moved unless it is a constant; one price an asset."""
    factors = st.tuples(*[st.sampled_from([0.0, 0.3, 1.0, 1.7, np.nan])] * SCENARIOS)
    read: dict[Leaf, Floats] = {}
    market: dict[str, Floats] = {}
    for leaf in (leaf for program in drawn for leaf in leaves(program)):
        value = np.full(SCENARIOS, np.nan if leaf.value is None else float(leaf.value))
        if isinstance(leaf, Rate | Constant) or leaf in read:
            read.setdefault(leaf, value)
        elif not isinstance(leaf, Market):
            read[leaf] = value * np.array(data.draw(factors))
        elif leaf.asset not in ASSETS:
            read[leaf] = value
        else:
            moved = value * np.array(data.draw(factors))
            read[leaf] = market.setdefault(leaf.asset, moved)
    return read


def leaf_values(code: Compiled, read: dict[Leaf, Floats], s: int) -> Floats:
    """The array of leaves of one scenario."""
    blocks = code.blocks
    filled = np.full(blocks.behind, np.nan)
    listed: list[tuple[int, Sequence[Leaf]]] = [
        (blocks.feeds, code.feeds),
        (blocks.spots, code.spots),
        (blocks.conversions, code.conversions),
    ]
    for first, block in listed:
        for k, leaf in enumerate(block):
            filled[first + k] = read[leaf][s]
    for leaf, value in read.items():
        if isinstance(leaf, Market) and leaf.asset in ASSETS:
            filled[blocks.markets + ASSETS.index(leaf.asset)] = value[s]
    filled[blocks.constants :] = code.constants
    return filled


@given(st.lists(programs, min_size=1, max_size=4), st.data())
def test_byte_code_says_what_the_program_says_bit_for_bit(
    drawn: list[Program], data: st.DataObject
) -> None:
    """In Python and as machine code; leaves have moved, each in its own way in each scenario."""
    code, read = compiled(drawn, ASSETS), drawn_values(drawn, data)
    stack = np.zeros(code.depth)
    for p, program in enumerate(drawn):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            expected = in_lanes(program, lambda leaf: read[leaf])
        for s in range(SCENARIOS):
            filled = leaf_values(code, read, s)
            ours = evaluate(code.code, p, filled, stack)
            fast = CODE["evaluate"](code.code, p, filled, np.zeros(code.depth))
            np.testing.assert_array_equal([ours, fast], [expected[s]] * 2)


@pytest.mark.parametrize(
    ("program", "value"),
    [
        (Median((Constant(Fraction(3)), Constant(Fraction(1)), Constant(Fraction(2)))), 2.0),
        (Median((Constant(Fraction(4)), Constant(Fraction(1)))), 2.5),
        (Ratio(Constant(Fraction(1)), Constant(Fraction(0))), np.nan),
        (Root(Constant(Fraction(-1))), np.nan),
        (Clamp(Constant(Fraction(3)), Fraction(1), Fraction(2)), 2.0),
        (Clamp(Constant(Fraction(0)), Fraction(1), Fraction(2)), 1.0),
        (Clamp(Feed("x", None), Fraction(1), Fraction(2)), np.nan),
        (Product(()), 1.0),
        (Cut(Constant(Fraction(12345, 10**4)), 2), 1.23),
        (Cut(Constant(Fraction(-12345, 10**4)), 2), -1.24),
        (Cut(Product((Constant(Fraction(11, 10)), Constant(Fraction(7, 10)))), 2), 0.77),
        (Cut(Constant(Fraction(769999999999, 10**12)), 2), 0.76),
        (Cut(Constant(Fraction(10**25 + 1, 10**8)), 8), 1e17),
        (Cut(Feed("x", None), 8), np.nan),
    ],
)
def test_what_operations_mean(program: Program, value: float) -> None:
    code = compiled([program], ())
    filled = np.concatenate([np.full(len(code.feeds), np.nan), code.constants])
    said = evaluate(code.code, 0, filled, np.zeros(code.depth))
    np.testing.assert_array_equal(said, value)


def test_fees_raise_the_roots_of_a_share_s_program_before_it_is_cut() -> None:
    """Those of the pool's own share; another pool's stay."""
    square = Root(Constant(Fraction(2)))
    lopsided = Sum((Product((Constant(Fraction(3)), square)), square))
    program = Cut(lopsided, 1)
    code = compiled([program, program, square], (), [7, -1, 7])
    assert code.shares == (7,)
    assert code.blocks.constants - code.blocks.shares == 1
    filled = np.concatenate([[1.25], code.constants])
    said = [evaluate(code.code, p, filled, np.zeros(code.depth)) for p in range(3)]
    # 4 * sqrt(2) = 5.65…, times 5/4 = 7.07…
    assert said == [7.0, 5.6, 2**0.5 * 1.25]


def test_a_mean_is_a_leaf_and_its_part_a_program_after_those_it_is_made_of() -> None:
    spot = Spot("pool", "0xa", "0xb", Fraction(2))
    within = Twap(spot, 60, Fraction(3))
    outer = Twap(Product((within, Feed("f", Fraction(5)))), 600, Fraction(14))
    code = compiled([Product((outer, within)), within], ASSETS)

    assert code.means == (within, outer)
    assert code.spots == (spot,)
    first, behind = code.code.first[3], code.code.first[4]
    assert code.code.operation[first:behind].tolist()[:2] == [LEAF, LEAF]
    assert code.code.argument[first] == code.blocks.means
    assert len(code.code.first) - 1 == 2 + 2


def test_a_leaf_is_listed_once_however_often_it_is_read() -> None:
    feed, other = Feed("f", Fraction(5)), Feed("f", None)
    code = compiled([Product((feed, feed, other)), feed], ASSETS)

    assert code.feeds == (feed, other)
    assert code.blocks.markets == 2
    assert code.blocks.means - code.blocks.markets == len(ASSETS)
