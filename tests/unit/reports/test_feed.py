"""The report on a feed: what it says, what it is made of, what stands on it."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from defirisk.core.adapter import Answer
from defirisk.core.book import Book
from defirisk.core.quote import Clamp, Constant, Conversion, Product, Program, Rate
from defirisk.reports.feed import REPORT, dependants
from defirisk.reports.model import Paragraph, Report
from defirisk.reports.render import FORMATS, render
from tests import books
from tests.unit.reports import sample, sources
from tests.unit.reports.sources import DOLLAR_FEED, ETH_FEED, SHARE, answer

ANOTHER = books.address("another")


def with_answer(made: Book, feed: str, said: Answer) -> Book:
    answers = {**made.sources.answers, feed: said}
    return replace(made, sources=replace(made.sources, answers=answers))


def built(made: Book, feed: str = ETH_FEED) -> Report:
    return REPORT.build(made, run=sample.RUN, subject=feed)


def data(made: Book, feed: str = ETH_FEED) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(render(built(made, feed), "json"))
    return found


def lead(report: Report) -> str:
    assert isinstance(report.lead[0], Paragraph)
    return report.lead[0].text


def test_what_it_says_and_what_stands_on_it() -> None:
    found = data(sources.book())

    assert (found["feed"], found["price"], found["answer"]) == (ETH_FEED, 2000, str(2000 * 10**8))
    assert (found["decimals"], found["age_seconds"], found["grade"]) == (8, 60, "logs")
    assert found["updated_ts"] == books.NOW - 60
    assert found["dependants"] == [
        {
            "deployment": "aave-v3",
            "market": "WETH",
            "asset": "WETH",
            "accounts": 2,
            "collateral_usd": 6 * 2000,
            "debt_usd": 0,
        }
    ]
    assert lead(built(sources.book())) == (
        "The feed says 2000, followed update by update. 1 market relies on it."
    )
    assert data(sources.book(), DOLLAR_FEED)["dependants"][0]["debt_usd"] == 6000


def test_a_feed_that_nobody_reads() -> None:
    of = with_answer(sources.book(), ANOTHER, replace(answer(5), grade="read", updated_at=0))

    assert "as it was asked once. No indexed market relies on it." in lead(built(of, ANOTHER))
    found = data(of, ANOTHER)
    assert (found["dependants"], found["age_seconds"], found["updated_ts"]) == ([], None, None)
    assert built(of, ANOTHER).title == "Feed 0x616e…0000"


@pytest.mark.parametrize("price", [0, -5, -(2**255)])
def test_an_answer_that_no_market_can_use(price: int) -> None:
    of = with_answer(sources.book(), ETH_FEED, answer(price))

    (warning,) = built(of).warnings()
    assert warning.code == "no-answer"
    assert data(of)["price"] == pytest.approx(price / 10**8)


def test_an_answer_from_the_future_lies() -> None:
    of = with_answer(sources.book(), ETH_FEED, answer(2000 * 10**8, age=-3600))

    (warning,) = built(of).warnings()
    assert (warning.code, data(of)["age_seconds"]) == ("future", -3600)
    for format_ in FORMATS:
        assert "it lies" in render(built(of), format_) or format_ == "csv"


def capped() -> Program:
    return Product(
        (
            Clamp(Conversion(SHARE, Fraction(11, 10)), None, Fraction(12, 10)),
            sources.feed_of(ETH_FEED, 2000),
        )
    )


def test_what_it_is_made_of_from_the_outside_in() -> None:
    made = capped()
    of = with_answer(
        sources.book(WETH=Product((made, Rate("x", Fraction(1))))),
        ANOTHER,
        answer(2200 * 10**8, program=made),
    )

    lines = data(of, ANOTHER)["made_of"]
    assert [(line["level"], line["value"]) for line in lines] == [
        (0, 2200),
        (1, pytest.approx(1.1)),
        (2, pytest.approx(1.1)),
        (1, 2000),
    ]
    assert lines[1]["what"] == "not above 1.2:"
    assert lines[2]["address"] == SHARE
    # Both what is made of it and what it is made of have the market as their dependant.
    for feed in (ANOTHER, ETH_FEED):
        assert [one["market"] for one in data(of, feed)["dependants"]] == ["WETH"]


def test_a_number_that_is_hard_coded_twice_is_not_one_feed() -> None:
    """The same constant in another market's price says nothing about who reads the feed."""
    fixed = Constant(Fraction(1))
    of = with_answer(sources.book(USDC=fixed), ANOTHER, answer(10**8, program=fixed))

    assert list(dependants(of, ANOTHER)) == []
    # Where the market itself names the feed as its source, it is one.
    markets = tuple(
        replace(market, price_source=ANOTHER) if of.symbol(market.asset) == "USDC" else market
        for market in of.markets
    )
    assert [row[2] for row in dependants(replace(of, markets=markets), ANOTHER)] == ["USDC"]


HOSTILE = "=1+1<script>alert(1)</script>\x1b[31m\u202e" + "W" * 10_000


@pytest.mark.parametrize("format_", FORMATS)
def test_hostile_names_are_inert(format_: str) -> None:
    of = sources.book(WETH=capped())
    of = replace(of, assets=(replace(of.assets[0], symbol=HOSTILE), *of.assets[1:]))
    text = render(built(of), format_)

    assert "\x1b" not in text
    assert "\u202e" not in text
    outside = "".join(text.split("```")[::2]) if format_ == "md" else text
    assert format_ not in ("html", "md") or "<script>alert" not in outside
    assert format_ != "csv" or "=1+1" not in [
        cell for line in text.splitlines() for cell in line.split(",")
    ]
