"""Charts as text."""

from __future__ import annotations

import math

from defirisk.reports.model import Axis, Chart, Series
from defirisk.reports.picture import bar, picture, sparkline


def test_bar_has_eighths_and_never_hides_something() -> None:
    assert bar(1.0, 4) == "████"
    assert bar(0.5, 1) == "▌"
    assert bar(1e-9, 10) == "▏"
    assert bar(0.0, 10) == ""


def test_sparkline_tells_zero_from_unknown() -> None:
    assert sparkline([0.0, 1.0, 8.0, math.nan], 8.0) == "·▂█ "


def test_stacked_bars_show_their_sum() -> None:
    series = tuple(Series(name=name, x=("0 - 5 %",), y=(1e6,)) for name in "ab")
    chart = Chart(
        name="wall", title="", form="stacked", x=Axis("", "text"), y=Axis("", "usd"), series=series
    )
    (line,) = picture(chart, 40)
    assert "$2.00M" in line


def test_chart_without_numbers_says_so() -> None:
    series = (Series(name="a", x=(0.0,), y=(math.nan,)),)
    chart = Chart(
        name="c", title="", form="line", x=Axis("", "percent"), y=Axis("", "usd"), series=series
    )
    assert picture(chart, 40) == ["nothing to show"]


def test_a_line_is_drawn_between_its_points_and_no_further() -> None:
    series = (
        Series(name="long", x=(0.0, 8.0), y=(0.0, 8.0)),
        Series(name="short", x=(0.0, 4.0), y=(0.0, 8.0)),
    )
    chart = Chart(
        name="c", title="", form="line", x=Axis("", "number"), y=Axis("", "number"), series=series
    )
    first, second, _ = picture(chart, 28)
    assert first.split()[1] == "".join(sorted(first.split()[1]))
    assert len(second.split()[1]) < len(first.split()[1])
    assert second.split()[1][-1] == "█"
