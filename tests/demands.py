"""Requirements and recovery modes of the builder of books, from plain lists."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from defirisk.core.book import Recovery, Requirements


class Demand(NamedTuple):
    """A requirement of a unit; its limits and its offset are in USD."""

    unit: int
    symbol: str
    amount: float
    ratio: float
    low: float = -np.inf
    high: float = np.inf
    offset: float = 0.0


@dataclass(frozen=True)
class Mode:
    """A recovery mode of these units, which are of one deployment."""

    units: tuple[int, ...]
    collateral: tuple[str, float]
    debt: tuple[str, float]
    critical: float
    absorbed: float = float("inf")


def symbols_needed(demands: Sequence[Demand], modes: Sequence[Mode]) -> Iterator[tuple[int, str]]:
    """Every unit, with each symbol whose price decides on it."""
    for unit, symbol, *_ in demands:
        yield unit, symbol
    for mode in modes:
        for unit in mode.units:
            yield unit, mode.collateral[0]
            yield unit, mode.debt[0]


def requirements(quote: Callable[[int, str], int], demands: Sequence[Demand]) -> Requirements:
    """By unit; `quote` is the quote of a symbol to a unit."""
    of = sorted(demands, key=lambda one: one.unit)
    return Requirements(
        unit=np.array([one.unit for one in of], dtype=np.int64),
        quote=np.array([quote(one.unit, one.symbol) for one in of], dtype=np.int64),
        amount=np.array([one.amount for one in of], dtype=np.float64),
        ratio=np.array([one.ratio for one in of], dtype=np.float64),
        initial_ratio=np.array([2 * one.ratio for one in of], dtype=np.float64),
        low=np.array([one.low for one in of], dtype=np.float64),
        high=np.array([one.high for one in of], dtype=np.float64),
        offset=np.array([one.offset for one in of], dtype=np.float64),
    )


def recovery(quote: Callable[[int, str, str], int], mode: Mode) -> Recovery:
    """A system; `quote` is the quote of a symbol on a side to a unit."""
    return Recovery(
        units=np.array(sorted(mode.units), dtype=np.int64),
        collateral=quote(mode.units[0], "supply", mode.collateral[0]),
        debt=quote(mode.units[0], "debt", mode.debt[0]),
        collateral_amount=mode.collateral[1],
        debt_amount=mode.debt[1],
        critical_ratio=mode.critical,
        absorbed=mode.absorbed,
    )
