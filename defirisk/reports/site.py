"""Several reports as linked pages of one folder, which share one copy of plotly.js."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from defirisk.core.book import Book
from defirisk.core.errors import UsageError
from defirisk.reports.model import Column, Paragraph, Report, Run, Table, header_of
from defirisk.reports.renderers.html import Link, html, plotly_js
from defirisk.reports.sources import OVERVIEWS, page_of
from defirisk.reports.value import plural

INDEX = "index.html"
PLOTLY = "plotly.min.js"
DEPLOYMENTS = "Protocols"
"""What the pages on single deployments are folded under."""
WHOLE = "all"
"""The subject that stands for all that a kind of report can be about."""
MOST_DETAILS = 60
"""Pages of one kind that a site has beside those that have a list of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page of a site. `name` is what links call it, by default the report's title; pages of one
    `group` are folded together. `about` says what it answers. `details` are pages that are only
    reached through a cell of its tables that says their file name.
    """

    report: Report
    name: str = ""
    group: str = ""
    about: str = ""
    details: Mapping[str, Report] = field(default_factory=dict)


def write_site(folder: Path, pages: Mapping[str, Page], index: Report) -> list[Path]:
    """Writes index.html, one page per file name of `pages` and of their details, and
    plotly.min.js.

    Errors: `UsageError` where a file name cannot be a page.
    """
    files = [name for file, page in pages.items() for name in (file, *page.details)]
    for name in files:
        if name == INDEX or Path(name).name != name or not name.endswith(".html"):
            raise UsageError(f"{name!r} cannot be a page: name it like aave-v3.html")
    links = [
        Link(INDEX, index.title),
        *(Link(file, page.name or page.report.title, page.group) for file, page in pages.items()),
    ]
    titles = {name: one.title for page in pages.values() for name, one in page.details.items()}
    reports = [(INDEX, INDEX, index)]
    for file, page in pages.items():
        reports.append((file, file, page.report))
        reports += [(name, file, report) for name, report in page.details.items()]
    folder.mkdir(parents=True, exist_ok=True)
    written = [folder / PLOTLY]
    written[0].write_text(plotly_js(), encoding="utf-8")
    for name, here, report in reports:
        written.append(folder / name)
        written[-1].write_text(html(report, PLOTLY, links, here, titles), encoding="utf-8")
    return written


def page_list(pages: Mapping[str, Page]) -> Table:
    """The pages of a site for its front; the renderer makes links of their names."""
    return Table(
        name="pages",
        title="Pages",
        columns=(Column("page", "Page", "text"), Column("what", "What it answers", "prose")),
        rows=tuple((file, page.about or page.report.title) for file, page in pages.items()),
    )


def plug_in_pages(
    reports: Mapping[str, Any], book: Book, only: Callable[[str], Book], *, run: Run
) -> dict[str, Page]:
    """The pages of every kind of report on a chain, by their file names.

    `only` is the book of one deployment. A kind that has one subject, or one called "all", is one
    page, and one that has several a list that leads to them: its own `overview(book, run=run)`
    where it has that.
    """
    pages: dict[str, Page] = {}
    for name, kind in ordered(reports).items():
        about = kind.summary.partition(": ")[2] or kind.summary
        about = about[:1].upper() + about[1:]
        subjects = kind.subjects(book)
        if kind.of_deployments:
            pages |= {
                f"{subject}.html": Page(
                    report=kind.build(only(subject), run=run, subject=subject),
                    name=subject,
                    group=DEPLOYMENTS,
                    about=about,
                )
                for subject in subjects
            }
        else:
            file, page = _of_chain(name, kind, book, subjects, about, run)
            pages[file] = page
    return pages


def ordered(reports: Mapping[str, Any]) -> dict[str, Any]:
    """The kinds as a site lists them: of deployments first, then those with lists of their own."""
    lists = [one for one in OVERVIEWS if one in reports]
    rest = [one for one in reports if one not in lists]
    names = sorted([*lists, *rest], key=lambda one: not reports[one].of_deployments)
    return {name: reports[name] for name in names}


def _of_chain(
    name: str, kind: Any, book: Book, subjects: tuple[str, ...], about: str, run: Run
) -> tuple[str, Page]:
    called, overview = OVERVIEWS.get(name, (name, getattr(kind, "overview", None)))
    plain = called.replace("-", " ").capitalize()
    file, title = (f"{called}s.html", f"{plain}s") if name in OVERVIEWS else (f"{name}.html", plain)
    if overview is None and (len(subjects) == 1 or WHOLE in subjects):
        subject = WHOLE if WHOLE in subjects else subjects[0]
        report = kind.build(book, run=run, subject=subject)
        return file, Page(report=report, name=title, about=about)
    made = subjects if name in OVERVIEWS else subjects[:MOST_DETAILS]
    details = {page_of(called, one): kind.build(book, run=run, subject=one) for one in made}
    if overview is None:
        report = _list(title, name, about, book, subjects, details, run)
    else:
        report = overview(book, run=run)
    return file, Page(report=report, name=title, about=about, details=details)


def _list(
    title: str,
    name: str,
    about: str,
    book: Book,
    subjects: tuple[str, ...],
    details: Mapping[str, Report],
    run: Run,
) -> Report:
    """Every subject of a kind of report, with the title that its page has."""
    left = len(subjects) - len(details)
    table = Table(
        name=name,
        title="",
        columns=(Column("page", "Page", "text"), Column("about", "About", "prose")),
        rows=tuple((file, report.title) for file, report in details.items()),
        caption=f"{plural(left, 'other')}: defirisk report {name} NAME." if left > 0 else "",
        empty="there is none at this block",
    )
    return Report(title=title, header=header_of(book, run), lead=(Paragraph(f"{about}."), table))
