"""The first screen: what would hurt most, five numbers, what they stand on."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from defirisk.contagion.valuation import unit_debt
from defirisk.core.book import Book, DeploymentFacts
from defirisk.metrics.margin import market_sensitivities
from defirisk.metrics.perp_gap import reached
from defirisk.metrics.size import by_deployment
from defirisk.reports.model import Note, Number, Numbers, Paragraph, Run, Section
from defirisk.reports.protocol.falls import GRID, NOTICED_USD, Fall, Falls
from defirisk.reports.protocol.naming import market_names
from defirisk.reports.value import listed, plural, show

SMALL, LARGE = 0.2, 0.4
MOVE = Fraction(1, 5)
_PROOFS = {
    "executed": "formulas proven against the real contracts, executed on a local chain",
    "compared": "formulas compared with recorded answers of the contracts",
    "read": "formulas taken from the source code only",
    "imported": "positions imported from a file, not checked",
}


def paragraph(book: Book, falls: Falls, run: Run) -> Paragraph:
    """The answer in plain words."""
    return Paragraph(
        " ".join(
            [
                *_threat(book, falls),
                *_moves(book),
                _not_covered(book, falls),
                _proof(book),
                _block(book, run),
            ]
        )
    )


def _threat(book: Book, falls: Falls) -> list[str]:
    if not np.any(np.nan_to_num(unit_debt(book), nan=1.0) > 0):
        return ["There is no debt: nothing can be liquidated."]
    return [_today(falls), _worst(falls), _bad_debt(falls)]


def is_perpetual(book: Book) -> bool:
    """Whether nothing is lent here: all that is owed is owed by positions."""
    perps = [one.perps_of is not None and one.debt_of is None for one in book.deployments]
    return bool(perps) and all(perps)


def _moves(book: Book) -> Iterator[str]:
    """Of perpetuals, the move of one market that makes most more positions liquidatable."""
    found = []
    for facts in book.deployments:
        perps = facts.perps
        if perps is None:
            continue
        for asset in (one.asset for one in market_sensitivities(perps)):
            now, *moved = reached(perps, (Fraction(0), -MOVE, MOVE), asset)
            name = market_names(perps)[asset]
            found += [(one.notional - now.notional, one, now, name) for one in moved]
    rising = [four for four in found if four[0] > 0]
    if not rising:
        return
    _, one, now, name = max(rising, key=lambda four: four[0])
    yield (
        f"Of moves by {_drop(float(MOVE))} up or down, a {'rise' if one.move > 0 else 'fall'} of "
        f"{name} reaches most: then accounts with positions of {show(float(one.notional), 'usd')} "
        f"can be liquidated ({show(float(now.notional), 'usd')} now), and "
        f"{show(float(one.owed), 'usd')} is owed beyond margins if it comes as a jump."
    )


def _today(falls: Falls) -> str:
    now = falls.today
    count = now.accounts(0.0) if now else 0
    if now is None or count == 0:
        return "Nobody can be liquidated at this block."
    owing = show(now.debt_usd(0.0), "usd")
    return f"{plural(count, 'account').capitalize()} owing {owing} can be liquidated at this block."


def _worst(falls: Falls) -> str:
    large = falls.worst(LARGE)
    if large is None:
        return f"No fall of a single asset by up to {_drop(LARGE)} adds to that."
    drop = next(drop for drop in GRID if falls.worst(drop) is large)
    part = "all" if _owed(large, drop) == _owed(large, LARGE) else _owed(large, drop)
    already = f" ({part} of it already at {_drop(drop)})" if drop < LARGE else ""
    text = (
        f"A fall of {large.name} by {_drop(LARGE)} would hurt most: "
        f"{plural(large.accounts(LARGE), 'account')} owing {_owed(large, LARGE)}{already} could "
        "then be liquidated."
    )
    small = falls.worst(SMALL)
    if small is None or small is large:
        return text
    return f"{text} At {_drop(SMALL)}, a fall of {small.name} would ({_owed(small, SMALL)})."


def _owed(fall: Fall, drop: float) -> str:
    return show(fall.debt_usd(drop), "usd")


def _bad_debt(falls: Falls) -> str:
    now = falls.today.bad_debt_usd(0.0) if falls.today else 0.0
    start = f"Bad debt is {show(now, 'usd')} today. " if now >= NOTICED_USD else ""
    first = falls.first_to_fail()
    if first is None:
        return start + "No fall of a single asset makes new bad debt."
    fall, drop = first
    text = f"{start}New bad debt would first come from {fall.name}, {show(drop, 'percent')} down"
    worst = max(falls.ranked, key=lambda one: one.bad_debt_usd(LARGE))
    if worst.bad_debt_usd(LARGE) - now < NOTICED_USD:
        return text + f"; up to {_drop(LARGE)} no single fall makes any."
    amount = show(worst.bad_debt_usd(LARGE), "usd")
    return text + f"; at {_drop(LARGE)} a fall of {worst.name} leaves most, {amount}."


def _drop(drop: float) -> str:
    return f"{drop * 100:.0f} %"


def _not_covered(book: Book, falls: Falls) -> str:
    parts = ["price effects of the liquidations themselves", "assets that fall together"]
    if falls.unknown:
        parts.append(f"a fall of {listed(list(falls.unknown[:5]))}")
    unpriced = int(book.unpriced.sum())
    if unpriced:
        parts.append(f"{plural(unpriced, 'account')} without a known price")
    return f"Not covered: {listed(parts)}."


def _proof(book: Book) -> str:
    proofs = list(dict.fromkeys(proof(one, book.block.number) for one in book.deployments))
    return " ".join(f"Proof: {text}." for text in proofs)


def proof(facts: DeploymentFacts, block: int) -> str:
    """How a deployment's formulas were proven, and its numbers checked on their own chain."""
    text = _PROOFS.get(facts.proof, facts.proof)
    checked = facts.checked
    if facts.proof == "imported":
        return text
    if checked is None:
        return f"{text}; these positions were not compared with this chain (defirisk verify does)"
    where = (
        "at this block" if checked.block_number == block else f"at block {checked.block_number:,}"
    )
    count = (
        f"{checked.compared:,} numbers of {plural(checked.accounts, 'account')} and of every market"
    )
    differ = "none differs" if not checked.mismatches else f"{checked.mismatches:,} differ"
    return f"{text}; {count} were compared with this chain's contracts {where}, {differ}"


