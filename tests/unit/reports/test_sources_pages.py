"""The pools and the feeds of a chain as lists, whose pages are found by a safe name."""

from __future__ import annotations

import re
from pathlib import Path

from defirisk.core.quote import Product
from defirisk.reports.feed import REPORT as FEED
from defirisk.reports.model import Report, Table, Value
from defirisk.reports.render import render
from defirisk.reports.site import plug_in_pages, write_site
from defirisk.reports.sources import feeds, page_of, pools
from defirisk.reports.venue import REPORT as VENUE
from defirisk.swaps.constant_product import ConstantProduct
from tests import books
from tests.unit.reports import sample, sources
from tests.unit.reports.sources import PAIR, POOL, SPOT, venue


def rows(report: Report, name: str) -> list[dict[str, Value]]:
    table: Table = next(one for one in report.tables() if one.name == name)
    keys = [column.key for column in table.columns]
    return [dict(zip(keys, row, strict=True)) for row in table.rows]


def test_every_pool_with_what_can_be_sold_there() -> None:
    empty = venue(books.address("empty"), ConstantProduct((0, 0)))
    of = sources.book(venue(PAIR, POOL), empty, sources.depth_table(), WETH=Product((SPOT,)))
    first, second, third = rows(pools(of, run=sample.RUN), "pools")

    assert (first["pool"], first["readers"], first["fee"]) == ("WETH/USDC", 1, 0.003)
    assert round(float(first["sell"] or 0), 2) == 10.17
    assert (second["spot_price"], second["sell"], second["readers"]) == (None, None, 0)
    assert third["sell"] == 10
    assert "3 pools: where collateral" in render(pools(of, run=sample.RUN), "md")


def test_feeds_on_which_most_stands_come_first() -> None:
    first, second = rows(feeds(sources.book(), run=sample.RUN), "feeds")

    assert (first["prices"], first["collateral_usd"], first["says"]) == ("WETH", 12_000, 2000)
    assert (second["prices"], second["debt_usd"], second["age_seconds"]) == ("USDC", 6000, 60)


def test_nothing_indexed_is_said() -> None:
    of = books.book([], [])
    assert "no pool is indexed" in render(pools(of, run=sample.RUN), "md").lower()
    assert "no feed is indexed" in render(feeds(of, run=sample.RUN), "md").lower()


def test_tokens_that_stand_for_others() -> None:
    of = sources.with_claim(sources.book())
    (row,) = rows(pools(of, run=sample.RUN), "wrapped")
    assert (row["underlying"], row["rate"], row["markets"]) == ("WETH", 1.1, 1)


def test_a_page_s_name_is_safe_and_its_own() -> None:
    names = ["../../etc/passwd", "a/b", "uni", "Uni", "é", "c3a9", "x" * 300, "x" * 301, "", PAIR]
    pages = [page_of("pool", name) for name in names]
    assert len(set(pages)) == len(names)
    assert all(re.fullmatch(r"pool-[0-9a-f]{16}\.html", page) for page in pages)


def test_the_lists_link_to_the_pages(tmp_path: Path) -> None:
    of = sources.book(venue(PAIR, POOL))
    pages = plug_in_pages({"venue": VENUE, "feed": FEED}, of, lambda _: of, run=sample.RUN)
    write_site(tmp_path, pages, pages["pools.html"].report)

    page = page_of("pool", PAIR)
    assert f'<a href="{page}"' in (tmp_path / "pools.html").read_text()
    assert "10.17 WETH can be sold" in (tmp_path / page).read_text()
    linked = {*re.findall(r'href="((?:pool|feed)-[^"]*)"', (tmp_path / "feeds.html").read_text())}
    assert linked == set(pages["feeds.html"].details) != set()
