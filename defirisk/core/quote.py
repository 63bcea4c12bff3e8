"""A quote is an asset as one market sees it: a small program over feeds and rates.

Shocks act on the leaves (a feed lies, an index grows), so frozen, capped or hard-coded oracles can
be said, and everything that moves all units of a market at once is a quote, never an edit of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Feed:
    """What a price source answers, in units of account per whole token; None: no usable answer."""

    address: str
    value: Fraction | None


@dataclass(frozen=True, slots=True)
class Rate:
    """A multiplier of the protocol's own books: a borrow index, an exchange rate."""

    name: str
    value: Fraction


@dataclass(frozen=True, slots=True)
class Constant:
    """A hard-coded price."""

    value: Fraction


@dataclass(frozen=True, slots=True)
class Product:
    """The product of all parts."""

    parts: tuple[Program, ...]


Leaf = Feed | Rate | Constant
Program = Leaf | Product


def leaves(program: Program) -> Iterator[Leaf]:
    """Every leaf, from left to right."""
    if isinstance(program, Product):
        for part in program.parts:
            yield from leaves(part)
    else:
        yield program


def evaluate(program: Program, read: Callable[[Leaf], Floats]) -> Floats:
    """The program's value over scenarios, shape (S,); `read` gives a leaf's values likewise."""
    if isinstance(program, Product):
        values = [evaluate(part, read) for part in program.parts]
        return np.asarray(np.prod(values, axis=0), dtype=np.float64)
    return read(program)


def rate_value(program: Program) -> Fraction:
    """The product of the program's rates: whole tokens of the asset per unit of the amount."""
    value = Fraction(1)
    for leaf in leaves(program):
        if isinstance(leaf, Rate):
            value *= leaf.value
    return value
