"""The report on oracle exposure: what it says in words, and what other programs read."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from fractions import Fraction

import pytest

from defirisk.core.adapter import Answer
from defirisk.core.book import Book
from defirisk.core.errors import UsageError
from defirisk.core.quote import Constant, Conversion, Feed
from defirisk.manipulation.assumptions import Assumptions
from defirisk.reports.model import Run
from defirisk.reports.oracles import REPORT, report
from defirisk.reports.render import FORMATS, render
from tests import books
from tests.unit.manipulation.made import NETWORK, TKN, book, pool, spot

RUN = Run(command="defirisk oracle", version="0.1.0", chain="local")
SOURCE = books.address("feed-TKN")
KEYS = "feed kind asset dependants age_seconds cost_usd max_profit_usd best_move verdict"
EVIL = "\x1b[31m<script>alert(1)</script>|`"


def said(made: Book, *names: str) -> dict[str, dict[str, object]]:
    """The prices of the JSON by asset."""
    shown, _ = report(made, names, run=RUN)
    return {one["asset"]: one for one in json.loads(render(shown, "json"))["feeds"]}


def test_the_shape_that_other_programs_rely_on() -> None:
    feeds = said(book(spot(), venues=[pool()]))
    assert set(feeds) == {"TKN", "USDC"}
    for one in feeds.values():
        assert set(KEYS.split()) <= set(one)
    one = feeds["TKN"]
    assert (one["verdict"], one["flash_loan"], one["blocks"]) == ("unsafe", True, 1)
    assert one["dependants"][0]["collateral_usd"] == 100.0  # type: ignore[index]
    assert one["moved"] == pool().address
    assert feeds["USDC"]["age_seconds"] == 30
    assert feeds["USDC"]["heartbeat_seconds"] == 86_400
    assert feeds["USDC"]["verdict"] == "safe"


def test_every_verdict_has_its_sentence() -> None:
    answers = {
        SOURCE: Answer(
            price=10**9, decimals=8, updated_at=books.NOW, grade="logs", kind="chainlink"
        )
    }
    cases = {
        "A network reports it": book(Feed(SOURCE, Fraction(10)), answers=answers),
        "moving 1 indexed pool up by 25.0 % would cost at least": book(
            Feed(SOURCE, Fraction(10)), answers=answers, venues=[pool()]
        ),
        "no pool of it is indexed": book(Feed(SOURCE, Fraction(10)), answers=answers),
        "It is written into a contract and says $10.00": book(Constant(Fraction(10))),
        "It says $10.00 where the market pays $1.0000: borrowing $1.00K": book(
            Constant(Fraction(10)), worth=1.0
        ),
        "Moving the pool TKN/USDC": book(spot(), venues=[pool()]),
        "It is not known what makes": book(Feed(SOURCE, Fraction(10))),
        "What it is read from gives no usable answer": book(Feed(SOURCE, None)),
        "No feed, pool or claim says": book(Constant(Fraction(10)), worth=float("nan")),
        "No trade moves what it is made of": book(Conversion(TKN, Fraction(10))),
        "Nothing can be borrowed with it": book(Constant(Fraction(10)), ltv=0.0, units=[]),
    }
    for sentence, made in cases.items():
        feeds = said(made)
        assert sentence in str(feeds["TKN"]["reason"]), sentence


@pytest.mark.parametrize("format_", FORMATS)
def test_hostile_names_are_shown_harmless(format_: str) -> None:
    made = book(spot(), venues=[replace(pool(), label=EVIL)])
    assets = (replace(made.assets[0], symbol=EVIL), made.assets[1])
    markets = tuple(replace(one, market=EVIL) for one in made.markets)
    made = replace(made, assets=assets, markets=markets, quote_market=(EVIL,) * 4)
    text = render(report(made, (), run=RUN)[0], format_)
    assert "\x1b[31m" not in text
    assert format_ not in ("html", "md") or "<script>alert" not in text
    if format_ == "csv":
        rows = list(csv.reader(io.StringIO(text)))
        assert {len(row) for row in rows} == {len(rows[0])}


def test_names_choose_assets_and_feeds() -> None:
    made = book(spot(), venues=[pool()])
    assert set(said(made, "tkn")) == {"TKN"}
    assert set(said(made, NETWORK)) == {"USDC"}
    assert set(said(made, NETWORK[:10], "TKN", "usdc")) == {"TKN", "USDC"}
    assert set(said(made, TKN)) == {"TKN"}
    with pytest.raises(UsageError, match="no price of 'TKM' is read by a market: did you mean TKN"):
        report(made, ("TKM",), run=RUN)


def test_a_plug_in_that_can_be_asked_about_all_and_about_each() -> None:
    made = book(spot(), venues=[pool()])
    assert REPORT.subjects(made) == ("all", "TKN", "USDC")
    whole = REPORT.build(made, run=RUN, subject="all")
    assert len(next(whole.tables()).rows) == 2
    assert len(next(REPORT.build(made, run=RUN, subject="USDC").tables()).rows) == 1


def test_a_book_without_markets_has_nothing_to_lie_about() -> None:
    made = replace(book(spot()), markets=())
    shown, found = report(made, (), run=RUN)
    assert found == ()
    assert "No market is indexed" in render(shown, "md")


def test_all_that_is_assumed_is_shown() -> None:
    made = book(spot(), venues=[pool()])
    assumed = Assumptions(controlled_blocks=7, capital_usd=123e6, slot_share=Fraction(1, 4))
    shown, _ = report(made, (), run=RUN, assumptions=assumed)
    rows = next(one for one in shown.tables() if one.name == "assumptions").rows
    values = [row[1] for row in rows]
    assert "7" in values
    assert "$123M" in values
    assert "25.0 %" in values
    keys = json.loads(render(shown, "json"))["assumptions"]
    fields = set(Assumptions.__dataclass_fields__)
    assert fields <= set(keys)
    assert keys["chance"] == pytest.approx(0.25**7)