def _block(book: Book, run: Run) -> str:
    number = f"Block {book.block.number:,}"
    if run.final is None:
        return f"Whether block {book.block.number:,} is final is not known."
    return f"{number} is final." if run.final else f"{number} is not final: it may be replaced."


def tiles(book: Book, falls: Falls) -> Numbers:
    """Five numbers."""
    sizes = by_deployment(book)
    long, short = ("Longs", "Shorts") if is_perpetual(book) else ("Supplied", "Borrowed")
    small, large = falls.worst(SMALL), _most_bad_debt(falls)
    now = falls.today
    debtors = int((np.nan_to_num(unit_debt(book), nan=1.0) > 0).sum())
    return Numbers(
        (
            _usd("supplied_usd", long, sum(one.supplied_usd for one in sizes)),
            _usd(
                "borrowed_usd",
                short,
                sum(one.borrowed_usd for one in sizes),
                "" if is_perpetual(book) else f"by {plural(debtors, 'account')}",
            ),
            _usd(
                "liquidatable_usd",
                "Liquidatable now",
                now.debt_usd(0.0) if now else 0.0,
                plural(now.accounts(0.0) if now else 0, "account"),
            ),
            _usd(
                "liquidatable_small_usd",
                f"Liquidatable at −{_drop(SMALL)}",  # noqa: RUF001 (a minus sign)
                small.debt_usd(SMALL) if small else (now.debt_usd(0.0) if now else 0.0),
                f"if {small.name} falls" if small else "whichever asset falls",
            ),
            Number(
                key="bad_debt_large_usd",
                label=f"Bad debt at −{_drop(LARGE)}",  # noqa: RUF001 (a minus sign)
                value=large.bad_debt_usd(LARGE) if large else 0.0,
                kind="usd",
                note=f"if {large.name} falls" if large else "whichever asset falls",
                tone="loss",
            ),
        )
    )


def _most_bad_debt(falls: Falls) -> Fall | None:
    found = [fall for fall in falls.ranked if fall.bad_debt_usd(LARGE) >= NOTICED_USD]
    return max(found, key=lambda fall: fall.bad_debt_usd(LARGE), default=None)


def _usd(key: str, label: str, value: float, note: str = "") -> Number:
    return Number(key=key, label=label, value=value, kind="usd", note=note)


def assumptions(book: Book, falls: Falls) -> Section:
    """What the numbers take for granted."""
    rules = (
        "One asset falls, and whatever wraps it or is pegged to it falls by the same fraction. The "
        "market and every oracle that reads a feed for it move together, after all averaging "
        "windows; hard-coded prices stay. All other prices stay.",
        "An account can be liquidated where its collateral times liquidation threshold, at the "
        "protocol's oracle prices, is worth less than its debt. Bad debt is the part of the debt "
        "of such accounts that all their collateral, at market prices, does not cover.",
        "Nothing is played through: liquidations do not move prices, no bonus is paid, no interest "
        "accrues and nobody repays. Curves are decided in floating point.",
    )
    blocks: list[Paragraph | Note] = [Paragraph(text) for text in rules]
    if falls.unknown:
        names = listed(list(falls.unknown))
        blocks.append(Note("info", f"No curve: {names}. The price is unknown or not linear."))
    blocks += [
        Paragraph(f"{facts.name}: {proof(facts, book.block.number)}.") for facts in book.deployments
    ]
    return Section("assumptions", "Assumptions", tuple(blocks))
