"""A site holds a page of every kind of report that there is, and the same navigation everywhere."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from defirisk.core.book import Book
from defirisk.reports.feed import REPORT as FEED
from defirisk.reports.model import Paragraph, Report, Run, header_of
from defirisk.reports.protocol import REPORT as PROTOCOL
from defirisk.reports.site import DEPLOYMENTS, MOST_DETAILS, Page, plug_in_pages, write_site
from defirisk.reports.venue import REPORT as VENUE
from tests.unit.reports import sample, sources


@dataclass
class Kind:
    """A report of another package, as a plug-in brings it."""

    name: str
    about: tuple[str, ...]
    summary: str = "a thing: what it is"
    of_deployments: bool = False
    built: list[str] = field(default_factory=list)

    def subjects(self, book: Book) -> tuple[str, ...]:
        return self.about

    def build(self, book: Book, *, run: Run, subject: str) -> Report:
        self.built.append(subject)
        return Report(
            title=f"About {subject}",
            header=header_of(book, run),
            lead=(Paragraph(f"{subject} is fine."),),
        )


class Listing(Kind):
    """One that has a first page of its own."""

    def overview(self, book: Book, *, run: Run) -> Report:
        return Report(title="All of them", header=header_of(book, run))


def pages(*kinds: Kind) -> dict[str, Page]:
    book = sources.book()
    return plug_in_pages({one.name: one for one in kinds}, book, lambda _: book, run=sample.RUN)


def written(folder: Path, made: Mapping[str, Page]) -> dict[str, str]:
    write_site(folder, made, Report(title="First", header=header_of(sources.book(), sample.RUN)))
    return {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.html")}


def navigation(text: str) -> list[str]:
    bar = text.partition('<nav class="site"')[2].partition("</nav>")[0]
    return re.findall(r'<a href="([^"]*)"', bar)


def test_a_report_on_one_thing_is_one_page() -> None:
    made = pages(Kind("contagion", ("whole",)))
    assert list(made) == ["contagion.html"]
    page = made["contagion.html"]
    assert (page.name, page.about, page.details) == ("Contagion", "What it is", {})
    assert page.report.title == "About whole"


def test_what_can_be_about_all_is_one_page_on_all() -> None:
    kind = Kind("oracles", ("WETH", "all", "USDC"))
    (page,) = pages(kind).values()
    assert (kind.built, page.details) == (["all"], {})


def test_a_report_on_several_things_is_a_list_that_leads_to_each(tmp_path: Path) -> None:
    files = written(tmp_path, pages(Kind("oracles", ("WETH", "../USDC"))))
    assert len(files) == 4
    linked = set(
        re.findall(r'<td[^>]*><a href="([^"]*)" aria-label="Open: About', files["oracles.html"])
    )
    assert linked == set(files) - {"index.html", "oracles.html"}
    assert any("../USDC is fine." in files[one] for one in linked)


def test_more_than_a_site_has_room_for_are_counted() -> None:
    kind = Kind("oracles", tuple(f"feed {n}" for n in range(MOST_DETAILS + 2)))
    (page,) = pages(kind).values()
    assert len(page.details) == len(kind.built) == MOST_DETAILS
    (table,) = page.report.tables()
    assert table.caption.startswith("2 others: defirisk report oracles")


def test_its_own_first_page_goes_before_a_list() -> None:
    (page,) = pages(Listing("oracles", ("a", "b"))).values()
    assert page.report.title == "All of them"
    assert len(page.details) == 2


def test_nothing_to_report_on_is_said() -> None:
    (page,) = pages(Kind("oracles", ())).values()
    (table,) = page.report.tables()
    assert table.empty == "there is none at this block"


def test_deployments_are_folded_and_come_first_then_the_lists() -> None:
    book = sources.book(sources.venue(sources.PAIR, sources.POOL))
    asked: list[str] = []

    def only(name: str) -> Book:
        asked.append(name)
        return book

    kinds = {"contagion": Kind("contagion", ("x",)), "venue": VENUE, "feed": FEED}
    made = plug_in_pages({**kinds, "protocol": PROTOCOL}, book, only, run=sample.RUN)
    names = [facts.name for facts in book.deployments]
    assert asked == names
    files = [f"{name}.html" for name in names]
    assert list(made) == [*files, "pools.html", "feeds.html", "contagion.html"]
    assert [page.group for page in made.values()] == [DEPLOYMENTS] * len(names) + [""] * 3


def test_every_page_has_the_same_navigation_and_says_where_it_is(tmp_path: Path) -> None:
    kinds = {"venue": VENUE, "feed": FEED, "protocol": PROTOCOL, "x": Kind("x", ("a",))}
    book = sources.book(sources.venue(sources.PAIR, sources.POOL))
    made = plug_in_pages(kinds, book, lambda _: book, run=sample.RUN)
    files = written(tmp_path, made)
    for name, text in files.items():
        assert navigation(text) == ["index.html", *made], name
        (here,) = re.findall(r'<a href="([^"]*)" aria-current="page"', text)
        leading = [file for file, page in made.items() if name in page.details]
        assert here == (leading[0] if leading else name)
