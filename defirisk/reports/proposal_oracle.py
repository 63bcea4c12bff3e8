"""The oracle line of a proposal, from the numbers of impact.json."""

from __future__ import annotations

from collections.abc import Iterator

from defirisk.reports.model import Block, Column, Table
from defirisk.reports.proposal_tables import Data
from defirisk.reports.records import rows_of

WHY = {
    "no answer": "what it is read from gives no usable answer",
    "no market price": "nothing says what the market pays",
    "unknown source": "it is not known what makes the answer",
    "unknown mean": "it is a mean of something else than one pool's price",
    "mispriced": "it is off the market, without anybody moving it",
    "pays": "moving it earns more than it costs",
    "reported": "a network reports it, whatever is traded here",
    "written": "it is written into a contract, and every attempt loses",
    "fixed": "no trade moves what it is made of",
    "loses": "moving it costs more than it earns at every size",
    "unused": "nothing can be borrowed with it or against it",
}
"""Causes of `manipulation.exposure`, as what follows a verdict."""


def oracle(data: Data) -> Iterator[Block]:
    """What the prices stand on, and what a lie about them costs and earns."""
    columns = (
        Column("asset", "Token", "address"),
        Column("price_usd", "Price", "price"),
        Column("kind", "Kind", "text"),
        Column("source", "Source", "address"),
        Column("age_seconds", "Age", "seconds"),
        Column("stale", "Stale feeds", "int"),
        Column("collateral_usd", "Collateral on it", "usd"),
        Column("debt_usd", "Debt on it", "usd"),
    )
    records = ({**one, "stale": len(one["stale"])} for one in data["oracle"])
    yield Table(name="oracle", title="", columns=columns, rows=rows_of(records, columns))
    yield _lies(data)


def _lies(data: Data) -> Table:
    columns = (
        Column("asset", "Token", "address"),
        Column("parameters", "Parameters", "text"),
        Column("verdict", "Verdict", "text"),
        Column("why", "Why", "prose"),
        Column("cost_usd", "Cost to move", "usd", absent="not known: no pool is indexed"),
        Column("profit_usd", "Best profit", "usd", absent="not known"),
        Column("flash_profit_usd", "With a flash loan", "usd", absent="not possible"),
    )
    records = [
        {
            **one["lie"][side],
            "asset": one["asset"],
            "parameters": said,
            "why": WHY[one["lie"][side]["cause"]],
        }
        for one in data["oracle"]
        for side, said in (("before", "today"), ("after", "proposed"))
    ]
    return Table(
        name="lies",
        title="What a lie about it costs and earns",
        columns=columns,
        rows=rows_of(records, columns),
        caption="In this market alone. A negative profit is what the best attempt loses; the cost "
        "is that of moving the price, or the market itself where a network reports it.",
    )
