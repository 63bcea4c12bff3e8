"""`defirisk stress` on the demo chain: the cascade, its settings, budgets, recorded prices."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from defirisk.contagion.cascade.settings import BASE, HIGH, LOW, Settings
from defirisk.contagion.screen import screen
from defirisk.core.book import Book
from defirisk.shocks.grammar import scenario
from tests.command import CommandLine

WETH = ("--shock", "price:WETH=-25%")
# Rounds that take no time leave every mean where it is: the cascade is soon over.
SHORT = ("--cascade", "--round-seconds", "0", "--max-rounds", "40")
PATH = """\
ts,asset,price_usd
2024-03-12T00:00:00Z,WETH,4000
2024-03-13T00:00:00Z,WETH,2600
2024-03-14T00:00:00Z,WETH,3000
"""


@pytest.fixture(scope="module")
def folder(demo_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the indexed demo chain as its store."""
    folder = tmp_path_factory.mktemp("stress")
    shutil.copy(demo_database, folder / "defirisk.db")
    (folder / "prices.csv").write_text(PATH, encoding="utf-8")
    return folder


def said(cli: CommandLine, folder: Path, *words: str) -> dict[str, Any]:
    ran = cli("stress", *words, "--format", "json", folder=folder)
    assert (ran.code, ran.err) == (0, ""), ran
    found = json.loads(ran.out)
    assert isinstance(found, dict)
    return found


def test_a_cascade_stands_beside_what_is_at_risk_at_once(cli: CommandLine, folder: Path) -> None:
    still = said(cli, folder, *WETH)
    played = said(cli, folder, *WETH, *SHORT)
    (before,), (after,) = still["scenarios"], played["scenarios"]
    assert before["totals"].keys() == after["totals"].keys()
    assert "totals_low" not in before
    for key in ("debt_at_risk_usd", "collateral_at_risk_usd"):
        assert after["totals"][key] == before["totals"][key] > 0
    assert after["accounts_at_once"] == before["totals"]["liquidatable_accounts"]
    assert after["totals"]["liquidatable_accounts"] >= after["accounts_at_once"]
    for totals in ("totals", "totals_low", "totals_high"):
        assert after[totals]["liquidated_debt_usd"] > 0
        assert 1 < after[totals]["rounds"] <= 40
    assert 0 < after["depth_known"] <= 1
    assert {one["protocol"] for one in after["by_protocol"]} == {
        one["protocol"] for one in before["by_protocol"]
    }
    assert [one["vault"] for one in after["vaults"]]
    assert all(one.keys() >= {"vault", "share_price", "loss"} for one in after["vaults"])
    assert played["assumptions"]["base"]["round_seconds"] == 0


@pytest.mark.parametrize(
    ("option", "value", "name"),
    [
        ("--round-seconds", "60", "round_seconds"),
        ("--gas", "12.5", "gas_usd"),
        ("--keeper-capacity", "5000", "keeper_capacity_usd"),
        ("--recovery", "0.25", "recovery"),
        ("--slices", "2", "slices"),
        ("--max-rounds", "3", "max_rounds"),
    ],
)
def test_what_is_typed_is_assumed(
    cli: CommandLine, folder: Path, option: str, value: str, name: str
) -> None:
    assumed = said(cli, folder, "--cascade", "--shock", "price:LINK=-1%", option, value)
    assumed = assumed["assumptions"]
    assert assumed["base"].pop(name) == float(value)
    assert getattr(BASE, name) != float(value)
    for key, found in assumed["base"].items():
        default = getattr(BASE, key)
        assert found == (None if default == float("inf") else default)
    assert assumed["low"]["unknown_depth"] is LOW.unknown_depth is False
    assert assumed["high"]["recovery"] == HIGH.recovery


def test_defaults_are_those_of_the_settings(cli: CommandLine, folder: Path) -> None:
    text = " ".join(cli("stress", "--help").out.split())
    for default in ("[default: 12]", "[default: 5.0]", "[default: no limit]", "[default: 4]"):
        assert default in text
    assert "[default: no-cascade]" in text
    assert Settings() == BASE


def test_the_smallest_move_crosses_the_budget_and_a_smaller_one_does_not(
    cli: CommandLine, folder: Path, recorded_book: Book
) -> None:
    found = said(cli, folder, "--reverse", "bad_debt_usd>600000")
    assert found["budget"] == {"measure": "bad_debt_usd", "sign": ">", "amount": 600000.0}
    assert found["cascade"] is False
    assets = {one["asset"]: one for one in found["assets"]}
    weth, curious = assets["WETH"], assets["AAVE"]
    assert weth["fall_answer"] == "crossed"
    assert (curious["fall_answer"], curious["fall"], curious["fall_shock"]) == ("never", None, None)

    def bad_debt(text: str) -> float:
        one = scenario("", [text], recorded_book)
        return float(screen(recorded_book, [one]).bad_debt_usd.sum())

    assert bad_debt(weth["fall_shock"]) == pytest.approx(weth["fall_value"], rel=1e-9)
    assert bad_debt(weth["fall_shock"]) > 600_000
    assert bad_debt(f"price:WETH={(weth['fall'] + 1e-6) * 100:.4f}%") <= 600_000
    every = [k / 1000 for k in range(1, 990)]
    shocks = [scenario("", [f"price:WETH=-{move * 100:.1f}%"], recorded_book) for move in every]
    crossed = screen(recorded_book, shocks).bad_debt_usd.sum(axis=0) > 600_000
    assert 0 <= every[int(np.argmax(crossed))] + weth["fall"] < 0.001


def test_a_reverse_test_reads_as_a_table(cli: CommandLine, folder: Path) -> None:
    ran = cli("stress", "--reverse", "liquidatable_accounts>150", *WETH, folder=folder)
    text = " ".join(ran.out.split())
    assert ran.code == 0
    assert "never" in text
    assert "in steps of 1 % down to -99 %, rises in steps of 10 % up to +1000 %" in text
    assert "The shocks that were given hold beside every move." in text
    already = cli("stress", "--reverse", "liquidatable_accounts<1e6", folder=folder).out
    assert "nothing, it is so already" in " ".join(already.split())


def test_recorded_prices_are_a_scenario_and_each_of_their_times_is(
    cli: CommandLine, folder: Path
) -> None:
    (last,) = said(cli, folder, "--shock", "history:prices.csv")["scenarios"]
    (typed,) = said(cli, folder, *WETH)["scenarios"]
    assert last["totals"] == typed["totals"]
    every = said(cli, folder, "--grid", "--shock", "history:prices.csv")["scenarios"]
    assert [one["name"].rpartition("=")[2] for one in every] == [
        f"2024-03-{day}T00:00:00Z" for day in (12, 13, 14)
    ]
    at_risk = [one["totals"]["debt_at_risk_usd"] for one in every]
    assert at_risk[2] == last["totals"]["debt_at_risk_usd"]
    assert at_risk[0] < at_risk[2] < at_risk[1]
    pinned = said(cli, folder, "--grid", "--shock", "history:prices.csv=2024-03-13")["scenarios"]
    assert [one["totals"] for one in pinned] == [every[1]["totals"]]


def test_a_page_is_written(cli: CommandLine, folder: Path) -> None:
    ran = cli("stress", *WETH, *SHORT, "--accounts", "-o", "cascade.html", folder=folder)
    assert ran.code == 0, ran.err
    page = (folder / "cascade.html").read_text(encoding="utf-8")
    for words in ("Market prices by round", "Who pays", "Low, base and high", "Assumptions"):
        assert words in page
