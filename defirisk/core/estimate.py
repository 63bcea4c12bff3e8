"""What an indexing run would cost, before it is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Of one deployment, from a few ranges that were asked for.

    `blocks` are still to be read for `contracts` contracts that are known by now; what their logs
    will reveal is not in it. `logs` and `event_blocks` (with logs) are expected, `requests` are
    HTTP requests, `calls` JSON-RPC calls by method, `units` what providers charge in their own
    units, `disk_bytes` what the store grows by, `seconds` how long it takes.
    """

    deployment: str
    contracts: int
    blocks: int
    logs: int
    event_blocks: int
    requests: int
    calls: Mapping[str, int]
    units: Mapping[str, int]
    disk_bytes: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimates:
    """Of a run up to `block`. `asked`: how many ranges were asked for to find out."""

    chain_id: int
    block: int
    asked: int
    deployments: tuple[Estimate, ...]
