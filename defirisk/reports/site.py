"""Several reports as linked pages of one folder, which share one copy of plotly.js."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from defirisk.core.errors import UsageError
from defirisk.reports.model import Report
from defirisk.reports.renderers.html import html, plotly_js

INDEX = "index.html"
PLOTLY = "plotly.min.js"


def write_site(
    folder: Path,
    pages: Mapping[str, Report],
    index: Report,
    details: Mapping[str, Report] | None = None,
) -> list[Path]:
    """Writes index.html, one page per file name of `pages`, and plotly.min.js.

    `details` are pages that are only reached through a cell of a table that says their name.
    """
    further = details or {}
    for name in (*pages, *further):
        if name == INDEX or Path(name).name != name or not name.endswith(".html"):
            raise UsageError(f"{name!r} cannot be a page: name it like aave-v3.html")
    folder.mkdir(parents=True, exist_ok=True)
    links = [(INDEX, index.title), *((name, page.title) for name, page in pages.items())]
    written = [folder / PLOTLY]
    written[0].write_text(plotly_js(), encoding="utf-8")
    for name, report in ((INDEX, index), *pages.items(), *further.items()):
        path = folder / name
        path.write_text(html(report, PLOTLY, links, name, tuple(further)), encoding="utf-8")
        written.append(path)
    return written
