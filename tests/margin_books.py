"""Random books with requirements and recovery modes."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from defirisk.core.book import Book
from tests.books import AMOUNTS, book, parts
from tests.demands import Demand, Mode

_LOW = st.sampled_from([-np.inf, -np.inf, 0.0, 0.1, 1.0, 20.0])
_ROOM = st.sampled_from([0.0, 0.5, 30.0, np.inf, np.inf])
"""How far above the low limit the high one is."""


@st.composite
def margin_books(draw: st.DrawFn) -> Book:
    """Random books whose units have requirements in every regime of their limits, and systems."""
    made, units, deployments, placed = draw(parts())
    symbols = st.sampled_from([token.symbol for token in made])
    demands: list[Demand] = []
    modes: list[Mode] = []
    if units:
        for _ in range(draw(st.integers(0, 12))):
            low = draw(_LOW)
            high = max(low, 0.0) + draw(_ROOM)
            ratio = draw(st.sampled_from([0.0, 0.01, 0.1, 0.25, 1.0]))
            who = draw(st.integers(0, len(units) - 1))
            offset = draw(st.sampled_from([0.0, 0.0, 0.2, 5.0]))
            asked = (draw(symbols), draw(AMOUNTS), ratio)
            # A tier that is not reached asks for nothing, and never gives back.
            low = max(low, 0.0) if offset else low
            demands.append(Demand(who, *asked, low, high, offset))
        for d in range(len(deployments)):
            own = [unit for unit, place in enumerate(placed) if place == d]
            wanted: bool = draw(st.booleans())
            if own and wanted:
                members: list[int] = draw(st.lists(st.sampled_from(own), min_size=1, unique=True))
                amounts = draw(st.tuples(AMOUNTS, AMOUNTS))
                modes.append(
                    Mode(
                        units=tuple(members),
                        collateral=(draw(symbols), 10 * amounts[0]),
                        debt=(draw(symbols), 10 * amounts[1]),
                        critical=draw(st.sampled_from([1.0, 1.5, 3.0])),
                        absorbed=draw(st.sampled_from([np.inf, np.inf, 0.0, 3.0, 50.0])),
                    )
                )
    return book(made, units, deployments=deployments, placed=placed, demands=demands, modes=modes)
