"""Charts as figures that plotly.js draws: plain data, so nothing of plotly is imported here.

Colours are names of CSS custom properties; the page puts their values in when it draws, so that a
chart follows the page into dark mode and onto paper.
"""

from __future__ import annotations

import html
import math
from typing import Any

from defirisk.reports import escape
from defirisk.reports.model import Axis, Chart, Series, Value
from defirisk.reports.value import show

_RAMPS = {"plain": "--series-", "loss": "--loss-"}
_RAMP_LENGTH = 6
_TICKS = 5
_DASHES = ("solid", "solid", "dash", "dot", "dashdot", "longdash")


def figure(chart: Chart) -> dict[str, Any]:
    """The `data` and `layout` of one chart."""
    draw = _bar if chart.form in ("bar", "stacked") else _line
    data = [draw(chart, series, number) for number, series in enumerate(chart.series)]
    layout: dict[str, Any] = _frame(340, legend=len(chart.series) > 1) | {
        "barmode": "stack" if chart.form == "stacked" else "group",
        "bargap": 0.12,
        "xaxis": {**_axis(chart.x), "showgrid": False},
        "yaxis": {**_axis(chart.y), "rangemode": "tozero"},
    }
    if chart.y.kind in ("usd", "price") and not chart.log:
        layout["yaxis"] |= _money_ticks(chart)
    if chart.x.kind == "usd":
        ends = (x for series in chart.series for x in series.x if isinstance(x, int | float))
        layout["xaxis"] |= _dollars_to(max((x for x in ends if math.isfinite(x)), default=0.0))
    if chart.x.kind == "percent":
        layout["xaxis"] |= _percent_range(chart)
    if chart.log:
        layout["yaxis"] |= {"type": "log", "dtick": 1, "rangemode": "normal"}
    return {"data": data, "layout": layout}


def _frame(height: int, *, legend: bool) -> dict[str, Any]:
    """What all pictures share."""
    return {
        "margin": {"l": 8, "r": 28, "t": 8, "b": 8},
        "height": height,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "system-ui, sans-serif", "size": 13, "color": "--muted"},
        "hoverlabel": {
            "bgcolor": "--ink",
            "bordercolor": "--ink",
            "font": {"color": "--paper", "family": "system-ui, sans-serif"},
            "namelength": 40,
        },
        "hovermode": "closest",
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": "--muted", "activecolor": "--accent"},
        "showlegend": legend,
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": 1.02,
            "yanchor": "bottom",
            "traceorder": "normal",
        },
    }


def _axis(axis: Axis) -> dict[str, Any]:
    shared: dict[str, Any] = {
        "title": {"text": _inert(axis.label), "standoff": 12, "font": {"size": 12}},
        "automargin": True,
        "fixedrange": True,
        "gridcolor": "--line",
        "linecolor": "--line",
        "zerolinecolor": "--line",
        "ticks": "outside",
        "tickcolor": "--line",
        "nticks": 6,
    }
    match axis.kind:
        case "usd" | "price":
            return shared | {"tickprefix": "$", "exponentformat": "B", "minexponent": 3}
        case "percent":
            return shared | {"ticksuffix": " %"}
        case "text" | "address":
            return shared | {"type": "category", "ticks": "", "tickangle": "auto", "nticks": 0}
        case _:
            return shared | {"exponentformat": "B", "minexponent": 3, "separatethousands": True}


def _money_ticks(chart: Chart) -> dict[str, Any]:
    """Ticks that read as the tables do: plotly would write $500k, or $0.5M."""
    heights: dict[Value, float] = {}
    for series in chart.series:
        for x, y in zip(series.x, series.y, strict=True):
            so_far, height = heights.get(x, 0.0), y if math.isfinite(y) else 0.0
            heights[x] = so_far + height if chart.form == "stacked" else max(so_far, height)
    return _dollars_to(max(heights.values(), default=0.0))


def _dollars_to(top: float) -> dict[str, Any]:
    if top <= 0:
        return {}
    power = 10.0 ** math.floor(math.log10(top / _TICKS))
    step = next(power * factor for factor in (1, 2, 5, 10) if top / (power * factor) <= _TICKS)
    ticks = [number * step for number in range(math.floor(top / step) + 1)]
    return {"tickmode": "array", "tickvals": ticks, "ticktext": [_money(tick) for tick in ticks]}


def _money(value: float) -> str:
    power = min(max(math.floor(math.log10(value) / 3 + 1e-9), 0), 4) if value > 0 else 0
    return f"${value / 1000**power:g}{('', 'K', 'M', 'B', 'T')[power]}"


def _percent_range(chart: Chart) -> dict[str, Any]:
    """From the first point to the last, with a tick every 10 %: plotly would drop the last one."""
    ends = [_scaled(x, chart.x) for series in chart.series for x in series.x]
    known = [float(end) for end in ends if isinstance(end, int | float)]
    return {"range": [min(known), max(known)], "dtick": 10} if known else {}


def _line(chart: Chart, series: Series, number: int) -> dict[str, Any]:
    return _trace(chart, series) | {
        "type": "scatter",
        "mode": "lines",
        "line": {
            "shape": "hv" if chart.form == "step" else "linear",
            "color": _color(series, number),
            "width": 2.5 if number == 0 else 1.75,
            "dash": _DASHES[number % len(_DASHES)],
        },
    }


def _bar(chart: Chart, series: Series, number: int) -> dict[str, Any]:
    marker = {"color": _color(series, number), "line": {"color": "--paper", "width": 0.5}}
    return _trace(chart, series) | {"type": "bar", "marker": marker}


def _trace(chart: Chart, series: Series) -> dict[str, Any]:
    """What lines and bars share: points, and hover text in the words of the tables."""
    hover = "%{customdata[1]}<br>%{customdata[0]}"
    if len(chart.series) > 1:
        hover = f"<b>{_inert(series.name)}</b><br>{hover}"
    return {
        "name": _inert(series.name),
        "x": [_scaled(x, chart.x) for x in series.x],
        "y": [_scaled(y, chart.y) for y in series.y],
        "customdata": [
            [_inert(show(x, chart.x.kind)), _inert(show(y, chart.y.kind))]
            for x, y in zip(series.x, series.y, strict=True)
        ],
        "hovertemplate": hover + "<extra></extra>",
    }


def _color(series: Series, number: int) -> str:
    return f"{_RAMPS[series.tone]}{number % _RAMP_LENGTH + 1}"


def _scaled(value: Value, axis: Axis) -> Value:
    """Percent axes are drawn in percent; what is no number leaves a gap."""
    if isinstance(value, str):
        return _inert(value)
    if value is None or not math.isfinite(value):
        return None
    return round(value * 100, 10) if axis.kind == "percent" else value


def _inert(text: str) -> str:
    """plotly.js reads a little HTML and %{…} in its texts: foreign names must not use them."""
    shown = html.escape(escape.clean(text, 2 * escape.SYMBOL_LIMIT), quote=False)
    return shown.replace("%{", "% {")
