"""The stress report keeps to the shape that other programs rely on."""

from __future__ import annotations

import json

import pytest

from defirisk.contagion.screen import screen
from defirisk.reports.render import render
from defirisk.reports.stress import build
from defirisk.shocks.grammar import scenario
from tests.unit.reports import sample

MEASURES = {
    "liquidatable_accounts",
    "debt_at_risk_usd",
    "collateral_at_risk_usd",
    "liquidated_debt_usd",
    "liquidated_collateral_usd",
    "bad_debt_usd",
    "rounds",
}


def test_json_keeps_its_shape() -> None:
    book = sample.book()
    shocks = [scenario("", [text], book) for text in ("price:WETH=-40%", "price:WBTC=-20%")]
    body = json.loads(render(build(book, screen(book, shocks), run=sample.RUN), "json"))
    assert body["shocks"] == ["price:WETH=-40%", "price:WBTC=-20%"]
    assert [one["name"] for one in body["scenarios"]] == body["shocks"]
    first = body["scenarios"][0]
    assert first["totals"].keys() >= MEASURES
    assert first["totals"]["rounds"] == 0
    assert first["totals"]["liquidated_debt_usd"] == 0.0
    (deployment,) = first["by_protocol"]
    assert deployment.keys() >= MEASURES | {"protocol", "market"}
    assert deployment["protocol"] == "aave-v3-ethereum"
    assert deployment["bad_debt_usd"] == first["totals"]["bad_debt_usd"]
    assets = first["by_asset"]
    assert all(one.keys() >= MEASURES | {"asset"} for one in assets)
    assert sum(one["debt_at_risk_usd"] for one in assets) == pytest.approx(
        first["totals"]["debt_at_risk_usd"]
    )


def test_one_scenario_reads_as_a_sentence() -> None:
    book = sample.book()
    outcome = screen(book, [scenario("", ["price:WETH=-40%"], book)])
    text = render(build(book, outcome, run=sample.RUN), "md")
    assert "In this scenario (price\\:WETH=-40%): 81 accounts can be liquidated" in text
    assert "no liquidation is played through" in text


def test_an_empty_market_is_said_so() -> None:
    book = sample.empty_book()
    outcome = screen(book, [scenario("", ["price:WETH=-40%"], book)])
    text = render(build(book, outcome, run=sample.RUN), "table")
    assert "no account can be liquidated." in text
    assert "nothing is at risk" in text


def test_accounts_are_listed_where_asked() -> None:
    book = sample.book()
    outcome = screen(book, [scenario("", ["price:WETH=-40%"], book)])
    listed = [("price:WETH=-40%", book.units[0])]
    body = json.loads(render(build(book, outcome, run=sample.RUN, accounts=listed), "json"))
    assert body["accounts"] == [{"scenario": "price:WETH=-40%", "account": book.units[0]}]
