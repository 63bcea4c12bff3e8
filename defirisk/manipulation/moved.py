"""What an oracle's price becomes where pools are pushed and vaults are given something."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from defirisk.core.evm import Address
from defirisk.core.quote import (
    Clamp,
    Constant,
    Conversion,
    Cut,
    Feed,
    Median,
    Product,
    Program,
    Ratio,
    Root,
    Spot,
    Sum,
    Twap,
    exact,
    leaves,
    parts,
    root,
)
from defirisk.manipulation.means import mean_after
from defirisk.manipulation.push import Push
from defirisk.swaps.constant_product import ConstantProduct

UNKNOWN = Feed("", None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Pools by address, and vault rates by token, as an attacker has put them.

    `held_seconds` is for how long, by the time that the price is read: what counts in means.
    """

    pushes: Mapping[Address, Push] = field(default_factory=dict)
    gifts: Mapping[Address, Fraction] = field(default_factory=dict)
    held_seconds: int = 0

    def value(self, program: Program, asset: Address) -> Fraction | None:
        """What the oracle of `asset` says now; None where that cannot be known."""
        return exact(self._restated(program, self._grown(program, asset)))

    def _restated(self, program: Program, grown: Fraction) -> Program:
        """`grown` is by how much square roots are larger: those of the product of reserves."""
        match program:
            case Twap():
                return self._mean(program)
            case Spot(venue=venue) if venue in self.pushes and program.value is not None:
                return replace(program, value=program.value * self.pushes[venue].factor(program))
            case Conversion(token=token) if token in self.gifts and program.value is not None:
                return replace(program, value=program.value * self.gifts[token])
            case Product(inner) | Sum(inner) | Median(inner):
                return type(program)(tuple(self._restated(one, grown) for one in inner))
            case Ratio(top, bottom):
                return Ratio(self._restated(top, grown), self._restated(bottom, grown))
            case Root(part):
                return Product((Constant(grown), Root(self._restated(part, grown))))
            case Clamp(part=part) | Cut(part=part):
                return replace(program, part=self._restated(part, grown))
        return program

    def _mean(self, twap: Twap) -> Program:
        reads = {leaf.venue for leaf in leaves(twap) if isinstance(leaf, Spot)}
        given = {leaf.token for leaf in leaves(twap) if isinstance(leaf, Conversion)}
        if not reads & set(self.pushes) and not given & set(self.gifts):
            return UNKNOWN if twap.value is None else Constant(twap.value)
        mean = None
        if isinstance(twap.part, Spot):
            mean = mean_after(twap, self.pushes[twap.part.venue], self.held_seconds)
        return UNKNOWN if mean is None else Constant(mean)

    def _grown(self, program: Program, asset: Address) -> Fraction:
        """What fees add to a share of the very pool: the program holds on to its product."""
        pushed = self.pushes.get(asset)
        if pushed is None or not any(_reads(leaf, asset) for leaf in leaves(program)):
            return Fraction(1)
        before, after = pushed.venue.pool, pushed.after
        if not isinstance(before, ConstantProduct) or not isinstance(after, ConstantProduct):
            return Fraction(1)
        (first, second), (third, fourth) = before.reserves, after.reserves
        return root(Fraction(third * fourth, first * second)) or Fraction(1)


def _reads(leaf: Program, venue: Address) -> bool:
    return isinstance(leaf, Spot) and leaf.venue == venue


@dataclass(frozen=True, slots=True)
class Movable:
    """What an attacker can move of a price: pools that it reads, and vaults."""

    venues: tuple[Address, ...]
    vaults: tuple[Address, ...]
    window_seconds: int
    """Of the longest mean over any of the pools; 0 where all are read as they are now."""


def movable(programs: Iterable[Program]) -> Movable:
    """Of these prices together."""
    every = list(programs)
    found = [leaf for program in every for leaf in leaves(program)]
    windows = [window for program in every for window in _windows(program)]
    return Movable(
        venues=tuple(dict.fromkeys(leaf.venue for leaf in found if isinstance(leaf, Spot))),
        vaults=tuple(dict.fromkeys(leaf.token for leaf in found if isinstance(leaf, Conversion))),
        window_seconds=max(windows, default=0),
    )


def _windows(program: Program) -> list[int]:
    own = [program.window_seconds] if isinstance(program, Twap) else []
    return own + [window for part in parts(program) for window in _windows(part)]
