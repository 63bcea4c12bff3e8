"""Sentences about a cascade: the answer, what was assumed, what must not be missed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from defirisk.contagion.cascade.settings import Settings
from defirisk.contagion.cascade.units import unit_rules
from defirisk.core.book import Book
from defirisk.core.holdings import Side
from defirisk.reports.cascade.cases import NAMES, Cases
from defirisk.reports.labels import asset_label
from defirisk.reports.model import Note
from defirisk.reports.value import listed, plural, show

LOW_DEPTH = 0.8
"""Below this part of what was seized, the reader is warned that pools are missing."""
SQUEEZED = 2.0
"""From this factor on an asset's price, by sales alone, the reader is warned: pools ran dry."""


def worst(scenarios: list[dict[str, Any]]) -> dict[str, Any]:
    """The scenario of the largest bad debt in the base case, then of the most liquidated."""

    def rank(one: dict[str, Any]) -> tuple[float, float]:
        bad, liquidated = (
            float(one["totals"][key]) for key in ("bad_debt_usd", "liquidated_debt_usd")
        )
        return (math.inf if math.isnan(bad) else bad, liquidated)

    return max(scenarios, key=rank)


def answer(scenarios: list[dict[str, Any]]) -> str:
    """What happens in the worst scenario."""
    if not scenarios:
        return "No scenario was given."
    one = worst(scenarios)
    which = "In this scenario" if len(scenarios) == 1 else f"Worst of {len(scenarios)} scenarios"
    start = f"{which} ({one['name']}): "
    totals = one["totals"]
    if totals["liquidatable_accounts"] == 0:
        at_once = one["accounts_at_once"]
        if at_once:
            return f"{start}{plural(at_once, 'account')} can be liquidated, and none was played."
        return start + "no account can be liquidated, in no round."
    more = totals["liquidatable_accounts"] - one["accounts_at_once"]
    later = f" and {more:,} more in later rounds" if more > 0 else ""
    low, high = (one[key]["bad_debt_usd"] for key in ("totals_low", "totals_high"))
    return (
        f"{start}{plural(one['accounts_at_once'], 'account')} can be liquidated at once{later}; "
        f"{plural(one['liquidations']['base'], 'liquidation')} repay "
        f"{show(totals['liquidated_debt_usd'], 'usd')} for "
        f"{show(totals['liquidated_collateral_usd'], 'usd')} of collateral in "
        f"{plural(totals['rounds'], 'round')}. "
        f"{show(totals['bad_debt_usd'], 'usd')} is lost or not covered in the end "
        f"(low case {show(low, 'usd')}, high case {show(high, 'usd')})."
    )


def assumed(settings: Settings) -> str:
    """What the base case rests on, in words."""
    clock = (
        f"Rounds are {settings.round_seconds} seconds and one block apart, and interest accrues"
        if settings.round_seconds
        else "Rounds take no time: no interest accrues"
    )
    keepers = (
        "keepers can repay any amount"
        if math.isinf(settings.keeper_capacity_usd)
        else f"keepers repay at most {show(settings.keeper_capacity_usd, 'usd')} a round"
    )
    pools = (
        "nobody refills pools"
        if settings.recovery == 0
        else f"pools come {show(settings.recovery, 'percent')} of the way back each round"
    )
    return (
        f"{clock}; {keepers}, pay {show(settings.gas_usd, 'usd')} of gas for a liquidation, act "
        "where the pools, as the round begins, pay more than that and the debt, and sell in "
        f"{settings.slices} parts; {pools}; what no indexed pool trades is sold at the market "
        "price without moving it. In the low case keepers have less, and only sell where a pool "
        "is indexed; in the high case pools recover. At risk is what can be liquidated at once, "
        "before anything is sold; in the last round, nothing happened any more."
    )


def warnings(book: Book, scenarios: list[dict[str, Any]], cases: Cases) -> tuple[Note, ...]:
    """Who is not played, what was cut off, depth that is not known, pools that ran dry."""
    return (
        *left_out(book),
        *_not_ended(scenarios, cases),
        *_shallow(scenarios),
        *_squeezed(book, cases),
    )


def left_out(book: Book) -> list[Note]:
    """Borrowers of whom nobody said how they are liquidated."""
    owing = np.unique(book.holding_unit[book.holding_side == Side.DEBT])
    count = int(np.sum((unit_rules(book)[owing] < 0) & ~book.unpriced[owing]))
    if not count:
        return []
    text = (
        f"{plural(count, 'borrower')} cannot be played, since how their protocol liquidates is not "
        "known, or it does not now: they are in what is at risk, and in no bad debt of the cascade."
    )
    return [Note("warning", text, "not-played")]


def _not_ended(scenarios: list[dict[str, Any]], cases: Cases) -> list[Note]:
    cut = [one["name"] for one in scenarios if not all(one["ended"].values())]
    if not cut:
        return []
    where = [name for name in NAMES if any(not one["ended"][name] for one in scenarios)]
    text = (
        f"{_some(cut)} did not end within {plural(cases.base.settings.max_rounds, 'round')} "
        f"({listed(where)} case): the numbers are those up to then; allow more with --max-rounds."
    )
    return [Note("warning", text, "not-ended")]


def _shallow(scenarios: list[dict[str, Any]]) -> list[Note]:
    shallow = [one for one in scenarios if one["depth_known"] < LOW_DEPTH]
    if not shallow:
        return []
    least = min(shallow, key=lambda one: float(one["depth_known"]))
    part = show(least["depth_known"], "percent")
    text = (
        f"Of what keepers seized in {_some([one['name'] for one in shallow])}, as little as {part} "
        "was sold in pools that are indexed; the rest is taken to be sold at the market price "
        "without moving it. Index more pools."
    )
    return [Note("warning", text, "depth-unknown")]


def _squeezed(book: Book, cases: Cases) -> list[Note]:
    """Whoever must be bought back costs any price once the pools that sell it are empty."""
    most, where = 0.0, ("", "", 0)
    for name in NAMES:
        outcome = cases.outcomes[name]
        for scenario, path in zip(outcome.scenarios, outcome.paths, strict=True):
            with np.errstate(divide="ignore", invalid="ignore"):
                rise = np.nan_to_num(path / path[0], nan=0.0, posinf=0.0).max(axis=0)
            if rise.size and rise.max() > most:
                most, where = float(rise.max()), (name, scenario.name, int(rise.argmax()))
    if most < SQUEEZED:
        return []
    case, scenario_name, asset = where
    text = (
        f"Buying back debts drives {asset_label(book, asset)} to {most:,.1f} times its price in "
        f"the {case} case of {scenario_name}: the indexed pools run out of it. Losses are in "
        "dollars at such prices, which nobody may have to pay where there are other pools."
    )
    return [Note("warning", text, "pools-empty")]


def refusals(scenarios: list[dict[str, Any]]) -> tuple[Note, ...]:
    """How often nobody liquidated what could be."""
    counted = [one for one in scenarios if one["refused"]["base"]]
    if not counted:
        return ()
    most = max(counted, key=lambda one: int(one["refused"]["base"]))
    text = (
        f"In {most['name']}, {plural(most['refused']['base'], 'time')} a unit could be liquidated "
        "and was not, counted round by round: the protocol refused it, its cash or the keepers' "
        "capacity did not suffice, or it did not pay."
    )
    return (Note("info", text, "refused"),)


def _some(names: list[str]) -> str:
    """A few names, and how many there are beside them."""
    if len(names) <= 3:
        return listed(names)
    return f"{', '.join(names[:3])} and {len(names) - 3} more scenarios"
