"""The report on a pool: the numbers of its own integers, and who reads it."""

from __future__ import annotations

import json
from dataclasses import replace
from math import sqrt
from typing import Any

import pytest

from defirisk.core.book import Book
from defirisk.core.quote import Product
from defirisk.reports.depth import MOVES, directions, first_step
from defirisk.reports.model import Chart, Paragraph, Report, Table
from defirisk.reports.render import FORMATS, render
from defirisk.reports.venue import REPORT, readers
from defirisk.swaps.constant_product import ConstantProduct
from tests.unit.reports import sample, sources
from tests.unit.reports.sources import DAI, PAIR, POOL, SPOT, USDC, WETH, E, venue

FEE = 0.003


def built(book: Book, subject: str = PAIR) -> Report:
    return REPORT.build(book, run=sample.RUN, subject=subject)


def data(book: Book, subject: str = PAIR) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(render(built(book, subject), "json"))
    return found


def first_sentence(report: Report) -> str:
    assert isinstance(report.lead[0], Paragraph)
    return report.lead[0].text


def to_fall(move: float) -> tuple[float, float]:
    """What takes x * y = k of 1000 and 2,000,000 down by `move`, fee kept; and what that gives.

    (x + a)(x + a·kept) = x² / (1 - move), of which a is the positive root.
    """
    x, y, kept = 1000.0, 2_000_000.0, 1 - FEE
    half = (1 + kept) * x / (2 * kept)
    sold = -half + sqrt(half**2 + x * x * (1 / (1 - move) - 1) / kept)
    return sold, y * sold * kept / (x + sold * kept)


def test_the_shape_that_other_programs_rely_on() -> None:
    found = data(sources.book(venue(PAIR, POOL)))

    assert (found["venue"], found["kind"]) == ("WETH/USDC", "constant-product")
    assert found["assets"] == ["WETH", "USDC"]
    assert found["spot_price"] == pytest.approx(2000 * (1 - FEE))
    assert [one["move"] for one in found["depth"]] == [float(move) for move in MOVES]
    for one in found["depth"]:
        sold, received = to_fall(one["move"])
        assert one["sell"] == pytest.approx(sold, rel=1e-9)
        assert one["receive"] == pytest.approx(received, rel=1e-9)
        assert one["reached"] is True
    other = found["directions"][1]
    assert (other["asset_in"], other["asset_out"]) == ("USDC", "WETH")
    assert other["spot_price"] == pytest.approx((1 - FEE) / 2000)
    assert found["directions"][0]["depth"] == found["depth"]


def test_the_first_sentence_is_the_answer() -> None:
    text = first_sentence(built(sources.book(venue(PAIR, POOL))))

    assert text.startswith("10.17 WETH can be sold here for 20,071 USDC before its price is 2.0 %")
    assert "No price of an indexed market is read from this pool." in text
    assert "followed log by log" in text


def test_who_reads_the_pool_is_named_once() -> None:
    """The book has two quotes of WETH, one of what is supplied and one of what is owed."""
    of = sources.book(venue(PAIR, POOL), WETH=Product((SPOT, sources.feed_of("0xf", 1))))

    assert readers(of, PAIR) == (("aave-v3", "WETH", "WETH"),)
    assert "1 price of indexed markets is read from this pool." in first_sentence(built(of))
    assert data(of)["readers"] == [{"deployment": "aave-v3", "market": "WETH", "asset": "WETH"}]


@pytest.mark.parametrize("format_", FORMATS)
def test_an_empty_pool(format_: str) -> None:
    of = sources.book(venue(PAIR, ConstantProduct((0, 0))))

    assert first_step(of.sources.venues[PAIR]) is None
    found = data(of)
    assert (found["spot_price"], found["depth"], found["directions"]) == (None, [], [])
    assert first_sentence(built(of)).startswith("The pool is empty: nothing can be sold there.")
    assert "nan" not in render(built(of), format_).lower().partition("plotly")[0]


def test_a_depth_table_runs_out() -> None:
    of = sources.book(sources.depth_table())
    found = data(of, sources.BOOK)

    assert [one["asset_in"] for one in found["directions"]] == ["WETH"]
    falls = {one["move"]: (one["sell"], one["receive"], one["reached"]) for one in found["depth"]}
    assert falls[0.02] == (10, 20_000, True)
    assert falls[0.05] == (100, 20_000 + 90 * 1900, False)
    rows = next(table for table in built(of, sources.BOOK).tables() if table.name == "depth").rows
    assert {row[5] for row in rows} == {"yes", "the pool runs out"}
    short = replace(sources.depth_table(), pool=sources.depth_table().pool.sell(0, 1, 99 * E).pool)
    text = first_sentence(built(sources.book(short), sources.BOOK))
    assert text.startswith("1 WETH can be sold here for 1,900 USDC before the pool runs out.")


