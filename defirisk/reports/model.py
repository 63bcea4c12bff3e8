"""The document model: what a report says, in raw numbers. Only renderers make text of numbers.

A value is None (or NaN) where it is unknown. Its `Kind` states the unit: `usd` and `price` US
dollars, `percent` a fraction (1.0 is 100 %), `health` a health factor (infinite without debt),
`time` UTC seconds, `seconds` a length of time, `token` whole tokens, `prose` sentences.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from defirisk.core.book import Book

Value = str | int | float | bool | None
Kind = Literal[
    "text",
    "prose",
    "address",
    "usd",
    "price",
    "number",
    "percent",
    "fee",
    "health",
    "time",
    "seconds",
    "int",
    "token",
]
Tone = Literal["plain", "loss"]
TEXT_KINDS = ("text", "prose", "address")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How a report came about, as far as the book does not know it.

    `final` is None where the node could not say; `explorer` is the start of the chain's address
    pages, empty where it has none.
    """

    command: str
    version: str
    final: bool | None = None
    chain: str = ""
    explorer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Everything that is needed to repeat a report. None: does not apply to this command."""

    run: Run
    chain_id: int | None = None
    block: int | None = None
    block_hash: str | None = None
    as_of: int | None = None
    shocks: tuple[str, ...] = ()
    proof: tuple[tuple[str, str], ...] = ()


def header_of(book: Book, run: Run, shocks: tuple[str, ...] = ()) -> Header:
    """The header of a report on a book: its block, and how each deployment was proven."""
    return Header(
        run=run,
        chain_id=book.chain_id,
        block=book.block.number,
        block_hash=book.block.hash,
        as_of=book.block.timestamp,
        shocks=shocks,
        proof=tuple((one.name, one.proof) for one in book.deployments),
    )


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Plain sentences."""

    text: str


@dataclass(frozen=True, slots=True)
class Note:
    """A remark that stands out; a warning is repeated in every format, at its top."""

    level: Literal["info", "warning"]
    text: str
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """One number that deserves a tile. `key` names it in JSON."""

    key: str
    label: str
    value: Value
    kind: Kind
    note: str = ""
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Numbers:
    """A row of tiles."""

    items: tuple[Number, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `key` in JSON and CSV, `label` for people. `tone` colours what is not 0.

    `absent` is said of a value that is not there, where that does not mean it is unknown. A
    `detail` is left out on a terminal that is too narrow for it.
    """

    key: str
    label: str
    kind: Kind
    tone: Tone = "plain"
    absent: str = "unknown"
    detail: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Records. `name` is its file name (without suffix) as CSV; `empty` is said without rows."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    caption: str = ""
    empty: str = "none"


@dataclass(frozen=True, slots=True)
class Axis:
    """What an axis measures, and the unit of its values."""

    label: str
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Points (x, y) of one name. In a step chart, y holds from its x to the next."""

    name: str
    x: tuple[Value, ...]
    y: tuple[float, ...]
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A picture and the data behind it. `log` puts y on a logarithmic axis."""

    name: str
    title: str
    form: Literal["line", "step", "bar", "stacked"]
    x: Axis
    y: Axis
    series: tuple[Series, ...]
    log: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """A node of a picture: its place, in no unit, and what to read where it is chosen.

    `facts` are (what, how much) as text, `ties` the edges it has, also those that are no line of
    the picture. A `marked` one stands out. A `minor` one is only drawn where it is looked for.
    """

    id: str
    kind: str
    label: str
    x: float
    y: float
    value_usd: float | None
    ties: int
    facts: tuple[tuple[str, str], ...] = ()
    marked: bool = False
    minor: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An edge of a picture, from one dot to another, by their ids. Dollars: None is unknown."""

    source: str
    target: str
    kind: str
    value_usd: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A picture of nodes and lines to filter by kind, name and dollars, and to click. Formats that
    cannot draw leave it out: tables say it all.
    """

    name: str
    title: str
    dots: tuple[Dot, ...]
    lines: tuple[Line, ...]
    note: str = ""

    def kinds(self) -> tuple[str, ...]:
        """The kinds of its dots, in the order of the dots."""
        return tuple(dict.fromkeys(dot.kind for dot in self.dots))


Block = Paragraph | Note | Numbers | Table | Chart | Network


@dataclass(frozen=True, slots=True)
class Section:
    """A titled part; `id` is its anchor."""

    id: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A whole document: the answer first (`lead`), then sections.

    `data` is what JSON says beside the header; where it is None, the sections are written out.
    `csv` names the table that CSV prints, the first one by default.
    """

    title: str
    header: Header
    lead: tuple[Block, ...] = ()
    sections: tuple[Section, ...] = ()
    data: Mapping[str, Any] | None = None
    csv: str = ""

    def blocks(self) -> Iterator[Block]:
        """Every block, in order of reading."""
        yield from self.lead
        for section in self.sections:
            yield from section.blocks

    def tables(self) -> Iterator[Table]:
        """Every table, in order of reading."""
        return (block for block in self.blocks() if isinstance(block, Table))

    def warnings(self) -> tuple[Note, ...]:
        """What no reader may miss."""
        notes = (block for block in self.blocks() if isinstance(block, Note))
        return tuple(note for note in notes if note.level == "warning")


def chart_table(chart: Chart) -> Table:
    """A chart's data as records: one row for each point of each series."""
    return Table(
        name=chart.name,
        title=chart.title,
        columns=(
            Column("series", "Series", "text"),
            Column("x", chart.x.label, chart.x.kind),
            Column("y", chart.y.label, chart.y.kind),
        ),
        rows=tuple(
            (series.name, x, y)
            for series in chart.series
            for x, y in zip(series.x, series.y, strict=True)
        ),
    )
