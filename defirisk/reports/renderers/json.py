"""A report as JSON: the header keys of the command line contract, then its data, unrounded."""

from __future__ import annotations

import json as encoder
import math
from collections.abc import Mapping, Sequence
from typing import Any

from defirisk.reports import escape
from defirisk.reports.model import (
    Block,
    Chart,
    Header,
    Network,
    Note,
    Numbers,
    Paragraph,
    Report,
    Table,
)
from defirisk.reports.value import show

SCHEMA_VERSION = 1


def json(report: Report) -> str:
    """One object. Unknown and infinite numbers are null: a health factor without debt, too."""
    body = {**_header(report.header), "title": report.title}
    body["warnings"] = [{"code": note.code, "text": note.text} for note in report.warnings()]
    body = _plain(body, escape.TEXT_LIMIT)
    if report.data is None:
        body |= _plain({"sections": _sections(report)}, escape.TEXT_LIMIT)
    else:
        body |= _plain(report.data, escape.DATA_LIMIT)
    return encoder.dumps(body, ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def _header(header: Header) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "chain_id": header.chain_id,
        "block": header.block,
        "block_hash": header.block_hash,
        "as_of": None if header.as_of is None else show(header.as_of, "time"),
        "final": header.run.final,
        "command": header.run.command,
        "version": header.run.version,
        "shocks": list(header.shocks),
        "proof": dict(header.proof),
    }


def _sections(report: Report) -> list[dict[str, Any]]:
    parts = [("summary", "Summary", report.lead)]
    parts += [(section.id, section.title, section.blocks) for section in report.sections]
    return [
        {"id": name, "title": title, "blocks": [_block(block) for block in blocks]}
        for name, title, blocks in parts
    ]


def _block(block: Block) -> dict[str, Any]:
    match block:
        case Paragraph(text):
            return {"type": "text", "text": text}
        case Note(level, text, code):
            return {"type": "note", "level": level, "text": text, "code": code}
        case Numbers(items):
            numbers = {
                one.key: {"value": one.value, "unit": one.kind, "note": one.note} for one in items
            }
            return {"type": "numbers", "numbers": numbers}
        case Table():
            units = {column.key: column.kind for column in block.columns}
            return {"type": "table", "name": block.name, "units": units, "rows": records(block)}
        case Chart():
            return _chart(block)
        case Network():
            return {"type": "network", "name": block.name, "note": block.note}


def _chart(chart: Chart) -> dict[str, Any]:
    series = [{"name": one.name, "x": one.x, "y": one.y} for one in chart.series]
    axes = {
        side: {"label": axis.label, "unit": axis.kind}
        for side, axis in (("x", chart.x), ("y", chart.y))
    }
    return {"type": "chart", "name": chart.name, "form": chart.form, **axes, "series": series}


def records(table: Table) -> list[dict[str, Any]]:
    """The rows of a table, each as key to raw value."""
    return [
        {
            column.key: _plain(value, escape.limit_of(column.kind))
            for column, value in zip(table.columns, row, strict=True)
        }
        for row in table.rows
    ]


def _plain(value: Any, limit: int) -> Any:
    """The same with nulls for what is no number, and text made harmless."""
    if isinstance(value, str):
        return escape.clean(value, limit)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {_plain(str(key), limit): _plain(entry, limit) for key, entry in value.items()}
    if isinstance(value, Sequence):
        return [_plain(entry, limit) for entry in value]
    return value
