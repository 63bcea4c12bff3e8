"""A list of records prints in every format."""

from __future__ import annotations

import json

import pytest

from defirisk.reports.model import Column, Header, Note
from defirisk.reports.records import records_report
from defirisk.reports.render import FORMATS, render
from tests.unit.reports import sample

COLUMNS = (Column("name", "Name", "text"), Column("lag_seconds", "Lag", "seconds"))


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_prints_it(format: str) -> None:
    notes = [Note("warning", "Half of it is missing.")]
    rows = [("aave-v3", 72), ("morpho", None)]
    report = records_report(
        "Status", Header(run=sample.RUN), COLUMNS, rows, name="deployments", notes=notes
    )
    text = render(report, format)
    assert "aave-v3" in text
    assert "Half of it is missing." in text


def test_json_lists_them_under_their_name() -> None:
    report = records_report("L", Header(run=sample.RUN), COLUMNS, [("a", None)], name="protocols")
    body = json.loads(render(report, "json"))
    assert body["protocols"] == [{"name": "a", "lag_seconds": None}]
    assert body["block"] is None


def test_empty_list_says_so() -> None:
    report = records_report(
        "L", Header(run=sample.RUN), COLUMNS, [], name="x", empty="none indexed"
    )
    assert "none indexed" in render(report, "table")
    assert render(report, "csv") == "name,lag_seconds\n"
