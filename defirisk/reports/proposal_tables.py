"""The tables of a proposal, from the numbers of impact.json."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from defirisk.reports import escape
from defirisk.reports.model import Block, Column, Paragraph, Table
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


def caps(data: Data) -> Table:
    """Changed caps against what is used."""
    return Table(
        name="caps",
        title="Caps and their use",
        columns=(
            Column("cap", "Cap", "text"),
            Column("asset", "Token", "address"),
            Column("before", "Today", "text"),
            Column("after", "Proposed", "text"),
            Column("used", "Used, tokens", "token"),
            Column("used_usd", "Used", "usd"),
            Column("below_use", "Below what is used", "text"),
        ),
        rows=tuple(
            (
                TERMS[one["cap"]],
                one["asset"],
                shown(one["cap"], one["before"]),
                shown(one["cap"], one["after"]),
                one["used"],
                one["used_usd"],
                "yes: nothing more can be added" if one["below_use"] else "no",
            )
            for one in data["caps"]
        ),
    )


def liquidity(data: Data) -> Iterator[Block]:
    """What pools take within the bonus."""
    yield Table(
        name="liquidity",
        title="",
        columns=(
            Column("asset", "Token", "address"),
            Column("within", "Proposed bonus", "percent"),
            Column("sellable_usd", "Sellable before the price falls by it", "usd"),
            Column("most_at_risk_usd", "Most at risk in a scenario", "usd"),
            Column("covered", "Covered", "percent", absent="nothing is at risk"),
            Column("venues", "Pools", "int"),
        ),
        rows=tuple(
            (
                one["asset"],
                one["within"],
                one["sellable_usd"],
                one["most_at_risk_usd"],
                one["covered"],
                len(one["venues"]),
            )
            for one in data["liquidity"]
        ),
        caption="In indexed pools only, each by its own curve; collateral of all indexed markets.",
    )


def units(data: Data) -> Iterator[Block]:
    """Whom the change itself makes liquidatable, by name."""
    made = data["by_the_change_itself"]
    if not made["units"]:
        yield Paragraph("None: at the block's prices nobody becomes liquidatable by the change.")
    else:
        yield Table(
            name="made_liquidatable",
            title="",
            columns=(
                Column("unit", "Account", "address"),
                Column("debt_usd", "Debt", "usd"),
                Column("collateral_usd", "Collateral", "usd"),
                Column("health_factor_before", "Health factor today", "health"),
                Column("health_factor_after", "Proposed", "health"),
            ),
            rows=tuple(
                (
                    one["unit"],
                    one["debt_usd"],
                    one["collateral_usd"],
                    one["health_factor_before"],
                    one["health_factor_after"],
                )
                for one in made["units"][:SHOWN_UNITS]
            ),
            caption=f"All {made['accounts']:,} are in impact.json."
            if made["accounts"] > SHOWN_UNITS
            else "",
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


def oracle(data: Data) -> Table:
    """What the prices stand on."""
    return Table(
        name="oracle",
        title="",
        columns=(
            Column("asset", "Token", "address"),
            Column("price_usd", "Price", "price"),
            Column("kind", "Kind", "text"),
            Column("source", "Source", "address"),
            Column("age_seconds", "Age", "seconds"),
            Column("stale", "Stale feeds", "int"),
            Column("collateral_usd", "Collateral on it", "usd"),
            Column("debt_usd", "Debt on it", "usd"),
        ),
        rows=tuple(
            (
                one["asset"],
                one["price_usd"],
                one["kind"],
                one["source"],
                one["age_seconds"],
                len(one["stale"]),
                one["collateral_usd"],
                one["debt_usd"],
            )
            for one in data["oracle"]
        ),
    )
