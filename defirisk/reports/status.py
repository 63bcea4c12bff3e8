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
        lead=(*notes, chains, deployments),
        data=asdict(status),
        csv="deployments",
    )
