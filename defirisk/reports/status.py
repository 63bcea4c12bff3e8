"""How far a store is, in every format."""

from __future__ import annotations

from dataclasses import asdict

from defirisk.core.status import Status
from defirisk.reports.model import Column, Header, Note, Report, Run, Table

_CHAINS = (
    Column("chain_id", "Chain", "text"),
    Column("verified_to", "Verified to block", "int"),
    Column("head", "Head then", "int"),
    Column("lag_seconds", "Behind the head", "seconds"),
    Column("verified_ts", "Time of the block", "time", detail=True),
    Column("unverified", "Unverified ranges", "int", "loss"),
    Column("reorgs", "Reorgs", "int"),
)
_DEPLOYMENTS = (
    Column("deployment", "Deployment", "text"),
    Column("protocol", "Protocol", "text"),
    Column("chain_id", "Chain", "text"),
    Column("folded_to", "Up to block", "int"),
    Column("accounts", "Accounts", "int"),
    Column("positions", "Positions", "int"),
    Column("raw_logs", "Logs", "int"),
)


_UNVERIFIED = (
    Column("chain_id", "Chain", "text"),
    Column("first_block", "From block", "int"),
    Column("last_block", "To block", "int"),
    Column("contracts", "Contracts", "int"),
    Column("audit", "Audit", "text"),
    Column("reason", "Why", "prose"),
    Column("since_ts", "Since", "time"),
)
_AUDITS = (
    Column("chain_id", "Chain", "text"),
    Column("audit", "Audit", "text"),
    Column("checked", "Checked", "int"),
    Column("population", "Of", "int"),
    Column("calls", "Calls", "int"),
    Column("suspicious", "Asked again", "int"),
    Column("gained", "Logs gained", "int"),
    Column("unseen", "Chance that one loss is unseen", "percent"),
    Column("note", "Note", "prose"),
)


def _unverified(status: Status) -> Table:
    return Table(
        name="unverified",
        title="Unverified ranges",
        columns=_UNVERIFIED,
        rows=tuple(
            (
                str(chain.chain_id),
                one.first_block,
                one.last_block,
                len(one.contracts),
                one.audit,
                one.reason,
                one.since_ts,
            )
            for chain in status.chains
            for one in chain.unverified
        ),
        empty="none: no audit left a range in doubt",
    )


def _audits(status: Status) -> Table:
    return Table(
        name="audits",
        title="Audits",
        columns=_AUDITS,
        rows=tuple(
            (
                str(chain.chain_id),
                one.audit,
                one.checked,
                one.population,
                one.calls,
                one.suspicious,
                one.gained,
                one.unseen,
                one.note,
            )
            for chain in status.chains
            for one in chain.audits
        ),
        empty="nothing was audited: index without --audit none, from a node",
    )


def _assumptions(status: Status) -> list[Note]:
    said = {one.audit: one.assuming for chain in status.chains for one in chain.audits}
    return [
        Note("info", f"{audit}: a loss is one in which {assuming}", "assumption")
        for audit, assuming in said.items()
    ]


def _doubts(status: Status) -> list[Note]:
    return [
        Note(
            "warning",
            f"chain {chain.chain_id}: logs may be missing in {len(chain.unverified)} ranges, which "
            "the next defirisk index asks for again",
            "unverified",
        )
        for chain in status.chains
        if chain.unverified
    ]


def build(status: Status, *, run: Run) -> Report:
    """Chains, then deployments; what outputs of a deployment always say stands above."""
    notes = [
        Note("warning", f"{one.deployment}: {text}", "finding")
        for one in status.deployments
        for text in one.findings
    ]
    chains = Table(
        name="chains",
        title="Chains",
        columns=_CHAINS,
        rows=tuple(
            (
                str(chain.chain_id),
                chain.verified_to,
                chain.head,
                chain.lag_seconds,
                chain.verified_ts,
                len(chain.unverified_ranges),
                chain.reorgs,
            )
            for chain in status.chains
        ),
        empty="nothing is indexed yet: run defirisk index",
    )
    deployments = Table(
        name="deployments",
        title="Deployments",
        columns=_DEPLOYMENTS,
        rows=tuple(
            (
                one.deployment,
                one.protocol,
                str(one.chain_id),
                one.folded_to,
                one.accounts,
                one.positions,
                one.raw_logs,
            )
            for one in status.deployments
        ),
    )
    return Report(
        title="Status",
        header=Header(run=run),
        lead=(
            *_doubts(status),
            *notes,
            chains,
            _unverified(status),
            _audits(status),
            *_assumptions(status),
            deployments,
        ),
        data=asdict(status),
        csv="deployments",
    )
