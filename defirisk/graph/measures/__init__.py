"""Measures of the graph: every module here that defines `MEASURES`; nothing else is edited."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Literal

from defirisk.graph.build import Composition


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A number for some nodes of a graph, by their ids.

    `unit` is "usd", "percent" (a fraction of 1), "ratio" or "count". `compute` leaves out what is
    unknown: no value is NaN, and one is infinite only where there is nothing to divide by.
    `is_finding` says of which value a reader must hear, `about` what the number is.
    """

    name: str
    title: str
    unit: Literal["usd", "percent", "ratio", "count"]
    about: str
    compute: Callable[[Composition], dict[str, float]]
    is_finding: Callable[[float], bool] = lambda _: False
    ascending: bool = False  # the lowest first: less is worse


@cache
def measures() -> dict[str, Measure]:
    """Every measure by its name."""
    found: dict[str, Measure] = {}
    for info in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{info.name}")
        for measure in module.MEASURES:
            found[measure.name] = measure
    return found
