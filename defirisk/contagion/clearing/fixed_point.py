"""The one fixed-point engine: monotone rounds over all scenarios, each stopping by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from defirisk.contagion.clearing.network import Bools, Counts
from defirisk.core.book import Floats

PATIENCE = 64  # rounds before an exact solve is tried, and between two of them

Step = Callable[[Floats, Bools], Floats]
Leap = Callable[[Floats, int], Floats | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When rounds end. The map is monotone in float64 too (rounding is), so they do settle."""

    tolerance: float = 1e-15  # largest change of a value between 0 and 1
    rounds: int = 20_000

    def __post_init__(self) -> None:
        if not (0 <= self.tolerance < 1 and self.rounds >= 1):
            raise ValueError("a tolerance is between 0 and 1, and there is at least one round")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Settled:
    """Where rounds ended; a scenario without convergence keeps its last iterate."""

    values: Floats  # (N, S)
    rounds: Counts  # (S,)
    converged: Bools  # (S,)
    residual: Floats  # (S,), largest change in the last round


def settle(step: Step, start: Floats, limits: Limits, leap: Leap | None = None) -> Settled:
    """Repeat `step` from `start` (N, S) until nothing moves by more than the tolerance.

    `step(values, which)` maps the columns of the scenarios `which` (S,). A scenario that has
    settled is left alone, so that no other one can change its last bits. `leap(column, scenario)`
    may jump closer where rounds are slow: it gives a column (N,) on the same side of the fixed
    point, or None.
    """
    values = np.array(start, dtype=np.float64)
    scenarios = values.shape[1]
    rounds = np.zeros(scenarios, dtype=np.int64)
    residual = np.full(scenarios, np.inf)
    moving = np.ones(scenarios, dtype=np.bool_)
    for done in range(1, limits.rounds + 1):
        _advance(step, values, moving, residual)
        rounds[moving] = done
        moving &= residual > limits.tolerance
        if not moving.any():
            break
        if leap is not None and done % PATIENCE == 0:
            for scenario in np.flatnonzero(moving):
                landed = leap(values[:, scenario], int(scenario))
                values[:, scenario] = values[:, scenario] if landed is None else landed
    if not np.isfinite(values).all():
        raise FloatingPointError("a clearing gave a value that is not a number")
    return Settled(values=values, rounds=rounds, converged=~moving, residual=residual)


def _advance(step: Step, values: Floats, which: Bools, residual: Floats) -> None:
    """One round of the scenarios `which`, in place."""
    if which.any():
        before = values[:, which]
        after = step(before, which)
        residual[which] = np.abs(after - before).max(axis=0, initial=0.0)
        values[:, which] = after