def test_a_range_ends() -> None:
    """One range of 1000 ticks to each side of a price of one: it ends 1 - 1.0001^-1000 lower."""
    found = data(sources.book(sources.ranges()), sources.RANGES)

    ends = 1 - 1.0001**-1000
    for one in found["depth"]:
        assert one["reached"] is (one["move"] < ends)
    whole = 10**6 * (1 - 1.0001**-500)
    assert found["depth"][-1]["receive"] == pytest.approx(whole, rel=1e-6)


def test_a_pool_that_has_a_price_and_nothing_else() -> None:
    ranges = sources.ranges()
    sold_out = ranges.pool.sell(0, 1, 10**30).pool
    found = data(sources.book(replace(ranges, pool=sold_out)), sources.RANGES)

    assert {one["sell"] for one in found["depth"]} == {0}
    assert not any(one["reached"] for one in found["depth"])


def test_every_pair_of_a_pool_of_three() -> None:
    of = sources.book(sources.three_coins())

    ways = list(directions(of.sources.venues[sources.THREE]))
    assert {(way.sell, way.buy) for way in ways} == {
        (i, j) for i in range(3) for j in range(3) if i != j
    }
    spots = [way.spot_price for way in ways]
    assert spots == pytest.approx([1 - 0.0004] * 6, rel=1e-12)
    assert len({way.steps for way in ways}) == 1


def chart(report: Report) -> Chart:
    return next(block for block in report.blocks() if isinstance(block, Chart))


def test_the_picture_is_in_dollars_where_all_prices_are_known() -> None:
    known = chart(built(sources.book(venue(PAIR, POOL))))
    assert known.x.kind == "usd"
    assert known.series[0].x[4] == pytest.approx(to_fall(0.02)[0] * 2000)
    assert known.series[0].y[4] == 0.02

    unknown = chart(built(sources.book(venue(PAIR, POOL, tokens=(WETH, DAI)))))
    assert unknown.x.kind == "token"
    assert "not all of them have a known price" in unknown.note

    ends = chart(built(sources.book(sources.depth_table()), sources.BOOK))
    assert "A line ends where the pool runs out." in ends.note
    assert ends.series[0].y[-1] == 0.05


def test_the_picture_of_three_tokens_has_a_line_for_each() -> None:
    report = chart(built(sources.book(sources.three_coins()), sources.THREE))
    assert [one.name.split()[1] for one in report.series] == ["DAI", "USDC", "WETH"]
    assert "The other pairs are in the table." in report.note


def test_the_other_side_of_the_pool_is_the_same_in_dollars() -> None:
    first, second = chart(built(sources.book(venue(PAIR, POOL)))).series
    assert second.x == pytest.approx(first.x, rel=1e-6)


HOSTILE = "=1+1<script>alert(1)</script>\x1b[31m\u202e[x](y)" + "W" * 10_000


@pytest.mark.parametrize("format_", FORMATS)
def test_hostile_names_are_inert(format_: str) -> None:
    of = sources.book(venue(PAIR, POOL, label=HOSTILE))
    of = replace(of, assets=(replace(of.assets[0], symbol=HOSTILE), *of.assets[1:]))
    named = replace(of.sources.venues[PAIR], deployment=HOSTILE)
    of.sources.venues[PAIR] = named
    report = built(of)
    text = render(report, format_)

    assert "\x1b" not in text
    assert "\u202e" not in text
    # A fenced picture is text to every reader of Markdown.
    outside = "".join(text.split("```")[::2]) if format_ == "md" else text
    assert format_ not in ("html", "md") or "<script>alert" not in outside
    if format_ == "csv":
        assert "\n=" not in text
        assert "\n'=1+1" in text
    assert len(text) < 6_000_000
    assert any(isinstance(block, Table) for block in report.blocks())


def test_only_pools_are_subjects() -> None:
    of = sources.book(venue(PAIR, POOL), sources.depth_table())
    assert REPORT.subjects(of) == (PAIR, sources.BOOK)
    assert USDC not in REPORT.subjects(of)
