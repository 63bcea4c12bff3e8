"""Turns a report into text of one format. Each renderer is loaded only when it is asked for."""

from __future__ import annotations

from typing import Literal, get_args

from defirisk.core.errors import UsageError
from defirisk.core.plugins import nearest
from defirisk.reports.model import Report

Format = Literal["table", "json", "csv", "md", "html"]
FORMATS: tuple[Format, ...] = get_args(Format)


def render(report: Report, format: str, *, width: int = 100, color: bool = False) -> str:
    """The whole report; `width` (columns) and `color` matter to "table" (a terminal) only."""
    if format == "table":
        from defirisk.reports.renderers.terminal import terminal

        return terminal(report, width=width, color=color)
    if format == "json":
        from defirisk.reports.renderers.json import json

        return json(report)
    if format == "csv":
        from defirisk.reports.renderers.csv import csv

        return csv(report)
    if format == "md":
        from defirisk.reports.renderers.markdown import markdown

        return markdown(report)
    if format == "html":
        from defirisk.reports.renderers.html import html

        return html(report)
    raise UsageError(f"unknown format {format!r}: {nearest(format, FORMATS)}")
