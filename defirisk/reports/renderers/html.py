"""A report as one self-contained page: no request leaves it, which its own policy enforces."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from defirisk.reports import escape, plot, provenance
from defirisk.reports.diagram import diagram, marks
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
    from markupsafe import Markup

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
INLINE = "inline"
B = TypeVar("B", Chart, Network)


@dataclass(frozen=True, slots=True)
class Link:
    """A page of a site as its navigation shows it; those of one `group` are folded together."""

    file: str
    name: str
    group: str = ""


def html(
    report: Report,
    plotly: str = INLINE,
    pages: Sequence[Link] = (),
    here: str = "",
    details: Mapping[str, str] | None = None,
) -> str:
    """The whole page. `plotly` is "inline", or the relative path of a plotly.min.js to share.

    `pages` are the links to the pages of a site, `here` the file name of that among them which is
    this page, or which leads to it; `details` are titles of further files. A cell of text that
    is a file name of these becomes a link.
    """
    from markupsafe import Markup

    charts = _numbered("chart", report, Chart)
    networks = _numbered("network", report, Network)
    inline = [_script("charts.js")] if charts else []
    if charts and plotly == INLINE:
        inline.insert(0, plotly_js())
    if networks:
        inline += [_script("drawing.js"), _script("network.js")]
    return (
        _environment()
        .get_template("page.html")
        .render(
            report=report,
            provenance=provenance.lines(report.header),
            names={id(block): name for name, block in {**charts, **networks}.items()},
            figures=_json({name: plot.figure(one) for name, one in charts.items()}),
            networks=_json({name: diagram(one) for name, one in networks.items()}),
            style=Markup((TEMPLATES / "style.css").read_text(encoding="utf-8")),
            scripts=[Markup(script) for script in inline],
            plotly_path=plotly if charts and plotly != INLINE else "",
            policy=_policy(inline, shared=plotly != INLINE),
            pages=[(name, list(group)) for name, group in groupby(pages, lambda one: one.group)],
            titles={**(details or {}), **{one.file: one.name for one in pages}},
            listed=[one.file for one in pages],
            here=here,
        )
    )


def _numbered(name: str, report: Report, kind: type[B]) -> dict[str, B]:
    """The blocks of one kind by the ids of their elements."""
    found = (block for block in report.blocks() if isinstance(block, kind))
    return {f"{name}-{number}": block for number, block in enumerate(found)}


def _json(value: Mapping[str, Any]) -> Markup | str:
    """For a script element; nothing where there is nothing."""
    from markupsafe import Markup

    return Markup(embedded(value)) if value else ""


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
        "mark_of": marks,
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
