"""What hostile tokens call themselves does nothing in any format: every command, one bank."""

from __future__ import annotations

import base64
import csv
import html.parser
import io
import json
import re
from collections import Counter

import pytest
from markdown_it import MarkdownIt

from tests.command import CommandLine
from tests.hostile.conftest import Indexed
from tests.hostile.piggy import NAME

COMMANDS = {
    "report": ("report", "protocol", NAME),
    "positions": ("positions", NAME, "--top", "999"),
    "stress": ("stress", "--shock", "price:MKR=-40%", "--accounts"),
    "status": ("status",),
    "graph": ("graph",),
}
EVERY_COMMAND = pytest.mark.parametrize("command", COMMANDS)
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
CSV = "data:text/csv;charset=utf-8;base64,"
NUMBER = re.compile(r"-?[\d.]+(e[+-]?\d+)?")


class Page(html.parser.HTMLParser):
    """What a browser would act on: tags, the names of attributes, addresses."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: set[str] = set()
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes |= {name for name, _ in attrs}
        self.addresses += [said or "" for name, said in attrs if name in ("href", "src", "action")]


def assert_no_formula(text: str) -> None:
    rows = list(csv.reader(io.StringIO(text)))
    assert {len(row) for row in rows} == {len(rows[0])}
    for cell in (cell for row in rows for cell in row):
        assert not CONTROL.search(cell)
        assert NUMBER.fullmatch(cell) or not cell.startswith(("=", "+", "-", "@", "\t")), cell


def printed(cli: CommandLine, database: str, command: str, format_: str) -> str:
    ran = cli(*COMMANDS[command], "--format", format_, "--db", database)
    assert (ran.code, ran.err) == (0, "")
    return ran.out


def test_the_names_are_shown_at_all(strange: Indexed, database: str, cli: CommandLine) -> None:
    """Else nothing below would prove anything."""
    text = printed(cli, database, "report", "json")
    assert "<script>alert('name')" in text.replace("\\u003c", "<").replace("\\u003e", ">")
    assert "HYPERLINK" in printed(cli, database, "positions", "csv")
    assert "free" in printed(cli, database, "positions", "md")


@EVERY_COMMAND
def test_a_page_acts_on_nothing_that_a_token_said(
    strange: Indexed, database: str, cli: CommandLine, command: str
) -> None:
    text = printed(cli, database, command, "html")
    page = Page(text)
    assert not [name for name in page.attributes if name.startswith("on")]
    assert not [to for to in page.addresses if re.match(r"\s*(javascript|data:text/html)", to)]
    for table in (to for to in page.addresses if to.startswith(CSV)):
        assert_no_formula(base64.b64decode(table.removeprefix(CSV)).decode())
    assert "evil.example" not in "".join(page.addresses)
    assert page.tags["img"] == page.tags["iframe"] == 0
    assert "<script>alert('name')" not in text
    assert text.count("</script") == page.tags["script"]
    assert not CONTROL.search(re.sub(r"<script.*?</script>", "", text, flags=re.S))


@EVERY_COMMAND
def test_no_cell_of_a_spreadsheet_is_a_formula(
    strange: Indexed, database: str, cli: CommandLine, command: str
) -> None:
    assert_no_formula(printed(cli, database, command, "csv"))


@EVERY_COMMAND
def test_a_forum_renders_no_markup_that_a_token_said(
    strange: Indexed, database: str, cli: CommandLine, command: str
) -> None:
    """By a renderer that lets HTML through."""
    text = printed(cli, database, command, "md")
    assert not CONTROL.search(text)
    markdown = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    rendered = markdown.render(text)
    assert not Page(rendered).tags.keys() & {"script", "img", "iframe", "a"}
    assert "<strong>bold" not in rendered
    assert "<h1>heading" not in rendered
    for table in re.findall(r"(?:^\|.*\|\n)+", text, re.M):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(widths) == 1, table


@EVERY_COMMAND
def test_a_terminal_gets_lines_of_visible_characters(
    strange: Indexed, database: str, cli: CommandLine, command: str
) -> None:
    assert not CONTROL.search(printed(cli, database, command, "table"))


@EVERY_COMMAND
def test_a_program_gets_json_without_surprises(
    strange: Indexed, database: str, cli: CommandLine, command: str
) -> None:
    text = printed(cli, database, command, "json")
    json.loads(text, parse_constant=pytest.fail)
    assert not CONTROL.search(text)
