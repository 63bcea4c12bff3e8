"""A report as Markdown that pastes unchanged into a forum post (Discourse, GitHub)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from defirisk.reports import escape, provenance
from defirisk.reports.model import (
    TEXT_KINDS,
    Block,
    Chart,
    Kind,
    Network,
    Note,
    Numbers,
    Paragraph,
    Report,
    Table,
    Value,
)
from defirisk.reports.picture import picture
from defirisk.reports.value import UNKNOWN, is_address, show

_WIDTH = 76


def markdown(report: Report) -> str:
    """The whole report."""
    explorer = report.header.run.explorer
    parts = [f"# {escape.markdown(report.title)}"]
    parts += [text for block in report.lead for text in _block(block, explorer)]
    for section in report.sections:
        parts.append(f"## {escape.markdown(section.title)}")
        parts += [text for block in section.blocks for text in _block(block, explorer)]
    parts += _provenance(report)
    return "\n\n".join(parts) + "\n"


def _block(block: Block, explorer: str) -> Iterator[str]:
    match block:
        case Paragraph(text):
            yield escape.markdown(text, escape.TEXT_LIMIT)
        case Note(level, text):
            word = "Warning" if level == "warning" else "Note"
            yield f"> **{word}:** {escape.markdown(text, escape.TEXT_LIMIT)}"
        case Numbers(items):
            yield "\n".join(
                f"- {escape.markdown(one.label)}: **{_cell(one.value, one.kind, explorer)}**"
                + (f" ({escape.markdown(one.note)})" if one.note else "")
                for one in items
            )
        case Table():
            yield from _table(block, explorer)
        case Chart():
            yield from _chart(block)
        case Network():
            pass


def _table(table: Table, explorer: str) -> Iterator[str]:
    if table.title:
        yield f"**{escape.markdown(table.title)}**"
    if not table.rows:
        yield table.empty
        return
    kinds = [column.kind for column in table.columns]
    lines = [
        _row(escape.markdown(column.label) for column in table.columns),
        _row(":---" if kind in TEXT_KINDS else "---:" for kind in kinds),
    ]
    lines += [
        _row(
            _cell(value, column.kind, explorer, column.absent)
            for value, column in zip(row, table.columns, strict=True)
        )
        for row in table.rows
    ]
    yield "\n".join(lines)
    if table.caption:
        yield f"*{escape.markdown(table.caption, escape.TEXT_LIMIT)}*"


def _row(cells: Iterator[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _cell(value: Value, kind: Kind, explorer: str, absent: str = UNKNOWN) -> str:
    shown = escape.markdown(show(value, kind, absent), escape.limit_of(kind))
    if kind == "address" and isinstance(value, str) and explorer and is_address(value):
        return f"[{shown}]({explorer}{value})"
    return shown


def _chart(chart: Chart) -> Iterator[str]:
    yield f"**{escape.markdown(chart.title)}** ({escape.markdown(chart.y.label)})"
    series = tuple(
        replace(one, name=escape.fenced(one.name, escape.SYMBOL_LIMIT)) for one in chart.series
    )
    lines = picture(replace(chart, series=series), _WIDTH)
    yield "\n".join(["```text", *(line.replace("`", "'") for line in lines), "```"])
    if chart.note:
        yield f"*{escape.markdown(chart.note, escape.TEXT_LIMIT)}*"


def _provenance(report: Report) -> list[str]:
    rows = [
        f"- {escape.markdown(label)}: {escape.markdown(value, escape.TEXT_LIMIT)}"
        for label, value in provenance.lines(report.header)
    ]
    command = escape.fenced(report.header.run.command, escape.TEXT_LIMIT)
    return ["## How to repeat this", "\n".join(rows), f"```text\n{command}\n```"]
