"""Random scenarios of a book, made by the shocks themselves."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import strategies as st

from defirisk.core.book import Book
from defirisk.core.scenario import Moves, Scenario, combine
from defirisk.shocks.target import market_moves, price_moves

_FACTORS = st.one_of(
    st.sampled_from([Fraction(0), Fraction(1, 2), Fraction(1)]), st.fractions(0, 2)
)


@st.composite
def scenarios(draw: st.DrawFn, book: Book) -> Scenario:
    """Up to three shocks at once."""
    moves: list[Moves] = []
    for _ in range(draw(st.integers(0, 3))):
        asset = draw(st.integers(0, len(book.assets) - 1))
        kind = draw(st.sampled_from([price_moves, market_moves]))
        moves.append(kind(book, asset, draw(_FACTORS)))
    return Scenario(name="drawn", shocks=(), moves=combine(moves))
