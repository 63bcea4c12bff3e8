"""Charts as lines of text, for where nothing can be drawn: terminals and forum posts."""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterable, Sequence

from defirisk.reports import escape
from defirisk.reports.model import Chart, Series
from defirisk.reports.value import show

_LEVELS = "▁▂▃▄▅▆▇█"
_EIGHTHS = " ▏▎▍▌▋▊▉"


def picture(chart: Chart, width: int) -> list[str]:
    """The chart in about `width` columns; names of series are to be escaped before."""
    known = [series for series in chart.series if any(math.isfinite(y) for y in series.y)]
    if not known:
        return ["nothing to show"]
    if chart.form in ("bar", "stacked"):
        return _bars(chart, known, width)
    return _sparklines(chart, known, width)


def _bars(chart: Chart, known: list[Series], width: int) -> list[str]:
    """One bar per x; stacked series are added up."""
    totals: dict[str, float] = {}
    for series in known:
        for x, y in zip(series.x, series.y, strict=True):
            label = escape.clean(show(x, chart.x.kind), escape.SYMBOL_LIMIT)
            totals[label] = totals.get(label, 0.0) + (y if math.isfinite(y) else 0.0)
    shown = {label: show(total, chart.y.kind) for label, total in totals.items()}
    label_width, value_width = _longest(totals), _longest(shown.values())
    room = max(width - label_width - value_width - 4, 8)
    top = max(totals.values()) or 1.0
    return [
        f"{label:>{label_width}}  {shown[label]:>{value_width}}  {bar(total / top, room)}".rstrip()
        for label, total in totals.items()
    ]


def bar(fraction: float, width: int) -> str:
    """A bar of `fraction` of `width` columns, to an eighth of a column."""
    eighths = max(round(fraction * width * 8), 1 if fraction > 0 else 0)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _sparklines(chart: Chart, known: list[Series], width: int) -> list[str]:
    """One line of levels per series, all to the same scale, and what its last point is."""
    low = min(float(x) for series in known for x in series.x if isinstance(x, int | float))
    high = max(float(x) for series in known for x in series.x if isinstance(x, int | float))
    ends = [show(series.y[-1], chart.y.kind) for series in known]
    name_width, end_width = _longest(series.name for series in known), _longest(ends)
    room = max(width - name_width - end_width - 4, 8)
    grid = [low + (high - low) * column / max(room - 1, 1) for column in range(room)]
    top = max(y for series in known for y in series.y if math.isfinite(y)) or 1.0
    drawn = [sparkline(_sampled(series, grid, chart), top) for series in known]
    lines = [
        f"{series.name:>{name_width}}  {line}  {end:>{end_width}}"
        for series, line, end in zip(known, drawn, ends, strict=True)
    ]
    start, stop = show(low, chart.x.kind), show(high, chart.x.kind)
    scale = start + " " * max(room - len(start) - len(stop), 1) + stop
    return [*lines, f"{'':{name_width}}  {scale}"]


def sparkline(values: Sequence[float], top: float) -> str:
    """One character per value; a dot is 0, a blank unknown."""

    def level(value: float) -> str:
        if not math.isfinite(value):
            return " "
        return _LEVELS[min(int(value / top * 8), 7)] if value > 0 else "·"

    return "".join(level(value) for value in values)


def _sampled(series: Series, grid: Sequence[float], chart: Chart) -> list[float]:
    """The value at each point of the grid: of a line, in between; of steps, what holds there."""
    xs = [float(x) for x in series.x if isinstance(x, int | float)]
    places = [bisect.bisect_right(xs, point + 1e-12) - 1 for point in grid]
    if chart.form != "line":
        return [series.y[place] if place >= 0 else math.nan for place in places]
    return [_between(series, xs, place, point) for place, point in zip(places, grid, strict=True)]


def _between(series: Series, xs: Sequence[float], place: int, x: float) -> float:
    """On the line from one point to the next; nothing where it has not begun or has ended."""
    if place < 0 or (place == len(xs) - 1 and x > xs[place] * (1 + 1e-9)):
        return math.nan
    if place == len(xs) - 1 or series.y[place] == series.y[place + 1]:
        return series.y[place]
    part = (x - xs[place]) / (xs[place + 1] - xs[place])
    return series.y[place] + part * (series.y[place + 1] - series.y[place])


def _longest(words: Iterable[str]) -> int:
    return max((len(word) for word in words), default=0)
