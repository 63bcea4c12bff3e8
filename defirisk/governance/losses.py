"""What scenarios cost under a book's parameters: the one place where the engine is chosen."""

from __future__ import annotations

from collections.abc import Sequence

from defirisk.contagion.screen import screen
from defirisk.core.book import Book
from defirisk.core.outcome import Outcome
from defirisk.core.scenario import Scenario

ENGINE = "static"
SAYS = (
    "Static: prices are as shocked, no liquidation is played through, and nobody reacts. So the "
    "parameters of one market change nothing in the others, and a bonus changes no bad debt."
)


def losses(book: Book, scenarios: Sequence[Scenario]) -> Outcome:
    """Who can be liquidated in each scenario, and what their collateral does not cover."""
    return screen(book, scenarios)
