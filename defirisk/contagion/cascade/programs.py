"""Quote programs made into byte code over one array of leaves.

A mean over time is a leaf whose value the means' own rule moves; its part is a program.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from defirisk.contagion.cascade.byte_code import (
    AT_LEAST,
    AT_MOST,
    CUT,
    LEAF,
    MEDIAN,
    NAN,
    PRODUCT,
    RATIO,
    ROOT,
    SUM,
    Code,
)
from defirisk.core.book import Floats
from defirisk.core.evm import Address
from defirisk.core.quote import (
    Clamp,
    Conversion,
    Cut,
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


class Blocks(NamedTuple):
    """Where in the array of leaves each kind begins; behind the last one, its length.

    Markets are all assets in their order. Shares are by how much fees have raised what a share of a
    pool stands for. Constants are at the end, NaN where unknown.
    """

    feeds: int
    spots: int
    conversions: int
    markets: int
    means: int
    shares: int
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
    shares: tuple[int, ...]
    """The pools."""
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
    shares: dict[int, int] = field(default_factory=dict)
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
            len(self.shares),
            len(self.constants),
        ):
            ends.append(ends[-1] + size)
        return Blocks(*ends)


_Instruction = tuple[int, str, int]
"""Operation, and the argument as a place in a block; of an empty block, a plain number."""


def compiled(
    programs: Sequence[Program], assets: Sequence[Address], pools: Sequence[int] = ()
) -> Compiled:
    """Byte code of programs whose `Market` leaves are of these assets (others are constants).

    `pools`: of which pool each program prices a share, -1 for none; none of them where it is empty.
    All square roots in such a program are of the product of the pool's reserves, which fees raise.
    """
    found = _Found({asset: a for a, asset in enumerate(assets)})
    written: list[list[_Instruction]] = []
    inside: list[list[_Instruction]] = []
    for program, pool in zip(programs, pools or [-1] * len(programs), strict=True):
        written.append([])
        _write(program, found, written[-1], inside, pool)
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
        shares=tuple(found.shares),
        constants=found.values(),
        rising=found.rising,
        depth=max(map(_depth, every), default=0),
    )


def _write(
    program: Program,
    found: _Found,
    out: list[_Instruction],
    inside: list[list[_Instruction]],
    pool: int,
) -> None:
    """Appends the program to `out`, and the parts of its means to `inside`."""
    if isinstance(program, Leaf):
        out.append((LEAF, *found.place(program)))
        return
    if isinstance(program, Twap):
        if program not in found.means:
            part: list[_Instruction] = []
            _write(program.part, found, part, inside, -1)
            found.means[program] = len(inside)
            inside.append(part)
        out.append((LEAF, "means", found.means[program]))
        return
    inner = parts(program)
    for one in inner:
        _write(one, found, out, inside, pool)
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
        case Cut(decimals=decimals):
            out.append((CUT, *found.constant(float(10**decimals))))
        case Root():
            out.append((ROOT, "", 1))
            if pool >= 0:
                out.append((LEAF, "shares", found.shares.setdefault(pool, len(found.shares))))
                out.append((PRODUCT, "", 2))


def _depth(instructions: Sequence[_Instruction]) -> int:
    most, now = 0, 0
    for operation, _, count in instructions:
        if operation == LEAF:
            now += 1
        elif operation in (PRODUCT, SUM, RATIO, MEDIAN):
            now += 1 - count
        most = max(most, now)
    return most
