"""The tables of a proposal, from the numbers of impact.json."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from defirisk.reports import escape
from defirisk.reports.model import Block, Column, Paragraph, Table
from defirisk.reports.records import rows_of
from defirisk.reports.value import plural, short_address

Data = Mapping[str, Any]
TERMS = {
    "ltv_bps": "Loan to value",
    "liquidation_threshold_bps": "Liquidation threshold",
    "liquidation_bonus_bps": "Liquidation bonus",
    "supply_cap": "Supply cap",
    "borrow_cap": "Borrow cap",
    "pending_ltv_bps": "Loan to value once unfrozen",
}
SHOWN_UNITS = 50


def symbol(entry: Data) -> str:
    """The asset's own word, or its address."""
    word = escape.clean(str(entry["symbol"]), escape.SYMBOL_LIMIT)
    return word or short_address(entry["asset"])


def shown(term: str, value: int) -> str:
    """Basis points as a percentage; caps in whole tokens, 0 for none."""
    if term.endswith("_bps"):
        return f"{value / 100:g} %"
    return f"{value:,}" if value else "no cap"


def changes(data: Data) -> Table:
    """Today's value and the recommended one, as an AIP has them."""
    return Table(
        name="changes",
        title="",
        columns=(
            Column("parameter", "Parameter", "text"),
            Column("instance", "Instance", "text"),
            Column("symbol", "Asset", "text"),
            Column("asset", "Token", "address"),
            Column("current", "Current Value", "text"),
            Column("recommended", "Recommended Value", "text"),
        ),
        rows=tuple(
            (
                TERMS[one["parameter"]],
                data["deployment"],
                symbol(one),
                one["asset"],
                shown(one["parameter"], one["current"]),
                shown(one["parameter"], one["recommended"]),
            )
            for one in data["changes"]
        ),
    )


def impact(data: Data) -> Iterator[Block]:
    """Borrowing power, caps, and every scenario with and without the change."""
    power = data["borrowing_power"]
    yield Table(
        name="borrowing_power",
        title="Borrowing power",
        columns=(
            Column("what", "", "text"),
            Column("before", "Today", "usd"),
            Column("after", "Proposed", "usd"),
        ),
        rows=tuple(
            (said, power["before"][key], power["after"][key])
            for said, key in (
                ("All collateral at its LTV", "total_usd"),
                ("Owed", "used_usd"),
                ("Still free", "free_usd"),
            )
        ),
    )
    if data["caps"]:
        yield caps(data)
    played = data["engine"] == "cascade"
    debt = "Debt liquidated" if played else "Debt at risk"
    yield Table(
        name="scenarios",
        title="By scenario, in this market",
        columns=(
            Column("scenario", "Scenario", "text"),
            Column("accounts_before", "Accounts today", "int"),
            Column("accounts_after", "Accounts proposed", "int"),
            Column("debt_before_usd", f"{debt} today", "usd"),
            Column("debt_after_usd", f"{debt} proposed", "usd"),
            Column("bad_debt_before_usd", "Bad debt today", "usd", "loss"),
            Column("bad_debt_after_usd", "Bad debt proposed", "usd", "loss"),
        ),
        rows=tuple(
            (
                one["name"],
                *(
                    one[side][measure]
                    for measure in (
                        "liquidatable_accounts",
                        "liquidated_debt_usd" if played else "debt_at_risk_usd",
                        "bad_debt_usd",
                    )
                    for side in ("before", "after")
                ),
            )
            for one in data["scenarios"]
        ),
        caption="Shocks: "
        + "; ".join(f"{one['name']}: {' '.join(one['shocks'])}" for one in data["scenarios"]),
    )
    yield from cases(data)


def cases(data: Data) -> Iterator[Block]:
    """Bad debt of every scenario in every case of the cascade that was played."""
    names = list(data["scenarios"][0]["cases"]) if data["scenarios"] else []
    if len(names) < 2:
        return
    sides = (("before", "today"), ("after", "proposed"))
    yield Table(
        name="cases",
        title="Bad debt in this market, by what keepers and pools can do",
        columns=(
            Column("scenario", "Scenario", "text"),
            *(
                Column(f"{name}_{side}_usd", f"{name.capitalize()}, {said}", "usd", "loss")
                for name in names
                for side, said in sides
            ),
        ),
        rows=tuple(
            (
                one["name"],
                *(one["cases"][name][side]["bad_debt_usd"] for name in names for side, _ in sides),
            )
            for one in data["scenarios"]
        ),
        caption="What the cases are is among the assumptions.",
    )


