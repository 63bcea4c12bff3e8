"""What an indexing run would cost, in every format."""

from __future__ import annotations

from dataclasses import asdict

from defirisk.core.estimate import Estimates
from defirisk.reports.model import Column, Header, Note, Report, Run, Table, Value

_COLUMNS = (
    Column("deployment", "Deployment", "text"),
    Column("contracts", "Contracts known", "int"),
    Column("blocks", "Blocks", "int"),
    Column("logs", "Logs", "int"),
    Column("requests", "HTTP requests", "int"),
    Column("calls", "JSON-RPC calls", "int"),
)
_COST = (
    Column("disk_mb", "Disk, MB", "number"),
    Column("seconds", "Time", "seconds"),
)


def build(estimates: Estimates, *, run: Run) -> Report:
    """One row a deployment; what providers charge for it beside."""
    providers = sorted({name for one in estimates.deployments for name in one.units})
    units = tuple(Column(name, f"{name.capitalize()} units", "int") for name in providers)
    rows: list[tuple[Value, ...]] = [
        (
            one.deployment,
            one.contracts,
            one.blocks,
            one.logs,
            one.requests,
            sum(one.calls.values()),
            *(one.units[name] for name in providers),
            one.disk_bytes / 1e6,
            round(one.seconds),
        )
        for one in estimates.deployments
    ]
    return Report(
        title="What indexing would cost",
        header=Header(run=run, chain_id=estimates.chain_id, block=estimates.block),
        lead=(
            Note(
                "info",
                f"from {estimates.asked} ranges that were asked for; contracts that logs will "
                "reveal are not counted, so a first run of a factory or a pool costs more",
            ),
            Table(
                name="deployments",
                title="Deployments",
                columns=(*_COLUMNS, *units, *_COST),
                rows=tuple(rows),
                empty="nothing to index",
            ),
        ),
        data=asdict(estimates),
        csv="deployments",
    )
