"""A quote is an asset as one market sees it: a small program over feeds, pools and rates.

Shocks act on the leaves (a feed lies, a pool trades elsewhere, a vault loses), so frozen, capped,
averaged or hard-coded oracles can be said, and everything that moves all units of a market at once
is a quote, never an edit of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from math import floor, isqrt, prod

from defirisk.core.evm import Address

ROOT_SCALE = 10**40
"""Square roots are taken to this many parts: far beyond float64."""


@dataclass(frozen=True, slots=True)
class Feed:
    """What a price source answers, in units of account per whole token; None: no usable answer."""

    address: str
    value: Fraction | None


@dataclass(frozen=True, slots=True)
class Spot:
    """What a pool says now: whole `quote` tokens per whole `base` token, its fee left out."""

    venue: Address
    base: Address
    quote: Address
    value: Fraction | None


@dataclass(frozen=True, slots=True)
class Conversion:
    """What one whole token of a wrapper converts to in what it wraps: a vault's share price."""

    token: Address
    value: Fraction | None


@dataclass(frozen=True, slots=True)
class Market:
    """The market price of another asset in USD. Only in what assets are worth, not in quotes."""

    asset: Address
    value: Fraction | None


@dataclass(frozen=True, slots=True)
class Rate:
    """A multiplier of the market's own books: a borrow index, a share's worth."""

    name: str
    value: Fraction


@dataclass(frozen=True, slots=True)
class Constant:
    """A hard-coded price, or a number that nothing moves."""

    value: Fraction


@dataclass(frozen=True, slots=True)
class Product:
    """The product of all parts."""

    parts: tuple[Program, ...]


@dataclass(frozen=True, slots=True)
class Sum:
    """The sum of all parts."""

    parts: tuple[Program, ...]


@dataclass(frozen=True, slots=True)
class Ratio:
    """`top` over `bottom`; unknown where `bottom` is 0."""

    top: Program
    bottom: Program


@dataclass(frozen=True, slots=True)
class Median:
    """The middle one of the parts; the mean of the two in the middle where their number is even."""

    parts: tuple[Program, ...]


@dataclass(frozen=True, slots=True)
class Clamp:
    """`part`, but not below `low` and not above `high`; None: no limit on that side. `rise`: by how
    much `high` rises each second from now on.
    """

    part: Program
    low: Fraction | None
    high: Fraction | None
    rise: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True)
class Root:
    """The square root of `part`."""

    part: Program


@dataclass(frozen=True, slots=True)
class Cut:
    """`part`, rounded down to so many decimals: the answer of a contract is a whole number."""

    part: Program
    decimals: int


@dataclass(frozen=True, slots=True)
class Twap:
    """The mean of `part` over a window; `value` is today's. A move lasts for the whole window."""

    part: Program
    window_seconds: int
    value: Fraction | None


Leaf = Feed | Spot | Conversion | Market | Rate | Constant
Program = Leaf | Product | Sum | Ratio | Median | Clamp | Root | Cut | Twap
Factor = Callable[[Leaf], Fraction]
"""By how much a leaf moves; 1 where it stays."""


def parts(program: Program) -> tuple[Program, ...]:
    """What a program is directly made of; nothing for a leaf."""
    match program:
        case Product(inner) | Sum(inner) | Median(inner):
            return inner
        case Ratio(top, bottom):
            return (top, bottom)
        case Clamp(part=part) | Root(part) | Cut(part=part) | Twap(part=part):
            return (part,)
        case _:
            return ()


def rebuilt(program: Program, leaf: Callable[[Leaf], Leaf]) -> Program:
    """The program with every leaf put through `leaf`."""
    match program:
        case Product(inner) | Sum(inner) | Median(inner):
            return type(program)(tuple(rebuilt(part, leaf) for part in inner))
        case Ratio(top, bottom):
            return Ratio(rebuilt(top, leaf), rebuilt(bottom, leaf))
        case Clamp(part=part) | Root(part) | Cut(part=part) | Twap(part=part):
            return replace(program, part=rebuilt(part, leaf))
        case _:
            return leaf(program)


def leaves(program: Program) -> Iterator[Leaf]:
    """Every leaf, from left to right."""
    inner = parts(program)
    if not inner and isinstance(program, Leaf):
        yield program
    for part in inner:
        yield from leaves(part)


def exact(program: Program, factor: Factor | None = None) -> Fraction | None:
    """The program's value with every leaf moved by its factor; None where it is unknown.

    Exact but for square roots, which are cut at 1e-40.
    """
    if isinstance(program, Leaf):
        value = program.value
        return value if factor is None or value is None else value * factor(program)
    if isinstance(program, Twap):
        moved = factor is not None and any(factor(leaf) != 1 for leaf in leaves(program.part))
        return exact(program.part, factor) if moved else program.value
    values = []
    for part in parts(program):
        value = exact(part, factor)
        if value is None:
            return None
        values.append(value)
    return _combined_exactly(program, values)


def _combined_exactly(program: Program, values: list[Fraction]) -> Fraction | None:
    match program:
        case Product():
            product = Fraction(1)
            for value in values:
                product *= value
            return product
        case Sum():
            return sum(values, Fraction(0))
        case Ratio():
            return values[0] / values[1] if values[1] else None
        case Median():
            middle = sorted(values)[(len(values) - 1) // 2 : len(values) // 2 + 1]
            return sum(middle, Fraction(0)) / len(middle)
        case Clamp(low=low, high=high):
            value = values[0] if high is None else min(values[0], high)
            return value if low is None else max(value, low)
        case Cut(decimals=decimals):
            return Fraction(floor(values[0] * 10**decimals), 10**decimals)
        case _:
            return root(values[0])


def moved(program: Program, factor: Factor) -> Fraction:
    """By how much the program's value moves where its leaves do; 1 where it is unknown or 0."""
    if isinstance(program, Leaf):
        return factor(program)
    if isinstance(program, Product):
        # Nearly every quote is one; nothing needs to be valued for it.
        moving = [one for part in program.parts if (one := moved(part, factor)) != 1]
        # Multiplying by 1 is not free: fractions are reduced anew.
        return moving[0] if len(moving) == 1 else prod(moving, start=Fraction(1))
    if all(factor(leaf) == 1 for leaf in leaves(program)):
        return Fraction(1)
    before, after = exact(program), exact(program, factor)
    return Fraction(1) if not before or after is None else after / before


def root(value: Fraction) -> Fraction | None:
    """The square root, cut at 1e-40; None of what is negative."""
    if value < 0:
        return None
    scaled = value.numerator * ROOT_SCALE**2 // value.denominator
    return Fraction(isqrt(scaled), ROOT_SCALE)


def anchored(program: Program, value: Fraction) -> Program:
    """`program`, made to say `value` today: the contract's own answer, its rounding included.

    Where the program is unknown or 0, so is any factor that would mend it: it is left as it is.
    """
    said = exact(program)
    if said is None or said in (0, value):
        return program
    return Product((Constant(value / said), program))


def rate_value(program: Program) -> Fraction:
    """The product of the quote's own rates: whole tokens of the asset per unit of the amount."""
    value = program.value if isinstance(program, Rate) else Fraction(1)
    if isinstance(program, Product):
        for part in program.parts:
            value *= rate_value(part)
    return value
