"""What was executed against what was predicted: nothing may differ."""

from __future__ import annotations

from collections.abc import Iterator

from defirisk.governance.aave_v3.rules import terms
from defirisk.governance.aave_v3.snapshot import differences
from defirisk.governance.case import Case
from defirisk.governance.impact import liquidatable_now
from defirisk.governance.rehearsal import Rehearsal
from defirisk.protocols.lending.aave_v3.rows import Reserve


def disagreements(case: Case, done: Rehearsal) -> list[str]:
    """Everything in which the fork is not as it was to be, as sentences; none where all agrees."""
    if done.failures:
        return [f"a call failed on the fork: {failure}" for failure in done.failures]
    return [*_terms(case, done), *_others(done), *_units(case, done), *_contracts(done)]


def _terms(case: Case, done: Rehearsal) -> Iterator[str]:
    """The parameters of the table, as indexed from the fork."""
    assert done.snapshot is not None
    for change in case.changes:
        reserve = done.snapshot.rows.find(Reserve, change.asset)
        found = None if reserve is None else terms(reserve)
        if found != change.after:
            yield f"{change.asset}: the fork has {found}, proposed was {change.after}"


def _others(done: Rehearsal) -> Iterator[str]:
    """Every other setting of the market."""
    assert done.after is not None
    for path, (ours, theirs) in differences(done.predicted, done.after).items():
        yield f"{path} is {theirs} on the fork, predicted was {ours}"


def _units(case: Case, done: Rehearsal) -> Iterator[str]:
    """Who can be liquidated: those that were named, those that could be before, and nobody else."""
    after = case.after()
    predicted = {after.units[unit] for unit in liquidatable_now(after, case.deployment)}
    for unit in sorted(done.liquidatable - predicted):
        yield f"{unit} can be liquidated on the fork, which was not predicted"
    for unit in sorted(predicted - done.liquidatable):
        yield f"{unit} cannot be liquidated on the fork, though that was predicted"


def _contracts(done: Rehearsal) -> Iterator[str]:
    """The contracts' own answers: every health factor, every configuration."""
    assert done.verdict is not None
    for one in done.verdict.mismatches:
        yield f"{one.account}: {one.field} is {one.theirs} by the contracts, {one.ours} by ours"
