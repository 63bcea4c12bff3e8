"""Prints a report to stdout, or writes it to a file."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from defirisk.core.errors import UsageError

if TYPE_CHECKING:
    from defirisk.reports.model import Report

_SUFFIXES = {
    ".json": "json",
    ".csv": "csv",
    ".md": "md",
    ".markdown": "md",
    ".html": "html",
    ".htm": "html",
    ".txt": "table",
}


def emit(report: Report, format_: str | None, output: str | None) -> None:
    """Prints in the format that was asked for, or that the file's suffix means."""
    from defirisk.reports.render import render

    chosen = format_ or _by_suffix(output)
    terminal = output is None and sys.stdout.isatty()
    width = shutil.get_terminal_size((100, 24)).columns
    put(render(report, chosen, width=width, color=terminal), output)


def put(text: str, output: str | None) -> None:
    """Prints text, or writes it to a file and says so.

    Errors: `UsageError` where the file cannot be written.
    """
    if output is None:
        click.echo(text.removesuffix("\n"))
        return
    try:
        Path(output).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{output} cannot be written: {error.strerror}") from error
    click.echo(f"wrote {output}", err=True)


def _by_suffix(output: str | None) -> str:
    suffix = Path(output).suffix.lower() if output else ""
    if suffix and suffix not in _SUFFIXES:
        raise UsageError(f"{suffix} says no format: use {', '.join(_SUFFIXES)}, or give --format")
    return _SUFFIXES.get(suffix, "table")
