"""Systemic rank: what others lose where a node fails, beyond what is lost already.

Unit: USD. NaN policy: a loss that the engine cannot know is NaN and ranks first: what is unknown is
not small. Source: the marginal loss of a node's failure, as in rankings by DebtRank (Battiston et
al., Scientific Reports 2:541, 2012); with any engine of losses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from defirisk.contagion.failure.aftermath import aftermaths, can_be_played
from defirisk.contagion.failure.losses import lost_usd
from defirisk.contagion.failure.settle import fail
from defirisk.contagion.valuation import UNMOVED
from defirisk.core.book import Book, Floats, Ints
from defirisk.core.scenario import Scenario

Engine = Callable[[Book, Sequence[Scenario]], Floats]
"""What all lose in each scenario, shape (S,), in USD."""


def settled_at_once(book: Book, scenarios: Sequence[Scenario]) -> Floats:
    """The static engine: nothing is sold, everything is settled (`contagion.failure`)."""
    return lost_usd(book, fail(book, scenarios))


def played_through(book: Book, scenarios: Sequence[Scenario]) -> Floats:
    """The cascade, and a settlement of what it leaves; what is counted, and why once, is in
    `contagion.failure.aftermath`. The same as `settled_at_once` where nothing can be liquidated.
    """
    if not can_be_played(book):
        return settled_at_once(book, scenarios)
    return np.array([one.lost_usd for one in aftermaths(book, scenarios)], dtype=np.float64)


def marginal_losses(
    book: Book, failures: Sequence[Scenario], engine: Engine = played_through
) -> Floats:
    """What each failure costs beyond what is lost without it, shape (S,), NaN where unknown.

    All run in one call of the engine, so that it may batch them.
    """
    return marginal(engine(book, [*failures, UNMOVED]))


def marginal(lost: Floats) -> Floats:
    """Losses (S + 1,) beyond the last of them, which is that of no failure."""
    return np.asarray(lost[:-1] - lost[-1], dtype=np.float64)


def ranked(losses: Floats) -> Ints:
    """The places of the largest losses first, unknown ones before all; stable."""
    return np.argsort(-np.nan_to_num(losses, nan=np.inf), kind="stable")
