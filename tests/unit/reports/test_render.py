"""One report, every format."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from typing import Any

import pytest
from markdown_it import MarkdownIt

from defirisk.core.errors import UsageError
from defirisk.reports.model import (
    Axis,
    Chart,
    Column,
    Header,
    Note,
    Number,
    Numbers,
    Paragraph,
    Report,
    Section,
    Series,
    Table,
)
from defirisk.reports.render import FORMATS, render
from defirisk.reports.renderers.csv import csv as render_csv
from tests.unit.reports import sample

ACCOUNT = "0x87870bca3f3fd6335c3f4ce8392d69350b4fa4e2"
NASTY = "\x1b[31m</script><b>|`\u202e=cmd" + "X" * 10_000
HEADER_KEYS = {"schema_version", "chain_id", "block", "block_hash", "as_of", "command"}


def report(name: str = "WETH") -> Report:
    table = Table(
        name="accounts",
        title="Accounts",
        columns=(
            Column("account", "Account", "address"),
            Column("asset", "Asset", "text"),
            Column("health_factor", "Health factor", "health"),
            Column("debt_usd", "Debt", "usd"),
            Column("cap", "Of cap", "percent", absent="no cap"),
        ),
        rows=(
            (ACCOUNT, name, math.inf, 0.0, math.nan),
            (ACCOUNT, name, 1.2345678901234567, math.nan, 0.5),
        ),
        caption="By account.",
    )
    chart = Chart(
        name="curve",
        title="Debt against the fall",
        form="step",
        x=Axis("Fall", "percent"),
        y=Axis("USD", "usd"),
        series=(Series(name=name, x=(0.0, 0.2, 0.4), y=(0.0, 1e6, math.nan)),),
    )
    tile = Number(key="bad_debt_usd", label="Bad debt", value=1e6, kind="usd", tone="loss")
    return Report(
        title="A report",
        header=Header(
            run=sample.RUN,
            chain_id=1,
            block=21_000_000,
            block_hash="0x" + "ab" * 32,
            as_of=1_763_000_000,
            shocks=("price:WETH=-40%",),
            proof=(("aave-v3", "executed"),),
        ),
        lead=(Paragraph(f"{name} hurts."), Note("warning", f"{name} is unproven.", "unproven")),
        sections=(Section("all", "Everything", (Numbers((tile,)), chart, table)),),
    )


def parsed(text: str) -> dict[str, Any]:
    """JSON as a strict reader sees it."""

    def refuse(literal: str) -> None:
        raise ValueError(literal)

    value: dict[str, Any] = json.loads(text, parse_constant=refuse)
    return value


def test_json_has_the_header_and_full_precision() -> None:
    body = parsed(render(report(), "json"))
    assert body.keys() >= HEADER_KEYS
    assert body["as_of"] == "2025-11-13T02:13:20Z"
    assert body["warnings"] == [{"code": "unproven", "text": "WETH is unproven."}]
    numbers, chart, table = body["sections"][1]["blocks"]
    assert numbers["numbers"]["bad_debt_usd"] == {"value": 1e6, "unit": "usd", "note": ""}
    assert chart["series"][0]["y"] == [0.0, 1e6, None]
    assert [row["health_factor"] for row in table["rows"]] == [None, 1.2345678901234567]
    assert [row["debt_usd"] for row in table["rows"]] == [0.0, None]


def test_csv_is_raw_and_carries_warnings() -> None:
    rows = list(csv.DictReader(io.StringIO(render(report(), "csv"))))
    assert rows[1]["health_factor"] == "1.2345678901234567"
    assert rows[1]["debt_usd"] == ""
    assert rows[0]["account"] == ACCOUNT
    assert {row["warning"] for row in rows} == {"WETH is unproven."}


def test_csv_names_the_nearest_table() -> None:
    with pytest.raises(UsageError, match="did you mean accounts"):
        render_csv(report(), "acounts")


@pytest.mark.parametrize("format", ["table", "md", "html"])
def test_readable_formats_say_the_same(format: str) -> None:
    text = render(report(), format)
    for words in (
        "0x8787…a4e2",
        "∞",
        "1.23",
        "50.0 %",
        "no cap",
        "unknown",
        "$1.00M",
        "Ethereum",
        "21,000,000",
        "0xabab",
        "2025-11-13T02:13:20Z",
        "price:WETH=-40%" if format != "md" else "price\\:WETH=-40%",
        "WETH is unproven.",
        "defirisk 0.1.0",
        sample.RUN.command,
    ):
        assert words in text, words


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_terminal_keeps_to_its_width(width: int) -> None:
    lines = render(report(), "table", width=width).splitlines()
    assert max(map(len, lines)) <= width
    assert "█" in "".join(lines)


def test_terminal_styles_only_where_asked() -> None:
    assert "\x1b" not in render(report(), "table")
    assert "\x1b[31m" in render(report(), "table", color=True)


def test_markdown_is_well_formed_and_links_accounts() -> None:
    html = MarkdownIt("gfm-like", {"linkify": False}).render(render(report(), "md"))
    assert html.count("<tr>") == 3
    assert f'<a href="https://etherscan.io/address/{ACCOUNT}">0x8787…a4e2</a>' in html


@pytest.mark.parametrize("format", FORMATS)
def test_hostile_text_is_inert_and_cut(format: str) -> None:
    text = render(report(NASTY), format)
    own = text if format != "html" else without_plotly(text)
    assert "\x1b" not in own
    assert "\u202e" not in own
    assert "X" * 5000 not in own
    assert "…" in own or "\\u2026" in own
    if format == "json":
        parsed(text)
    if format == "md":
        assert "<b>" not in MarkdownIt("gfm-like", {"linkify": False, "html": True}).render(text)
    if format == "html":
        assert own.count("</script>") == own.count("<script")
        assert "<b>|" not in own


def test_unknown_format_is_refused() -> None:
    with pytest.raises(UsageError, match="did you mean html"):
        render(report(), "htm")


def without_plotly(page: str) -> str:
    """The page without its longest script."""
    scripts = re.findall(r"<script>.*?</script>", page, re.DOTALL)
    return page.replace(max(scripts, key=len), "<script></script>")
