"""What the report on oracle exposure says as JSON: the shape other programs rely on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from defirisk.core.book import Book
from defirisk.manipulation.assumptions import Assumptions
from defirisk.manipulation.attempts import Attempt
from defirisk.manipulation.dependants import Dependant
from defirisk.manipulation.exposure import Exposure
from defirisk.manipulation.quoted import Quoted
from defirisk.manipulation.solvency import Hidden
from defirisk.reports.oracles import words


def of(
    book: Book,
    found: Sequence[Exposure],
    relying: Mapping[Quoted, tuple[Dependant, ...]],
    hidden: Sequence[Hidden],
    assumed: Assumptions,
) -> dict[str, Any]:
    """Everything. `best_move` is the factor on what is moved, 1 where nothing is."""
    return {
        "feeds": [_datum(book, one, relying[one.quoted], assumed) for one in found],
        "hidden_losses": [_hidden_datum(book, one) for one in hidden],
        "assumptions": {key: value for key, _, value, _ in words.assumed(assumed)},
    }


def _datum(
    book: Book, one: Exposure, relying: Sequence[Dependant], assumed: Assumptions
) -> dict[str, Any]:
    best, said = one.best, one.quoted
    way = None if best is None else best.lie.way
    return {
        "feed": said.feed,
        "kind": said.kind,
        "asset": book.symbol(said.asset),
        "asset_address": book.assets[said.asset].address,
        "sources": list(said.sources),
        "dependants": [_dependant(book, each) for each in relying],
        "age_seconds": said.age_seconds,
        "heartbeat_seconds": said.heartbeat_seconds,
        "stale": list(said.stale),
        "cost_usd": one.cost_usd,
        "cost_is": "least" if one.pools is not None else "exact",
        "max_profit_usd": one.max_profit_usd,
        "best_move": None if best is None else best.lie.move,
        "oracle_move": None if best is None else best.oracle_move,
        "verdict": one.verdict,
        "cause": one.cause,
        "reason": words.reason(book, one),
        "attack": None if best is None else best.aim,
        "market": None if best is None else best.listing.facts.market,
        "moved": None if best is None or way is None else best.lie.target,
        "earned_usd": None if best is None else best.earned_usd,
        "left_usd": None if best is None else best.left_usd,
        "capital_usd": None if best is None else best.capital_usd,
        "least_capital_usd": one.least_capital_usd,
        "flash_loan": one.flash_profit_usd is not None,
        "flash_profit_usd": one.flash_profit_usd,
        "blocks": 0 if way is None else way.blocks,
        "ways": [_way(attempt, assumed) for attempt in one.by_way],
    }


def _way(attempt: Attempt, assumed: Assumptions) -> dict[str, Any]:
    way = attempt.lie.way
    assert way is not None
    return {
        "way": way.name,
        "blocks": way.blocks,
        "chance": float(assumed.chance) if way.name == "own blocks" else 1.0,
        "attack": attempt.aim,
        "moved": attempt.lie.target,
        "move": attempt.lie.move,
        "oracle_move": attempt.oracle_move,
        "cost_usd": attempt.lie.cost_usd,
        "capital_usd": attempt.capital_usd,
        "profit_usd": attempt.profit_usd,
    }


def _dependant(book: Book, each: Dependant) -> dict[str, Any]:
    facts = each.listing.facts
    return {
        "deployment": book.deployments[facts.deployment].name,
        "market": facts.market,
        "asset": book.symbol(facts.asset),
        "accounts": each.accounts,
        "collateral_usd": each.collateral_usd,
        "debt_usd": each.debt_usd,
    }


def _hidden_datum(book: Book, one: Hidden) -> dict[str, Any]:
    return {
        "deployment": book.deployments[one.place[0]].name,
        "market": one.place[1],
        "asset": book.symbol(one.place[2]),
        "accounts": one.accounts,
        "debt_usd": one.debt_usd,
        "uncovered_usd": one.uncovered_usd,
    }
