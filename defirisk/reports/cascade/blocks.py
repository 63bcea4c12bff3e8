"""Tables and charts of a cascade."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from defirisk.reports.cascade.cases import NAMES, Cases, assumptions
from defirisk.reports.model import (
    Axis,
    Block,
    Chart,
    Column,
    Kind,
    Number,
    Numbers,
    Paragraph,
    Series,
    Table,
    Value,
)
from defirisk.reports.stress import DETAILED_SCENARIOS, NAME, cells, table
from defirisk.reports.value import show

CHARTED = 6
"""Assets in the chart: those that moved most."""
VISIBLE = 1e-4
"""Smaller moves of a price, as a fraction, are no line in a chart: JSON has them."""
FAR = 9.0
"""From ten times the price on, a chart needs a logarithmic axis."""
_MEASURES: tuple[tuple[str, str, Kind], ...] = (
    ("liquidatable_accounts", "Accounts that could be liquidated", "int"),
    ("liquidated_debt_usd", "Debt repaid by keepers", "usd"),
    ("liquidated_collateral_usd", "Collateral liquidated", "usd"),
    ("bad_debt_usd", "Bad debt", "usd"),
    ("rounds", "Rounds", "int"),
)
_PAYERS = (
    ("borrowers_penalty_usd", "Borrowers: penalty beyond what was repaid for them"),
    ("protocols_fees_usd", "Protocols: their fee, out of the penalty"),
    ("keepers_profit_usd", "Keepers: profit, or loss, after slippage and gas"),
    ("gas_usd", "Gas"),
    ("pools_slippage_usd", "Pools: slippage and fees of the sales"),
    ("lenders_written_off_usd", "Lenders: written off"),
    ("uncovered_usd", "Nobody yet: owed beyond the collateral that is left"),
)
_SETTINGS: tuple[tuple[str, str, Kind], ...] = (
    ("round_seconds", "Seconds between rounds", "int"),
    ("gas_usd", "Gas for one liquidation", "usd"),
    ("keeper_capacity_usd", "Keepers repay at most, a round", "usd"),
    ("recovery", "Pools come back each round by", "percent"),
    ("slices", "Parts that a sale is cut into", "int"),
    ("unknown_depth", "What no indexed pool trades is sold elsewhere", "text"),
    ("feed_deviation", "Feeds post when they are off by", "percent"),
    ("max_rounds", "Rounds at most", "int"),
)
_CASE_COLUMNS = tuple(Column(name, name.capitalize(), "text") for name in NAMES)
_USD = (
    Column("liquidated_debt_usd", "Debt repaid", "usd"),
    Column("liquidated_collateral_usd", "Collateral liquidated", "usd"),
    Column("bad_debt_usd", "Bad debt", "usd", "loss"),
)


def tiles(one: dict[str, Any]) -> Numbers:
    """The base case of one scenario."""
    totals = one["totals"]
    low, high = (one[key]["bad_debt_usd"] for key in ("totals_low", "totals_high"))
    numbers: tuple[tuple[str, str, Kind, str], ...] = (
        ("liquidatable_accounts", "Accounts", "int", f"{one['accounts_at_once']:,} at once"),
        ("liquidated_debt_usd", "Debt repaid", "usd", ""),
        ("liquidated_collateral_usd", "Collateral liquidated", "usd", ""),
        (
            "bad_debt_usd",
            "Bad debt",
            "usd",
            f"low {show(low, 'usd')}, high {show(high, 'usd')}",
        ),
        ("rounds", "Rounds", "int", "" if one["ended"]["base"] else "cut off"),
    )
    return Numbers(
        (
            *(
                Number(
                    key=key,
                    label=label,
                    value=totals[key],
                    kind=kind,
                    note=note,
                    tone="loss" if key == "bad_debt_usd" else "plain",
                )
                for key, label, kind, note in numbers
            ),
            Number(
                key="depth_known",
                label="Depth known",
                value=one["depth_known"],
                kind="percent",
                note="of what was seized, sold in indexed pools",
            ),
        )
    )


def scenario_table(scenarios: Sequence[dict[str, Any]]) -> Table:
    """A row for each scenario, base case with low and high of the bad debt."""
    columns = (
        NAME,
        Column("liquidatable_accounts", "Accounts", "int"),
        *_USD,
        Column("bad_debt_low_usd", "Low", "usd", "loss"),
        Column("bad_debt_high_usd", "High", "usd", "loss"),
        Column("rounds", "Rounds", "int"),
        Column("depth_known", "Depth known", "percent", absent="nothing seized", detail=True),
    )
    rows: list[tuple[Value, ...]] = [
        (
            one["name"],
            *(one["totals"][column.key] for column in columns[1:5]),
            one["totals_low"]["bad_debt_usd"],
            one["totals_high"]["bad_debt_usd"],
            one["totals"]["rounds"],
            one["depth_known"],
        )
        for one in scenarios
    ]
    return table("scenarios", "Scenarios", columns, rows)


def case_table(one: dict[str, Any]) -> Table:
    """Low, base and high of one scenario, as text: each row has its own unit."""
    totals = (one["totals_low"], one["totals"], one["totals_high"])
    rows: list[tuple[Value, ...]] = [
        (label, *(show(each[key], kind) for each in totals)) for key, label, kind in _MEASURES
    ]
    rows.append(("Liquidations", *(show(one["liquidations"][n], "int") for n in NAMES)))
    rows.append(("Refused or not worth it", *(show(one["refused"][n], "int") for n in NAMES)))
    columns = (Column("measure", "Measure", "text"), *_CASE_COLUMNS)
    return table("cases", f"Low, base and high: {one['name']}", columns, rows)


def payers(one: dict[str, Any]) -> Table:
    """Who pays, in each case."""
    columns = (
        Column("who", "Who pays, or gets", "text"),
        *(Column(f"{name}_usd", name.capitalize(), "usd") for name in NAMES),
    )
    rows: list[tuple[Value, ...]] = [
        (label, *(one["who_pays"][name][key] for name in NAMES)) for key, label in _PAYERS
    ]
    return Table(
        name="who_pays",
        title=f"Who pays: {one['name']}",
        columns=columns,
        rows=tuple(rows),
        caption="The penalty is what protocols, keepers, gas and pools get; pools that pay more "
        "than the market count below 0. Bad debt is what is written off and what is not covered.",
    )


def details(scenarios: Sequence[dict[str, Any]]) -> list[Block]:
    """By deployment, by asset and by vault, of the first scenarios; JSON has them all."""
    wanted: tuple[tuple[str, str, tuple[Column, ...]], ...] = (
        (
            "by_protocol",
            "By deployment",
            (
                Column("protocol", "Deployment", "text"),
                Column("liquidatable_accounts", "Accounts", "int"),
                Column("debt_at_risk_usd", "At risk at once", "usd", detail=True),
                *_USD,
                Column("uncovered_usd", "of it not covered", "usd", detail=True),
            ),
        ),
        (
            "by_asset",
            "By asset",
            (
                Column("asset", "Asset", "text"),
                Column("address", "Token", "address", detail=True),
                *_USD,
                Column("depth_known", "Depth known", "percent", absent="nothing sold", detail=True),
            ),
        ),
        (
            "vaults",
            "Vaults",
            (
                Column("vault", "Vault", "text"),
                Column("address", "Token", "address"),
                Column("share_price", "Share price", "number"),
                Column("loss", "Lost of it", "percent", "loss"),
                Column("loss_usd", "Lost", "usd", "loss"),
            ),
        ),
    )
    several = len(scenarios) > 1
    blocks: list[Block] = []
    for name, title, columns in wanted:
        rows: list[tuple[Value, ...]] = [
            (*([one["name"]] if several else []), *cells(entry, columns))
            for one in scenarios[:DETAILED_SCENARIOS]
            for entry in one[name]
        ]
        if rows or name != "vaults":
            blocks.append(table(name, title, (*([NAME] if several else []), *columns), rows))
    return blocks


def price_chart(one: dict[str, Any]) -> list[Block]:
    """Market prices by round, of what the cascade itself moved; 1 is the shock's own price."""
    shown = [path for path in one["price_path"] if _swing(path) >= VISIBLE][:CHARTED]
    if not shown:
        return [Paragraph("No sale moved the market price of any asset after the shock.")]
    last = len(shown[0]["prices_usd"])
    return [
        Chart(
            name="price_path",
            title=f"Market prices by round: {one['name']}",
            form="step",
            x=Axis("Round", "int"),
            y=Axis("Price, as a part of that right after the shock", "percent"),
            series=tuple(
                Series(
                    name=path["asset"],
                    x=tuple(range(last)),
                    y=tuple(price / path["prices_usd"][0] for price in path["prices_usd"]),
                )
                for path in shown
            ),
            log=max(_swing(path) for path in shown) > FAR,
            note="Base case; each price as its round begins, the last one at the end.",
        )
    ]


def assumption_table(cases: Cases) -> Table:
    """Every setting of every case."""
    settings = assumptions(cases)
    rows: list[tuple[Value, ...]] = [
        (label, *(show(settings[name][key], kind, absent="no limit") for name in NAMES))
        for key, label, kind in _SETTINGS
    ]
    columns = (Column("assumption", "Assumption", "text"), *_CASE_COLUMNS)
    return table("assumptions", "Assumptions", columns, rows)


def _swing(path: dict[str, Any]) -> float:
    prices = path["prices_usd"]
    return max(abs(price / prices[0] - 1) for price in prices) if prices[0] > 0 else 0.0
