"""The report on failures in every format, and names that do nothing."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from defirisk.core.book import Book
from defirisk.core.errors import UsageError
from defirisk.core.plugins import reports
from defirisk.reports.contagion.shares import vaults
from defirisk.reports.model import Network
from defirisk.reports.render import FORMATS, render
from defirisk.shocks.grammar import scenario
from tests.command import CommandLine
from tests.unit.contagion.failure.failing import BAD, HAND, V, W, at, book
from tests.unit.reports.sample import RUN

NASTY = "</script><img src=//evil.example/x onerror=alert(1)>\x1b[31m\u202e"


@pytest.fixture(scope="module")
def made() -> Book:
    return book(HAND, [V, W])


def printed(made: Book, subject: str, format_: str) -> str:
    return render(reports()["contagion"].build(made, run=RUN, subject=subject), format_)


def test_json_of_one_failure(made: Book) -> None:
    said = json.loads(printed(made, BAD, "json"), parse_constant=pytest.fail)

    assert said["failing"] == {"node": f"asset:{at(BAD)}", "kind": "asset", "label": BAD}
    assert said["lost_usd"] == pytest.approx(85)
    (v, w) = said["exposed"]
    assert (v["vault"], v["share"], v["bridge"]) == ("V", 0.5, True)
    assert (v["lost_usd"], w["vault"]) == (pytest.approx(40), "W")
    assert {"from", "to", "channel", "value_usd"} <= set(said["steps"][0])
    assert said["ranking"][0]["rank"] == 1
    assert [one["label"] for one in said["ranking"]].index(BAD) + 1 == said["rank"]
    half = [one for one in said["run"] if one["address"] == at("V") and one["asked"] == 0.25]
    # V's first market is the bad one: 40 idle, then 10 of the cash there.
    assert half[0]["paid"] == pytest.approx(0.25)
    assert half[0]["multiplier"] == pytest.approx(4 / 3)


def test_json_of_all(made: Book) -> None:
    said = json.loads(printed(made, "", "json"), parse_constant=pytest.fail)
    lost = [one["lost_usd"] for one in said["rank"]]
    assert lost == sorted(lost, reverse=True)
    assert said["lost_already_usd"] == 0
    assert printed(made, "all", "json") == printed(made, "", "json")


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("subject", ["", BAD, "V", f"{BAD},V"])
def test_every_format_says_it(made: Book, subject: str, format_: str) -> None:
    text = printed(made, subject, format_)
    assert "nan" not in text.lower().replace("nanoseconds", "") or format_ == "html"
    assert ("W" if subject == "V" else "V") in text


def test_the_picture_has_the_steps(made: Book) -> None:
    report = reports()["contagion"].build(made, run=RUN, subject=BAD)
    (picture,) = (one for one in report.blocks() if isinstance(one, Network))
    assert {"vault V", "USDC in bad", "holders of V"} <= {dot.label for dot in picture.dots}
    lines = {(line.source, line.target) for line in picture.lines}
    assert any(target == f"vault:{at('V')}" for _, target in lines)
    assert [dot.id for dot in picture.dots if dot.marked] == [f"asset:{at(BAD)}"]


def test_an_unknown_price_is_told_and_no_number(made: Book) -> None:
    unknown = book(HAND, [V], bad_price=float("nan"))
    said = json.loads(printed(unknown, BAD, "json"), parse_constant=pytest.fail)
    assert [one["code"] for one in said["warnings"]] == ["unpriced"]


@pytest.mark.parametrize("format_", FORMATS)
def test_hostile_names_do_nothing(made: Book, format_: str) -> None:
    tokens = {
        token: replace(one, symbol=NASTY if one.symbol == "V" else one.symbol)
        for token, one in made.sources.tokens.items()
    }
    assets = tuple(
        replace(asset, symbol=NASTY if asset.symbol == "V" else asset.symbol)
        for asset in made.assets
    )
    nasty = replace(made, assets=assets, sources=replace(made.sources, tokens=tokens))
    for subject in (BAD, at("V"), ""):
        text = printed(nasty, subject, format_)
        assert "\x1b" not in text
        assert "\u202e" not in text
        if format_ in ("html", "md"):
            assert "<img" not in text
            assert "</script><" not in text


def test_what_is_unknown_is_told_what_to_type(made: Book) -> None:
    with pytest.raises(UsageError, match="called 'xUSD'"):
        printed(made, "xUSD", "json")


def test_a_name_may_be_left_out_of_contagion_only(cli: CommandLine) -> None:
    assert "needs a NAME: defirisk report venue NAME" in cli.refused("report", "venue")


def test_the_list_leads_to_a_page_for_each(made: Book) -> None:
    its = reports()["contagion"]
    report = its.overview(made, run=RUN)
    (rank,) = (table for table in report.tables() if table.name == "rank")
    assert len(rank.rows) == len(its.subjects(made))
    assert all(str(row[0]).startswith("contagion-") for row in rank.rows)


def test_shares_of_vaults_for_a_stress_test(made: Book) -> None:
    """In the form of the command line contract; a slash and a market's loss come together."""
    scenarios = [
        scenario("", texts, made) for texts in ([], ["market:BAD=-100%"], ["slash:V=-10%"])
    ]
    none, bad, slashed = vaults(made, scenarios)
    assert [(one["vault"], one["share_price"], one["loss"]) for one in none] == [
        ("V", 1.0, 0.0),
        ("W", 1.0, 0.0),
    ]
    assert bad[0]["share_price"] == pytest.approx(0.8)
    assert bad[0]["loss"] == pytest.approx(40)
    assert slashed[0]["share_price"] == pytest.approx(0.9)
    assert slashed[0]["loss"] == pytest.approx(20)
