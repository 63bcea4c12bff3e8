"""What `defirisk import` did, in every format."""

from __future__ import annotations

from typing import Any

from defirisk.core.importing import ImportSummary
from defirisk.reports.model import Block, Column, Header, Note, Number, Numbers, Report, Run, Table
from defirisk.reports.value import plural

_SHOWN = 20
_REFUSED = (
    Column("file", "File", "text"),
    Column("line", "Line", "int"),
    Column("reason", "Reason", "prose"),
)


def build(summary: ImportSummary, *, run: Run) -> Report:
    """Numbers, protocols, then the first refused rows; JSON has them all."""
    block, refused = summary.block, summary.refused
    lead: list[Block] = [*_notes(summary), _numbers(summary)]
    lead.append(
        Table(
            name="protocols",
            title="What passed",
            columns=(
                Column("protocol", "Name", "text"),
                *(Column(key, key.capitalize(), "int") for key in _counted(summary)),
            ),
            rows=tuple((one.protocol, *one.counts.values()) for one in summary.protocols),
            empty="nothing passed",
        )
    )
    if refused:
        left = len(refused) - _SHOWN
        lead.append(
            Table(
                name="refused",
                title="Refused rows",
                columns=_REFUSED,
                rows=tuple((r.file, r.line, r.reason) for r in refused[:_SHOWN]),
                caption=f"{left:,} more: see --format json" if left > 0 else "",
            )
        )
    return Report(
        title="Import",
        header=Header(
            run=run,
            chain_id=None if block is None else 0,
            block=block.number if block else None,
            block_hash=block.hash if block else None,
            as_of=block.timestamp if block else None,
        ),
        lead=tuple(lead),
        data=_data(summary),
        csv="refused" if refused else "protocols",
    )


def _notes(summary: ImportSummary) -> list[Note]:
    notes = []
    if summary.block is None:
        text = "Nothing was stored: correct the refused rows, or give --skip-bad to leave them out."
        notes.append(Note("warning", text, "not-stored"))
    elif summary.refused:
        text = f"{plural(len(summary.refused), 'row')} refused and left out (--skip-bad)."
        notes.append(Note("warning", text, "refused"))
    if summary.cut_amounts:
        text = (
            f"{plural(summary.cut_amounts, 'amount')} had more digits than the asset has decimals: "
            "the rest was cut."
        )
        notes.append(Note("info", text, "cut"))
    return notes


def _numbers(summary: ImportSummary) -> Numbers:
    counts = (
        ("rows_read", "Rows read", summary.rows_read),
        *((key, key.capitalize(), _total(summary, key)) for key in _counted(summary)),
        ("rows_refused", "Rows refused", len(summary.refused)),
        ("rows_written", "Rows new or changed", summary.rows_written),
    )
    return Numbers(
        tuple(Number(key=key, label=label, value=value, kind="int") for key, label, value in counts)
    )


def _counted(summary: ImportSummary) -> list[str]:
    """What is counted in an import of this kind: the same for all that is in it."""
    return list(summary.protocols[0].counts) if summary.protocols else []


def _total(summary: ImportSummary, key: str) -> int:
    return sum(one.counts[key] for one in summary.protocols)


def _data(summary: ImportSummary) -> dict[str, Any]:
    return {
        "stored": summary.block is not None,
        "files": list(summary.files),
        "rows_read": summary.rows_read,
        **{key: _total(summary, key) for key in _counted(summary)},
        "rows_refused": len(summary.refused),
        "rows_written": summary.rows_written,
        "cut_amounts": summary.cut_amounts,
        "protocols": [{"protocol": one.protocol, **one.counts} for one in summary.protocols],
        "refused": [
            {"file": one.file, "line": one.line, "reason": one.reason} for one in summary.refused
        ],
    }
