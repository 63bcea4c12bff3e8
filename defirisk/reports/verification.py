"""What `defirisk verify` found, in every format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from defirisk.core.verdict import Verdict
from defirisk.reports.model import Column, Header, Note, Report, Run
from defirisk.reports.records import records_report
from defirisk.reports.value import plural

_COLUMNS = (
    Column("deployment", "Deployment", "text"),
    Column("block", "Block", "int"),
    Column("accounts", "Accounts", "int"),
    Column("compared", "Numbers compared", "int"),
    Column("read", "Only read", "int"),
    Column("differ", "Differ", "int", "loss"),
)
_SHOWN = 20


def build(verdicts: Sequence[Verdict], *, run: Run) -> Report:
    """One row for each deployment; the first differences above it. JSON has them all."""
    first = verdicts[0]
    return records_report(
        "Our numbers against the protocols' own",
        Header(
            run=run,
            chain_id=first.chain_id,
            block=first.block.number,
            block_hash=first.block.hash,
            as_of=first.block.timestamp,
        ),
        _COLUMNS,
        [
            (v.deployment, v.block.number, v.accounts, v.compared, v.read, len(v.mismatches))
            for v in verdicts
        ],
        name="deployments",
        data={"deployments": [as_json(verdict) for verdict in verdicts]},
        notes=[note for verdict in verdicts for note in _notes(verdict)],
    )


def _notes(verdict: Verdict) -> Iterator[Note]:
    if not verdict.mismatches:
        text = f"{verdict.deployment}: every number that was compared is equal to the wei."
        yield Note("info", text)
        return
    count = plural(len(verdict.mismatches), "number")
    yield Note("warning", f"{verdict.deployment}: {count} differ from the contract.", "mismatch")
    for mismatch in verdict.mismatches[:_SHOWN]:
        text = (
            f"{mismatch.account} {mismatch.field}: ours {mismatch.ours}, theirs {mismatch.theirs}"
        )
        yield Note("warning", text, "mismatch")
    if len(verdict.mismatches) > _SHOWN:
        yield Note("warning", f"{len(verdict.mismatches) - _SHOWN} more: see --format json")


def as_json(verdict: Verdict) -> dict[str, Any]:
    """One deployment in the shape that other programs rely on."""
    return {
        "deployment": verdict.deployment,
        "protocol": verdict.protocol,
        "block": verdict.block.number,
        "accounts": verdict.accounts,
        "compared": verdict.compared,
        "read": verdict.read,
        "mismatches": [
            {"account": m.account, "field": m.field, "ours": m.ours, "theirs": m.theirs}
            for m in verdict.mismatches
        ],
    }
