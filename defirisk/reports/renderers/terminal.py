"""A report on a terminal: as wide as it is, with bars where one would rather look than read."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from defirisk.reports import escape, provenance
from defirisk.reports.model import (
    TEXT_KINDS,
    Block,
    Chart,
    Column,
    Network,
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
_FOLDED = ("text", "prose")
_FOLDED_WIDTH = 10
_GAP = 3


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
    if isinstance(block, Network):
        return
    console.print()
    match block:
        case Paragraph(text):
            _line(console, escape.terminal(text, escape.TEXT_LIMIT))
        case Note(level, text):
            mark, style = ("!", "bold") if level == "warning" else ("i", "dim")
            _line(console, f"{mark} {escape.terminal(text, escape.TEXT_LIMIT)}", style)
        case Numbers(items):
            for item in items:
                _tile(
                    console, item.label, item.value, Column("", "", item.kind, item.tone), item.note
                )
        case Table():
            _table(console, block)
        case Chart():
            _chart(console, block)


def _tile(console: Console, label: str, value: Value, column: Column, note: str = "") -> None:
    from rich.text import Text

    text = Text(f"  {escape.terminal(label)}: ")
    text.append(_cell(value, column))
    if note:
        text.append(f" ({escape.terminal(note)})", style="dim")
    console.print(text)


def _cell(value: Value, column: Column) -> Text:
    from rich.text import Text

    shown = escape.terminal(show(value, column.kind, column.absent), escape.limit_of(column.kind))
    if is_unknown(value):
        return Text(shown, style="dim")
    return Text(shown, style="red" if column.tone == "loss" and value else "")


def _table(console: Console, table: Table) -> None:
    if table.title:
        _line(console, escape.terminal(table.title), "bold")
    if not table.rows:
        _line(console, f"  {escape.terminal(table.empty)}", "dim")
        return
    kept = [i for i, column in enumerate(table.columns) if not column.detail]
    if not (_fits(console, table, range(len(table.columns))) or _fits(console, table, kept)):
        _records(console, table)
    if table.caption:
        _line(console, escape.terminal(table.caption, escape.TEXT_LIMIT), "dim")


def _fits(console: Console, table: Table, places: Sequence[int]) -> bool:
    """Prints the table with these of its columns, if the terminal is wide enough for them."""
    columns = [table.columns[i] for i in places]
    cells = [[_cell(row[i], table.columns[i]) for i in places] for row in table.rows]
    by_column = [[row[i] for row in cells] for i in range(len(columns))]
    least = list(map(_least, columns, by_column))
    room = console.width - sum(least) - _GAP * (len(least) - 1)
    if room < 0:
        return False
    _grid(console, columns, cells, _widths(least, list(map(_whole, columns, by_column)), room))
    return True


def _whole(column: Column, cells: Sequence[Text]) -> int:
    """The width at which nothing folds."""
    return max(len(column.label), *(cell.cell_len for cell in cells))


def _widths(least: Sequence[int], whole: Sequence[int], room: int) -> list[int]:
    """Hands out what room there is, first to the columns that need little to be whole."""
    widths = list(least)
    for i in sorted(range(len(widths)), key=lambda i: whole[i] - least[i]):
        given = min(room, max(0, whole[i] - least[i]))
        widths[i] += given
        room -= given
    return widths


def _least(column: Column, cells: Sequence[Text]) -> int:
    """Headings wrap at blanks and text folds, but a number is shown whole or not in a grid."""
    heading = max((len(word) for word in column.label.split()), default=1)
    widest = max(cell.cell_len for cell in cells)
    return max(heading, min(widest, _FOLDED_WIDTH) if column.kind in _FOLDED else widest)


def _grid(
    console: Console,
    columns: Sequence[Column],
    cells: Sequence[Sequence[Text]],
    widths: Sequence[int],
) -> None:
    from rich import box
    from rich.table import Table as Grid

    grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column, width in zip(columns, widths, strict=True):
        grid.add_column(
            escape.terminal(column.label),
            justify="left" if column.kind in TEXT_KINDS else "right",
            overflow="fold",
            width=width,
        )
    for row in cells:
        grid.add_row(*row)
    console.print(grid)


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
