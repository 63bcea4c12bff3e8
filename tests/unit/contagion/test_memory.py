"""The memory of a static shock does not grow with the number of scenarios."""

from __future__ import annotations

import tracemalloc
from fractions import Fraction

from defirisk.contagion.screen import screen
from defirisk.core.book import Book
from defirisk.core.scenario import Moves, Scenario
from tests.books import Entry, Token, book


def peak_bytes(made: Book, count: int) -> int:
    """The most that one run needed at a time, beyond its inputs."""
    scenarios = [
        Scenario(name=str(s), shocks=(), moves=Moves(market={0: Fraction(s + 1, count)}))
        for s in range(count)
    ]
    tracemalloc.start()
    outcome = screen(made, scenarios)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert outcome.bad_debt_usd.shape == (1, count)
    return peak


def test_forty_times_the_scenarios_need_no_more_memory() -> None:
    loans: list[list[Entry]] = [
        [("collateral", "WETH", 1.0), ("debt", "USDC", 1000.0 + n)] for n in range(2000)
    ]
    made = book([Token("WETH", 2000.0, threshold=0.8), Token("USDC", 1.0)], loans)
    peak_bytes(made, 64)  # what is imported and cached once

    few, many = peak_bytes(made, 64), peak_bytes(made, 64 * 40)

    # One value for each unit and scenario would be 41 MB; the outputs are 0.2 MB.
    assert many < 1.5 * few
