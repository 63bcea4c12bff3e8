"""A report as one self-contained page: no request leaves it, which its own policy enforces."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from defirisk.reports import escape, plot, provenance
from defirisk.reports.model import (
    TEXT_KINDS,
    Chart,
    Column,
    Kind,
    Network,
    Number,
    Report,
    Table,
    Value,
    chart_table,
)
from defirisk.reports.renderers.csv import table_csv
from defirisk.reports.value import UNKNOWN, is_address, is_unknown, show

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
INLINE = "inline"


def html(
    report: Report,
    plotly: str = INLINE,
    pages: Sequence[tuple[str, str]] = (),
    here: str = "",
    details: Sequence[str] = (),
) -> str:
    """The whole page. `plotly` is "inline", or the relative path of a plotly.min.js to share.

    `pages` are the (file name, title) of the pages of a site, `here` this page's file name,
    `details` further files; a cell of text that is one of these file names becomes a link.
    """
    from markupsafe import Markup

    charts = {
        f"chart-{number}": block
        for number, block in enumerate(
            block for block in report.blocks() if isinstance(block, Chart | Network)
        )
    }
    inline = [_script("charts.js")] if charts else []
    if charts and plotly == INLINE:
        inline.insert(0, plotly_js())
    return (
        _environment()
        .get_template("page.html")
        .render(
            report=report,
            provenance=provenance.lines(report.header),
            charts={id(chart): name for name, chart in charts.items()},
            figures=Markup(embedded({name: plot.figure(one) for name, one in charts.items()})),
            style=Markup((TEMPLATES / "style.css").read_text(encoding="utf-8")),
            scripts=[Markup(script) for script in inline],
            plotly_path=plotly if charts and plotly != INLINE else "",
            policy=_policy(inline, shared=plotly != INLINE),
            pages=pages,
            files=[*(file for file, _ in pages), *details],
            here=here,
        )
    )


@cache
def plotly_js() -> str:
    """plotly.js as the installed plotly package brings it."""
    from importlib.resources import files

    path = files("plotly").joinpath("package_data", "plotly.min.js")
    return path.read_text(encoding="utf-8").replace("\r\n", "\n")


def embedded(value: Any) -> str:
    """JSON that is safe inside a script element: it cannot close it."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _script(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _policy(scripts: Sequence[str], *, shared: bool) -> str:
    """Only these scripts may run, and nothing may be loaded from anywhere."""
    hashes = (base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in scripts)
    sources = " ".join([f"'sha256-{one}'" for one in hashes] + ["'self'"] * shared) or "'none'"
    return (
        f"default-src 'none'; script-src {sources}; "
        "style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "clean": escape.clean,
        "ident": id,
        "sentence": _sentence,
        "show": _shown,
    }
    environment.globals |= {
        "kind_of": lambda block: type(block).__name__.lower(),
        "cell_class": _cell_class,
        "text_kind": lambda kind: kind in TEXT_KINDS,
        "linked": lambda value, kind: kind == "address" and is_address(str(value)),
        "csv_link": _csv_link,
    }
    return environment


def _sentence(text: str) -> str:
    """A number and its percent sign stay on one line."""
    return re.sub(r"(?<=\d) %", "\N{NO-BREAK SPACE}%", escape.clean(text, escape.TEXT_LIMIT))


def _shown(value: Value, kind: Kind, absent: str = UNKNOWN) -> str:
    return escape.clean(show(value, kind, absent), escape.limit_of(kind))


def _cell_class(value: Value, column: Column | Number) -> str:
    names = ["text" if column.kind in TEXT_KINDS else "number"]
    if is_unknown(value):
        names.append("unknown")
    elif column.tone == "loss" and value:
        names.append("loss")
    return " ".join(names)


def _csv_link(block: Table | Chart) -> str:
    """The block's data as an address that the browser saves without asking anyone."""
    text = table_csv(chart_table(block) if isinstance(block, Chart) else block)
    return "data:text/csv;charset=utf-8;base64," + base64.b64encode(text.encode()).decode()
