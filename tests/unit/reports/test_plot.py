"""Figures: gaps for what is unknown, ticks as people read them, names that do nothing."""

from __future__ import annotations

import math
from typing import Any, Literal

import pytest

from defirisk.reports.model import Axis, Chart, Series
from defirisk.reports.plot import figure


def drawn(
    *heights: float, form: Literal["line", "stacked"] = "line", name: str = "a"
) -> dict[str, Any]:
    series = Series(name=name, x=tuple(0.1 * i for i in range(len(heights))), y=heights)
    chart = Chart(
        name="c",
        title="",
        form=form,
        x=Axis("Fall", "percent"),
        y=Axis("USD", "usd"),
        series=(series, series) if form == "stacked" else (series,),
    )
    return figure(chart)


@pytest.mark.parametrize(
    ("top", "labels"),
    [
        (630_000.0, ["$0", "$200K", "$400K", "$600K"]),
        (1_500_000.0, ["$0", "$500K", "$1M", "$1.5M"]),
        (1e9, ["$0", "$200M", "$400M", "$600M", "$800M", "$1B"]),
        (4.0, ["$0", "$1", "$2", "$3", "$4"]),
    ],
)
def test_ticks_read_as_the_tables_do(top: float, labels: list[str]) -> None:
    assert drawn(0.0, top)["layout"]["yaxis"]["ticktext"] == labels


def test_ticks_reach_the_highest_of_several_lines() -> None:
    x, y = Axis("Fall", "percent"), Axis("USD", "usd")
    lines = tuple(Series(name=str(top), x=(0.0, 0.6), y=(0.0, top)) for top in (9.0, 1.0))
    chart = Chart(name="c", title="", form="line", x=x, y=y, series=lines)
    assert figure(chart)["layout"]["yaxis"]["tickvals"][-1] == 8


def test_stacked_ticks_reach_the_sum() -> None:
    assert drawn(0.0, 400.0, form="stacked")["layout"]["yaxis"]["tickvals"][-1] == 800


def test_unknown_is_a_gap_and_percent_is_scaled() -> None:
    trace = drawn(1.0, math.nan)["data"][0]
    assert trace["x"] == [0.0, 10.0]
    assert trace["y"] == [1.0, None]
    assert trace["customdata"][1] == ["10.0 %", "unknown"]


def test_nothing_to_draw_is_no_error() -> None:
    assert drawn()["data"][0]["x"] == []
    assert "ticktext" not in drawn(0.0, 0.0)["layout"]["yaxis"]


def test_names_are_inert() -> None:
    trace = drawn(1.0, name="<a href='javascript:x'>%{y}</a>")["data"][0]
    assert "<" not in trace["name"]
    assert "%{" not in trace["name"]


def test_dollars_along_the_bottom_read_as_in_the_tables() -> None:
    series = (Series(name="a", x=(0.0, 2_480_000.0), y=(0.0, 0.8)),)
    chart = Chart(
        name="c", title="", form="line", x=Axis("", "usd"), y=Axis("", "percent"), series=series
    )
    axis = figure(chart)["layout"]["xaxis"]
    assert axis["ticktext"] == ["$0", "$500K", "$1M", "$1.5M", "$2M"]
    assert axis["tickvals"][-1] == 2_000_000
