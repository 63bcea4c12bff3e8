"""Vaults in the cascade: a share is worth what the markets that a vault lent to left it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from defirisk.contagion.cascade.pockets import SUPPLY_GROWTH
from defirisk.core.backing import backing
from defirisk.core.book import Book, Floats, Ints
from defirisk.core.quote import Conversion


class Vaults(NamedTuple):
    """Which part of each of C conversions is lent through which pocket, row by row."""

    first: Ints  # (C + 1,)
    pocket: Ints  # (P,)
    part: Floats  # (P,)


def vault_table(book: Book, conversions: Sequence[Conversion]) -> Vaults:
    """The vaults of a book, by `core.backing`; what lies elsewhere neither earns nor loses."""
    parts = backing(book)
    by_market = {one.market: k for k, one in enumerate(book.liquidation.pockets)}
    first, pocket, part = [0], [], []
    for conversion in conversions:
        for market, share in parts.get(conversion.token, {}).items():
            if market in by_market:
                pocket.append(by_market[market])
                part.append(float(share))
        first.append(len(pocket))
    return Vaults(
        first=np.array(first, dtype=np.int64),
        pocket=np.array(pocket, dtype=np.int64),
        part=np.array(part, dtype=np.float64),
    )


def move_conversions(vaults: Vaults, pockets: Floats, out: Floats) -> None:
    """Kernel. By how much each conversion moved with its pockets since the start: `out` (C,)."""
    for c in range(len(out)):
        moved = 1.0
        for p in range(vaults.first[c], vaults.first[c + 1]):
            moved += vaults.part[p] * (pockets[vaults.pocket[p], SUPPLY_GROWTH] - 1.0)
        out[c] = moved


KERNELS = (move_conversions,)