def caps(data: Data) -> Table:
    """Changed caps against what is used."""
    columns = (
        Column("cap", "Cap", "text"),
        Column("asset", "Token", "address"),
        Column("before", "Today", "text"),
        Column("after", "Proposed", "text"),
        Column("used", "Used, tokens", "token"),
        Column("used_usd", "Used", "usd"),
        Column("below_use", "Below what is used", "text"),
    )
    records = [
        {
            **one,
            "cap": TERMS[one["cap"]],
            "before": shown(one["cap"], one["before"]),
            "after": shown(one["cap"], one["after"]),
            "below_use": "yes: nothing more can be added" if one["below_use"] else "no",
        }
        for one in data["caps"]
    ]
    return Table(
        name="caps", title="Caps and their use", columns=columns, rows=rows_of(records, columns)
    )


def liquidity(data: Data) -> Iterator[Block]:
    """What pools take within the bonus."""
    columns = (
        Column("asset", "Token", "address"),
        Column("within", "Proposed bonus", "percent"),
        Column("sellable_usd", "Sellable before the price falls by it", "usd"),
        Column("most_at_risk_usd", "Most at risk in a scenario", "usd"),
        Column("covered", "Covered", "percent", absent="nothing is at risk"),
        Column("venues", "Pools", "int"),
    )
    records = ({**one, "venues": len(one["venues"])} for one in data["liquidity"])
    yield Table(
        name="liquidity",
        title="",
        columns=columns,
        rows=rows_of(records, columns),
        caption="In indexed pools only, each by its own curve; collateral of all indexed markets.",
    )


def units(data: Data) -> Iterator[Block]:
    """Whom the change itself makes liquidatable, by name."""
    made = data["by_the_change_itself"]
    if not made["units"]:
        yield Paragraph("None: at the block's prices nobody becomes liquidatable by the change.")
    else:
        columns = (
            Column("unit", "Account", "address"),
            Column("debt_usd", "Debt", "usd"),
            Column("collateral_usd", "Collateral", "usd"),
            Column("health_factor_before", "Health factor today", "health"),
            Column("health_factor_after", "Proposed", "health"),
        )
        more = made["accounts"] > SHOWN_UNITS
        yield Table(
            name="made_liquidatable",
            title="",
            columns=columns,
            rows=rows_of(made["units"][:SHOWN_UNITS], columns),
            caption=f"All {made['accounts']:,} are in impact.json." if more else "",
        )
    yield Paragraph(
        f"{plural(len(made['already']), 'account').capitalize()} can be liquidated already and "
        f"still could be; {plural(len(made['no_longer']), 'account')} could not be any more."
    )


def spill_over(data: Data) -> Iterator[Block]:
    """What other deployments feel of it."""
    yield Table(
        name="spill_over",
        title="",
        columns=(
            Column("scenario", "Scenario", "text"),
            Column("change_usd", "Change of bad debt elsewhere", "usd", "loss"),
            Column("more", "More liquidatable here", "int"),
            Column("owners", "Of them owing elsewhere", "int"),
            Column("debt_usd", "Their debt elsewhere", "usd"),
        ),
        rows=tuple(
            (
                one["name"],
                sum(d["change"]["bad_debt_usd"] or 0 for d in one["spill_over"]["deployments"]),
                one["spill_over"]["more_liquidatable"],
                one["spill_over"]["who_also_owe_elsewhere"],
                one["spill_over"]["their_debt_elsewhere_usd"],
            )
            for one in data["scenarios"]
        ),
    )
    if data["engine"] == "static":
        yield Paragraph(
            "The static engine plays no liquidation, so what others lose through prices does not "
            "show; what shows are borrowers whom the change brings into liquidation here and who "
            "owe elsewhere."
        )
