"""How far a store is."""

from __future__ import annotations

from dataclasses import dataclass


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
