"""What can be liquidated, as flat arrays that the kernels of a cascade run on."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from defirisk.contagion.cascade.pockets import growth_of_quote, pocket_of_quote
from defirisk.core.book import Book, Floats, Ints
from defirisk.core.holdings import Side
from defirisk.core.liquidation import Rule

EXACT = 2.0**53
"""Integers below it are exact in float64."""

ROUNDED = 1e-15
"""Amounts that are off an integer by less, relatively, are that integer: floats round."""

MECHANISM, CLOSE, BAD_DEBT, FULL_HEALTH, FULL_BELOW, LEFTOVER, ALL_DEBTS = range(7)
COLLATERAL_ROUNDING, DEBT_ROUNDING, IN_SHARES, VALUE_GRAIN = 7, 8, 9, 10
RULE_WIDTH = 11
"""Columns of a rule, as in `core.liquidation.Rule`."""

WORTH, THRESHOLD = range(2)
TARIFF = 2
"""Columns of `State.tariff`."""

DEBT = int(Side.DEBT)
NO_THRESHOLD = -1.0


Narrow = npt.NDArray[np.int32]
Tiny = npt.NDArray[np.int8]
"""What is read of every row in every round is kept narrow: most of the time goes into fetching it.
"""


class Units(NamedTuple):
    """Units that somebody may liquidate, and their debts and pledged collateral, row by row.

    N counts these units only, H their rows, R rules, G kinds of rows: those of a kind agree in all
    but the amount. `place` is where a unit is in the book. A quote's `scale` is base units to the
    whole token, `rate` base units of the asset for one of the quote's, today; `pocket` is -1 where
    nothing accrues. What is read of one unit, or of one row, lies side by side in memory.
    """

    place: Ints  # (N,)
    deployment: Narrow  # (N,)
    rule: Narrow  # (N,)
    first: Narrow  # (N + 1,)
    side: Tiny  # (H,)
    quote: Narrow  # (H,)
    kind: Narrow  # (H,)
    quote_of_kind: Narrow  # (G,)
    threshold: Floats  # (G,), `NO_THRESHOLD` of debts
    bonus: Floats  # (G,)
    rules: Floats  # (R, RULE_WIDTH)
    asset: Ints  # (Q,)
    scale: Floats  # (Q,)
    rate: Floats  # (Q,)
    pocket: Ints  # (Q,)
    growth: Ints  # (Q,), column of the pocket


_OF_UNIT = np.dtype([("first", "i4"), ("rule", "i4"), ("deployment", "i4"), ("", "i4")])
_OF_ROW = np.dtype([("quote", "i4"), ("kind", "i4"), ("side", "i1")], align=True)


def _kinds(quote: Ints, side: Tiny, sets: Ints) -> tuple[Ints, Ints]:
    """A row of every kind, and the kind of every row."""
    packed = (quote * (int(sets.max(initial=0)) + 2) + sets + 1) * len(Side) + side
    _, rows, kind = np.unique(packed, return_index=True, return_inverse=True)
    return rows, kind


def unit_table(book: Book) -> tuple[Units, Floats]:
    """The units that owe something at known prices and whose protocol says how it liquidates, and
    their amounts (H,) in base units of the quote.
    """
    playable = ~book.unpriced & (unit_rules(book) >= 0)
    owing = book.holding_unit[(book.holding_side == DEBT) & (book.holding_amount > 0)]
    playable &= np.bincount(owing, minlength=len(book.units)) > 0
    counted = (book.holding_side != int(Side.SUPPLY)) & (book.holding_amount > 0)
    rows = np.flatnonzero(counted & playable[book.holding_unit])
    place = np.flatnonzero(playable)
    scale = quote_scales(book)
    quote, sets = book.holding_quote[rows], book.holding_parameters[rows]
    each = np.zeros(len(place) + 1, dtype=_OF_UNIT)
    each["first"] = np.append(np.searchsorted(book.holding_unit[rows], place), len(rows))
    each["rule"][:-1] = unit_rules(book)[place]
    each["deployment"][:-1] = book.unit_deployment[place]
    side = book.holding_side[rows]
    kinds, kind = _kinds(quote, side, sets)
    row = np.zeros(len(rows), dtype=_OF_ROW)
    row["side"], row["quote"], row["kind"] = side, quote, kind
    is_debt = side[kinds] == DEBT
    units = Units(
        place=place,
        deployment=each["deployment"][:-1],
        rule=each["rule"][:-1],
        first=each["first"],
        side=row["side"],
        quote=row["quote"],
        kind=row["kind"],
        quote_of_kind=quote[kinds].astype(np.int32),
        threshold=np.where(is_debt, NO_THRESHOLD, book.liquidation_threshold[sets[kinds]]),
        bonus=1 + book.liquidation_bonus[sets[kinds]],
        rules=_rules(book.liquidation.rules),
        asset=book.quote_asset,
        scale=scale,
        rate=book.quote_rate,
        pocket=pocket_of_quote(book),
        growth=growth_of_quote(book),
    )
    return units, whole(book.holding_amount[rows] * scale[quote])


def unit_rules(book: Book) -> Ints:
    """The place of each unit's rule, shape (N of the book,); -1 where there is none."""
    rules = book.liquidation.unit_rule
    return np.array(rules if rules else [-1] * len(book.units), dtype=np.int64)


def quote_scales(book: Book) -> Floats:
    """10 to the decimals of each quote's asset, shape (Q,)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        places: Floats = np.rint(-np.log10(book.quote_grain * book.quote_rate))
    return np.array([float(10 ** int(p)) if np.isfinite(p) else 1.0 for p in places])


def whole(amounts: Floats) -> Floats:
    """Amounts of base units, as integers where they are some and float64 can say them."""
    near = np.rint(amounts)
    whole = (amounts < EXACT) & (np.abs(amounts - near) <= np.maximum(ROUNDED * near, ROUNDED))
    return np.where(whole, near, amounts)


def _rules(rules: tuple[Rule, ...]) -> Floats:
    return np.array(
        [
            [
                float(one.mechanism),
                float(one.close_factor),
                float(one.bad_debt),
                float(one.full_close_health),
                float(one.full_close_below),
                float(one.leftover),
                float(one.of_all_debts),
                float(one.collateral_rounding),
                float(one.debt_rounding),
                float(one.in_shares),
                float(one.value_grain),
            ]
            for one in rules
        ],
        dtype=np.float64,
    ).reshape(-1, RULE_WIDTH)


def asset_scales(book: Book, units: Units) -> Floats:
    """10 to the decimals of each asset, shape (A,); 1 of what no market quotes."""
    scales = np.ones(len(book.assets))
    scales[units.asset] = units.scale
    for place, asset in enumerate(book.assets):
        token = book.sources.tokens.get(asset.address)
        if token is not None:
            scales[place] = float(10**token.decimals)
    return scales


def of_pockets(book: Book, units: Units, name: str) -> Floats:
    pockets = book.liquidation.pockets
    values = [float(getattr(pockets[k], name)) if k >= 0 else 0.0 for k in units.pocket]
    return np.array(values, dtype=np.float64)


def used(units: Units, *, debt: bool) -> Ints:
    used = np.zeros(len(units.asset), dtype=np.int64)
    used[units.quote[(units.side == DEBT) == debt]] = 1
    return used


def tariff(units: Units) -> Floats:
    """Room for what a base unit of every kind of row is worth, and its threshold, (G, TARIFF)."""
    table = np.zeros((len(units.threshold), TARIFF))
    table[:, THRESHOLD] = units.threshold
    return table
