"""What several of the contagion pages show: the rank, names, and what is assumed."""

from __future__ import annotations

import math
from typing import Any

from defirisk.graph.failure.subjects import Subject
from defirisk.reports import escape
from defirisk.reports.contagion.studied import Studied
from defirisk.reports.model import Column, Paragraph, Table, Value
from defirisk.reports.sources import page_of
from defirisk.reports.value import plural

SHOWN = 30
AT_ONCE = (
    "What fails is worth nothing, with all that is a claim on it. Everything is settled at once at "
    "market prices: borrowers pay as far as their collateral is worth it, whatever oracles say; "
    "markets share what is missing pro rata among lenders, vaults among their shares, and a share "
    "that is worth less is collateral that is worth less in the same settlement. Nothing is sold "
    "into pools, no reserve or insurance is drawn on. Losses are of what somebody owes and does "
    "not pay; what holders lose by a price alone is not counted."
)
PLAYED = (
    "What others lose, and the rank by it: before that settlement liquidations are played through, "
    "round by round, as by defirisk stress --cascade in its base case, and what is seized is sold "
    "in the indexed pools. Feeds that report what failed follow it. Debts written off on the way "
    "and what is not covered at the prices of the end are counted once, at the prices as the "
    "failure begins, and beyond what the same reckoning gives without a failure. Who is exposed, "
    "runs and the way of the loss are those of the settlement at once."
)
NOT_PLAYED = (
    "Of no position in this book is it known how it is liquidated, so no liquidation is played "
    "through: what others lose is what the settlement at once finds."
)


def assumptions(its: Studied) -> tuple[Paragraph, ...]:
    """What the numbers assume."""
    return (Paragraph(AT_ONCE), Paragraph(PLAYED if its.played else NOT_PLAYED))


def told(its: Studied, subject: Subject) -> str:
    """What is said to fail, harmless in a sentence."""
    nodes = its.made.graph.nodes
    return escape.clean(next((one.label for one in nodes if one.id == subject.node), subject.name))


def rank(its: Studied, *, pages: bool = False, around: int | None = None) -> Table:
    """Everything that can fail, the worst first; `around` a rank, only the neighbours of it."""
    rows: list[tuple[Value, ...]] = []
    order = list(enumerate(its.order, start=1))
    if around is not None:
        order = [one for one in order if one[0] <= 3 or abs(one[0] - around) <= 2]
    for number, i in order[: None if pages else SHOWN]:
        subject = its.subjects[i]
        vaults = its.vaults[i]
        exposed = sum(one.exposed_usd for one in vaults)
        lost = (its.losses[i], its.at_once[i])
        row = (number, told(its, subject), subject.kind, *lost, len(vaults), exposed)
        rows.append((page_of("contagion", subject.node), *row) if pages else row)
    more = len(order) - len(rows)
    return Table(
        name="rank",
        title="Who matters most",
        columns=(
            *([Column("page", "Page", "text")] if pages else []),
            Column("rank", "Rank", "int"),
            Column("node", "If this fails", "prose"),
            Column("kind", "Kind", "text", detail=True),
            Column("lost_usd", "Others lose", "usd", "loss"),
            Column("at_once_usd", "If nothing were sold", "usd", detail=True),
            Column("vaults", "Vaults exposed", "int", detail=True),
            Column("exposed_usd", "Exposed in vaults", "usd"),
        ),
        rows=tuple(rows),
        caption=f"{plural(more, 'other')} in the JSON." if more > 0 and around is None else "",
        empty="nothing can fail",
    )


def rank_data(its: Studied) -> list[dict[str, Any]]:
    """All of the rank; what is unknown is null."""
    return [
        {
            "rank": number,
            "node": its.subjects[i].node,
            "kind": its.subjects[i].kind,
            "label": told(its, its.subjects[i]),
            "lost_usd": known(its.losses[i]),
            "lost_at_once_usd": known(its.at_once[i]),
        }
        for number, i in enumerate(its.order, start=1)
    ]


def known(value: float) -> float | None:
    """The number, or nothing where it is unknown."""
    return None if math.isnan(value) else value
