"""A report on a terminal: as wide as it is, with bars where one would rather look than read."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

from defirisk.reports import escape, provenance
from defirisk.reports.model import (
    TEXT_KINDS,
    Block,
    Chart,
    Column,
    Note,
    Numbers,
    Paragraph,
    Report,
    Table,
    Value,
)
from defirisk.reports.picture import picture
from defirisk.reports.value import is_unknown, show

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_PICTURE_WIDTH = 100
_NARROW = 60


def terminal(report: Report, *, width: int = 100, color: bool = False) -> str:
    """The whole report as text of `width` columns; `color` adds ANSI styles."""
    from rich.console import Console

    text = io.StringIO()
    console = Console(
        file=text,
        width=width,
        force_terminal=color,
        color_system="standard" if color else None,
        no_color=not color,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )
    _line(console, escape.terminal(report.title), "bold")
    for block in report.lead:
        _block(console, block)
    for section in report.sections:
        console.print()
        _line(console, escape.terminal(section.title), "bold underline")
        for block in section.blocks:
            _block(console, block)
    _provenance(console, report)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n"


def _line(console: Console, text: str, style: str = "") -> None:
    from rich.text import Text

    console.print(Text(text, style=style))


def _block(console: Console, block: Block) -> None:
    console.print()
    match block:
        case Paragraph(text):
            _line(console, escape.terminal(text, escape.TEXT_LIMIT))
        case Note(level, text):
            mark, style = ("!", "bold") if level == "warning" else ("i", "dim")
            _line(console, f"{mark} {escape.terminal(text, escape.TEXT_LIMIT)}", style)
        case Numbers(items):
            for item in items:
                _tile(console, item.label, item.value, Column("", "", item.kind, item.tone))
        case Table():
            _table(console, block)
        case Chart():
            _chart(console, block)


def _tile(console: Console, label: str, value: Value, column: Column) -> None:
    from rich.text import Text

    text = Text(f"  {escape.terminal(label)}: ")
    text.append(_cell(value, column))
    console.print(text)


def _cell(value: Value, column: Column) -> Text:
    from rich.text import Text

    shown = escape.terminal(show(value, column.kind), escape.limit_of(column.kind))
    if is_unknown(value):
        return Text(shown, style="dim")
    return Text(shown, style="red" if column.tone == "loss" and value else "")


def _table(console: Console, table: Table) -> None:
    from rich import box
    from rich.table import Table as Grid

    if table.title:
        _line(console, escape.terminal(table.title), "bold")
    if not table.rows:
        _line(console, f"  {table.empty}", "dim")
        return
    if console.width < _NARROW:
        _records(console, table)
        return
    grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in table.columns:
        text = column.kind in TEXT_KINDS
        grid.add_column(
            escape.terminal(column.label),
            justify="left" if text else "right",
            overflow="fold" if text else "ellipsis",
            no_wrap=not text,
        )
    for row in table.rows:
        grid.add_row(*(_cell(value, one) for value, one in zip(row, table.columns, strict=True)))
    console.print(grid)
    if table.caption:
        _line(console, escape.terminal(table.caption, escape.TEXT_LIMIT), "dim")


def _records(console: Console, table: Table) -> None:
    """One line per field: what stays readable on a narrow terminal."""
    for row in table.rows:
        console.print()
        for value, column in zip(row, table.columns, strict=True):
            _tile(console, column.label, value, column)


def _chart(console: Console, chart: Chart) -> None:
    _line(console, f"{escape.terminal(chart.title)} ({chart.y.label})", "bold")
    series = tuple(
        replace(one, name=escape.terminal(one.name, escape.SYMBOL_LIMIT)) for one in chart.series
    )
    for line in picture(replace(chart, series=series), min(console.width, _PICTURE_WIDTH)):
        _line(console, line)
    if chart.note:
        _line(console, escape.terminal(chart.note, escape.TEXT_LIMIT), "dim")


def _provenance(console: Console, report: Report) -> None:
    console.print()
    for label, value in provenance.lines(report.header):
        _line(console, f"{label}: {escape.terminal(value, escape.TEXT_LIMIT)}", "dim")
    command = escape.terminal(report.header.run.command, escape.TEXT_LIMIT)
    _line(console, f"Repeat with: {command}", "dim")
