"""The forum post: its headings, and that no token's name does anything in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from defirisk.governance.impact import impact
from defirisk.governance.request import Wanted
from defirisk.reports.model import Run
from defirisk.reports.proposal import build, post
from defirisk.reports.render import render
from tests.unit.governance.markets import market_at, proposed

EXECUTED = {
    "status": "EXECUTED",
    "node": "anvil 1.7.1",
    "as": {"account": "0x" + "ab" * 20, "role": "risk admin"},
    "differences": [],
    "contracts_asked": {"accounts": 5, "compared": 30, "mismatches": 0},
}
RUN = Run(command="defirisk propose aave-v3-devnet --asset WETH --set lt=75%", version="0")
HEADINGS = [
    "Simple Summary",
    "Motivation",
    "Recommendation",
    "Impact",
    "Liquidity",
    "Positions made liquidatable by the change",
    "Spill-over to other protocols",
    "Oracle",
    "Specification",
    "Assumptions",
    "How to repeat this",
    "Copyright",
]


@pytest.fixture(scope="module")
def numbers(demo_database: Path) -> dict[str, Any]:
    wanted = Wanted(
        asset="WETH", liquidation_threshold_bps=7500, ltv_bps=7025, supply_cap=1, borrow_cap=0
    )
    return impact(proposed(market_at(demo_database), wanted).case)


def posted(numbers: Mapping[str, Any], execution: Mapping[str, Any] = EXECUTED) -> str:
    return post(build(numbers, execution, RUN))


def test_the_headings_are_those_of_an_aip(numbers: dict[str, Any]) -> None:
    text = posted(numbers)
    assert re.findall(r"^## (.+)$", text, re.M) == HEADINGS
    assert text.startswith("---\ntitle: 'Risk parameter updates: WETH on aave-v3-devnet'\n")
    assert "CC0" in text.splitlines()[-1]


def test_today_and_the_recommendation_stand_side_by_side(numbers: dict[str, Any]) -> None:
    text = posted(numbers)
    rows = [line for line in text.splitlines() if "aave-v3-devnet | WETH" in line]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    assert [(row[0], row[-2], row[-1]) for row in cells] == [
        ("Loan to value", "80.5 %", "70.25 %"),
        ("Liquidation threshold", "83 %", "75 %"),
        ("Supply cap", "400,000", "1"),
        ("Borrow cap", "300,000", "no cap"),
    ]


def test_everybody_made_liquidatable_is_in_the_post(numbers: dict[str, Any]) -> None:
    units = numbers["by_the_change_itself"]["units"]
    assert units
    text = posted(numbers)
    for unit in units:
        assert f"{unit['unit'][:6]}…{unit['unit'][-4:]}" in text


def test_what_was_not_executed_or_differs_is_a_warning(numbers: dict[str, Any]) -> None:
    text = posted(numbers, {"status": "NOT EXECUTED", "why": "no anvil"})
    assert "> **Warning:** NOT EXECUTED: no anvil" in text
    differs = {**EXECUTED, "status": "DIFFERS", "differences": ["ltv is 1"]}
    assert "it differs: ltv is 1" in posted(numbers, differs)
    assert "Warning" not in posted(numbers)


@pytest.mark.parametrize(
    "symbol",
    [
        "](javascript:alert(1))[x",
        "<img src=x onerror=alert(1)>",
        "**bold** `code` # head",
        "x | y | z\n## Copyright",
        "@everyone https://evil.example",
        "'\n---\nauthor: 'me",
        "\u202eHTEW\x1b[31m",
    ],
)
def test_a_hostile_symbol_does_nothing(symbol: str, numbers: dict[str, Any]) -> None:
    hostile = {
        **numbers,
        "changes": [{**one, "symbol": symbol} for one in numbers["changes"]],
    }
    text = posted(hostile)
    matter, _, body = text.removeprefix("---\n").partition("\n---\n")
    assert len(matter.splitlines()) == 3
    assert re.fullmatch(r"title: '([^']|'')*'", matter.splitlines()[0])
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(body)
    headings = [
        tokens[i + 1].content
        for i, token in enumerate(tokens)
        if token.type == "heading_open" and token.tag == "h2"
    ]
    assert headings == HEADINGS
    inline = [child for token in tokens for child in token.children or ()]
    assert [
        child for child in inline if child.type in ("html_inline", "image", "code_inline")
    ] == []
    assert [token for token in tokens if token.type == "html_block"] == []
    links = {str(child.attrs["href"]) for child in inline if child.type == "link_open"}
    assert links == {"https://creativecommons.org/publicdomain/zero/1.0/"}
    assert "\u202e" not in text
    assert "\x1b" not in text


def test_the_report_reads_in_every_format(numbers: dict[str, Any]) -> None:
    report = build(numbers, EXECUTED, replace(RUN, chain="anvil"))
    for format_ in ("table", "json", "csv", "md", "html"):
        assert "nan" not in re.findall(r"\b[a-zA-Z]+\b", render(report, format_)[:50_000])
