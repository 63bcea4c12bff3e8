"""Quote programs as byte code over one array of leaves, for kernels. Slow twin: `core.quote`.

A program becomes postfix instructions of two numbers each, an operation and its argument. Products,
sums and medians take as many values as the argument says and work from left to right, as
`core.quote.evaluate` does in lanes (numpy adds nine or more numbers of a single scenario in another
order). A mean over time is a leaf whose value the means' own rule moves; its part is a program.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from defirisk.core.book import Floats, Ints
from defirisk.core.evm import Address
from defirisk.core.quote import (
    Clamp,
    Conversion,
    Feed,
    Leaf,
    Market,
    Median,
    Product,
    Program,
    Ratio,
    Root,
    Spot,
    Sum,
    Twap,
    parts,
)

LEAF, PRODUCT, SUM, RATIO, MEDIAN, AT_MOST, AT_LEAST, ROOT = range(8)
NAN = float("nan")


class Code(NamedTuple):
    """Instructions of all programs, one after another; program p is `first[p]` to `first[p + 1]`.

    The argument of `LEAF`, `AT_MOST` and `AT_LEAST` is a place among the leaves.
    """

    operation: Ints  # (I,)
    argument: Ints  # (I,)
    first: Ints  # (P + 1,)


class Blocks(NamedTuple):
    """Where in the array of leaves each kind begins; behind the last one, its length.

    Markets are all assets in their order. Constants are at the end, NaN where unknown.
    """

    feeds: int
    spots: int
    conversions: int
    markets: int
    means: int
    constants: int
    behind: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """Programs in the order given, then the parts of the means (`means` has T of them, each after
    those that it is made of). Leaves are listed once each, in the order of their block.
    """

    code: Code
    blocks: Blocks
    feeds: tuple[Feed, ...]
    spots: tuple[Spot, ...]
    conversions: tuple[Conversion, ...]
    means: tuple[Twap, ...]
    constants: Floats  # (K,)
    rising: dict[int, float]
    """Which constants rise, by their place in the block, and by how much a second."""
    depth: int
    """How many values evaluation keeps at once, at most."""


@dataclass(slots=True)
class _Found:
    """Leaves by their block, each with its place there, while programs are read."""

    assets: dict[Address, int]
    feeds: dict[Feed, int] = field(default_factory=dict)
    spots: dict[Spot, int] = field(default_factory=dict)
    conversions: dict[Conversion, int] = field(default_factory=dict)
    means: dict[Twap, int] = field(default_factory=dict)
    constants: dict[float | Clamp, int] = field(default_factory=dict)
    rising: dict[int, float] = field(default_factory=dict)
    unknown: int | None = None

    def place(self, leaf: Leaf) -> tuple[str, int]:
        """The block and the place in it."""
        match leaf:
            case Feed():
                return "feeds", self.feeds.setdefault(leaf, len(self.feeds))
            case Spot():
                return "spots", self.spots.setdefault(leaf, len(self.spots))
            case Conversion():
                return "conversions", self.conversions.setdefault(leaf, len(self.conversions))
            case Market(asset=asset) if asset in self.assets:
                return "markets", self.assets[asset]
        return self.constant(NAN if leaf.value is None else float(leaf.value))

    def constant(self, value: float) -> tuple[str, int]:
        """A number that nothing moves. NaN is not equal to itself: it has a place of its own."""
        if math.isnan(value):
            if self.unknown is None:
                self.unknown = len(self.constants)
                self.constants[value] = self.unknown
            return "constants", self.unknown
        return "constants", self.constants.setdefault(value, len(self.constants))

    def limit(self, clamp: Clamp, high: float) -> tuple[str, int]:
        """The upper limit of a clamp: one that rises is its own."""
        if not clamp.rise:
            return self.constant(high)
        place = self.constants.setdefault(clamp, len(self.constants))
        self.rising[place] = float(clamp.rise)
        return "constants", place

    def values(self) -> Floats:
        """The constants in the order of their places."""
        return np.array(
            [float(one.high or 0) if isinstance(one, Clamp) else one for one in self.constants],
            dtype=np.float64,
        )

    def blocks(self) -> Blocks:
        """Where each block begins, in the order of the fields."""
        ends = [0]
        for size in (
            len(self.feeds),
            len(self.spots),
            len(self.conversions),
            len(self.assets),
            len(self.means),
            len(self.constants),
        ):
            ends.append(ends[-1] + size)
        return Blocks(*ends)


_Instruction = tuple[int, str, int]
"""Operation, and the argument as a place in a block; of an empty block, a plain number."""


def compiled(programs: Sequence[Program], assets: Sequence[Address]) -> Compiled:
    """Byte code of programs whose `Market` leaves are of these assets (others are constants)."""
    found = _Found({asset: a for a, asset in enumerate(assets)})
    written: list[list[_Instruction]] = []
    inside: list[list[_Instruction]] = []
    for program in programs:
        written.append([])
        _write(program, found, written[-1], inside)
    blocks = found.blocks()
    every = written + inside
    flat = [instruction for one in every for instruction in one]
    return Compiled(
        code=Code(
            operation=np.array([op for op, _, _ in flat], dtype=np.int64),
            argument=np.array(
                [n + (getattr(blocks, block) if block else 0) for _, block, n in flat],
                dtype=np.int64,
            ),
            first=np.cumsum([0, *map(len, every)], dtype=np.int64),
        ),
        blocks=blocks,
        feeds=tuple(found.feeds),
        spots=tuple(found.spots),
        conversions=tuple(found.conversions),
        means=tuple(found.means),
        constants=found.values(),
        rising=found.rising,
        depth=max(map(_depth, every), default=0),
    )


def _write(
    program: Program, found: _Found, out: list[_Instruction], inside: list[list[_Instruction]]
) -> None:
    """Appends the program to `out`, and the parts of its means to `inside`."""
    if isinstance(program, Leaf):
        out.append((LEAF, *found.place(program)))
        return
    if isinstance(program, Twap):
        if program not in found.means:
            part: list[_Instruction] = []
            _write(program.part, found, part, inside)
            found.means[program] = len(inside)
            inside.append(part)
        out.append((LEAF, "means", found.means[program]))
        return
    inner = parts(program)
    for one in inner:
        _write(one, found, out, inside)
    match program:
        case Product():
            out.append((PRODUCT, "", len(inner)))
        case Sum():
            out.append((SUM, "", len(inner)))
        case Median():
            out.append((MEDIAN, "", len(inner)))
        case Ratio():
            out.append((RATIO, "", 2))
        case Clamp(low=low, high=high):
            if high is not None:
                out.append((AT_MOST, *found.limit(program, float(high))))
            if low is not None:
                out.append((AT_LEAST, *found.constant(float(low))))
        case Root():
            out.append((ROOT, "", 1))


def _depth(instructions: Sequence[_Instruction]) -> int:
    most, now = 0, 0
    for operation, _, count in instructions:
        if operation == LEAF:
            now += 1
        elif operation in (PRODUCT, SUM, RATIO, MEDIAN):
            now += 1 - count
        most = max(most, now)
    return most


def evaluate(code: Code, program: int, leaves: Floats, stack: Floats) -> float:
    """Kernel. The value of a program; NaN where it is unknown, or has no value: a quotient by 0,
    the root of what is negative. `stack` has room for `Compiled.depth` values.
    """
    top = 0
    for at in range(code.first[program], code.first[program + 1]):
        operation, n = code.operation[at], code.argument[at]
        if operation == LEAF:
            stack[top] = leaves[n]
            top += 1
        elif operation == AT_MOST:
            if stack[top - 1] > leaves[n]:
                stack[top - 1] = leaves[n]
        elif operation == AT_LEAST:
            if stack[top - 1] < leaves[n]:
                stack[top - 1] = leaves[n]
        else:
            top -= n
            stack[top] = combined(operation, stack, top, n)
            top += 1
    return float(stack[0])


def combined(operation: int, stack: Floats, first: int, count: int) -> float:
    """Kernel. What an operation makes of `count` values from `first` on, which it may reorder."""
    if operation == PRODUCT:
        value = 1.0
        for k in range(first, first + count):
            value *= stack[k]
        return value
    if operation == SUM:
        value = 0.0
        for k in range(first, first + count):
            value += stack[k]
        return value
    if operation == RATIO:
        if stack[first + 1] == 0.0:
            return NAN
        return float(stack[first] / stack[first + 1])
    if operation == ROOT:
        return NAN if stack[first] < 0.0 else math.sqrt(float(stack[first]))
    return middle(stack, first, count)


def middle(stack: Floats, first: int, count: int) -> float:
    """Kernel. The median; NaN where one value is, or there is none. Sorts them where they are."""
    if count == 0:
        return NAN
    for k in range(first, first + count):
        value = stack[k]
        if math.isnan(value):
            return NAN
        at = k
        while at > first and stack[at - 1] > value:
            stack[at] = stack[at - 1]
            at -= 1
        stack[at] = value
    upper = float(stack[first + count // 2])
    if count % 2 == 1:
        return upper
    return float((stack[first + count // 2 - 1] + upper) / 2.0)


KERNELS = (middle, combined, evaluate)
