"""Systemic rank: what others lose where a node fails, beyond what is lost already.

Unit: USD. NaN policy: a loss that the engine cannot know is NaN and ranks first: what is unknown is
not small. Source: the marginal loss of a node's failure, as in rankings by DebtRank (Battiston et
al., Scientific Reports 2:541, 2012); with any engine of losses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

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


def marginal_losses(
    book: Book, failures: Sequence[Scenario], engine: Engine = settled_at_once
) -> Floats:
    """What each failure costs beyond what is lost without it, shape (S,), NaN where unknown.

    All run in one call of the engine, so that it may batch them.
    """
    lost = engine(book, [*failures, UNMOVED])
    return np.asarray(lost[:-1] - lost[-1], dtype=np.float64)


def ranked(losses: Floats) -> Ints:
    """The places of the largest losses first, unknown ones before all; stable."""
    return np.argsort(-np.nan_to_num(losses, nan=np.inf), kind="stable")
