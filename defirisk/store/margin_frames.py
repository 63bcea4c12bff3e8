"""Requirements and recovery modes of a book's deployments, on the book's common axes, as floats."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from defirisk.core.book import Recovery, Requirements
from defirisk.core.holdings import Holdings
from defirisk.core.requirement import RecoveryMode, Requirement


def requirements(parts: Sequence[Holdings]) -> Requirements:
    """All requirements, by unit ascending."""
    rows: list[tuple[Requirement, int, int, Fraction]] = []
    unit = quote = 0
    for part in parts:
        rows += [
            (one, one.unit + unit, one.quote + quote, _whole(part, one.quote, one.amount_raw))
            for one in part.requirements
        ]
        unit += len(part.units)
        quote += len(part.quotes)
    rows.sort(key=lambda row: row[1])
    return Requirements(
        unit=np.array([row[1] for row in rows], dtype=np.int64),
        quote=np.array([row[2] for row in rows], dtype=np.int64),
        amount=np.array([float(row[3]) for row in rows]),
        ratio=np.array([float(row[0].ratio) for row in rows]),
        initial_ratio=np.array([float(row[0].initial_ratio) for row in rows]),
        low=np.array([_or(row[0].low, -np.inf) for row in rows]),
        high=np.array([_or(row[0].high, np.inf) for row in rows]),
        offset=np.array([float(row[0].offset) for row in rows]),
    )


def recovery(parts: Sequence[Holdings]) -> tuple[Recovery, ...]:
    """All systems with a recovery mode."""
    found: list[Recovery] = []
    unit = quote = 0
    for part in parts:
        found += [_system(part, one, unit, quote) for one in part.recovery]
        unit += len(part.units)
        quote += len(part.quotes)
    return tuple(found)


def _system(part: Holdings, one: RecoveryMode, unit: int, quote: int) -> Recovery:
    absorbed = None if one.absorbed_raw is None else _whole(part, one.debt, one.absorbed_raw)
    return Recovery(
        units=np.array(sorted(one.units), dtype=np.int64) + unit,
        collateral=one.collateral + quote,
        debt=one.debt + quote,
        collateral_amount=float(_whole(part, one.collateral, one.collateral_raw)),
        debt_amount=float(_whole(part, one.debt, one.debt_raw)),
        critical_ratio=float(one.critical_ratio),
        absorbed=_or(absorbed, np.inf),
    )


def _whole(part: Holdings, quote: int, amount_raw: int) -> Fraction:
    return Fraction(amount_raw, 10 ** part.quotes[quote].decimals)


def _or(value: Fraction | None, otherwise: float) -> float:
    return otherwise if value is None else float(value)
