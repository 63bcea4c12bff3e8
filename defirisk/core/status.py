"""How far a store is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class UnverifiedRange:
    """Blocks in which logs of some contracts may be missing, in an auditor's words.

    `since_ts` is UTC seconds. The next run asks for them again.
    """

    first_block: int
    last_block: int
    contracts: tuple[str, ...]
    audit: str
    reason: str
    since_ts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditStatus:
    """What one audit did over all runs of a chain.

    `checked` of `population` (blocks; answers of the second endpoint; totals) were looked at,
    `always` of them whatever is drawn, which cost `calls` JSON-RPC calls. `suspicious` ones were
    asked again, `gained` logs came of it. `unseen` is the chance, a fraction, that it does not see
    a loss; None where that depends on more than what was checked. `assuming` says of which loss.
    `note`: why it may say less.
    """

    audit: str
    population: int
    checked: int
    always: int
    calls: int
    suspicious: int
    gained: int
    unseen: float | None
    assuming: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainStatus:
    """One chain as of its last run. `lag_seconds` is block time between the run's last block and
    the head that the node had then; ranges are inclusive block numbers.
    """

    chain_id: int
    head: int
    verified_to: int
    verified_ts: int
    lag_seconds: int
    unverified_ranges: tuple[tuple[int, int], ...]
    unverified: tuple[UnverifiedRange, ...] = ()
    audits: tuple[AuditStatus, ...] = ()
    reorgs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentStatus:
    """What is stored of one deployment."""

    deployment: str
    protocol: str
    chain_id: int
    folded_to: int
    accounts: int
    positions: int
    raw_logs: int
    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Everything that `defirisk status` says."""

    chains: tuple[ChainStatus, ...]
    deployments: tuple[DeploymentStatus, ...]
