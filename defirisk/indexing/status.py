"""How far a store is, read from it without asking any node."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from defirisk.core.adapter import MarketAdapter, Refereed
from defirisk.core.errors import StoreError
from defirisk.core.plugins import adapters
from defirisk.core.sources import HoldsShares
from defirisk.core.status import ChainStatus, DeploymentStatus, Status, UnverifiedRange
from defirisk.indexing.audit.unseen import audit_status
from defirisk.indexing.codecs import Codecs
from defirisk.store.audits import stored_audits
from defirisk.store.database import Store
from defirisk.store.ranges import joined, missing, verified
from defirisk.store.raw import block_at, count_logs
from defirisk.store.registry import (
    StoredChain,
    StoredDeployment,
    stored_chains,
    stored_deployments,
    watched,
)
from defirisk.store.snapshots import snapshot, stored_block
from defirisk.store.unverified import Unverified, unverified


def read_status(store: Store) -> Status:
    """Chains and deployments in the order in which they were first indexed."""
    with store.transaction() as connection:
        deployments = [
            s for s in stored_deployments(connection) if s.deployment.protocol in adapters()
        ]
        return Status(
            chains=tuple(_chain(connection, c, deployments) for c in stored_chains(connection)),
            deployments=tuple(_deployment(connection, stored) for stored in deployments),
        )


def read_chains(store: Store) -> tuple[ChainStatus, ...]:
    """The chains alone, which is cheap: nothing of a deployment's positions is read."""
    with store.transaction() as connection:
        deployments = [
            s for s in stored_deployments(connection) if s.deployment.protocol in adapters()
        ]
        return tuple(_chain(connection, c, deployments) for c in stored_chains(connection))


def _chain(
    connection: Connection, chain: StoredChain, deployments: list[StoredDeployment]
) -> ChainStatus:
    at = block_at(connection, chain.chain_id, chain.verified_to)
    gaps = [
        gap
        for stored in deployments
        if stored.deployment.chain_id == chain.chain_id
        for gap in _gaps(connection, stored, chain.verified_to)
    ]
    verified_ts = at.timestamp if at else 0
    marks = marked(unverified(connection, chain.chain_id))
    return ChainStatus(
        chain_id=chain.chain_id,
        head=chain.head,
        verified_to=chain.verified_to,
        verified_ts=verified_ts,
        lag_seconds=max(0, chain.head_ts - verified_ts),
        unverified_ranges=tuple(joined(gaps)),
        unverified=tuple(marks),
        audits=tuple(audit_status(one) for one in stored_audits(connection, chain.chain_id)),
        reorgs=chain.reorgs,
    )


def marked(marks: Iterable[Unverified]) -> list[UnverifiedRange]:
    """Marks as ranges: those of several contracts with one reason are one, since the first."""
    found: dict[tuple[int, int, str, str], list[Unverified]] = {}
    for mark in marks:
        key = mark.first_block, mark.last_block, mark.audit, mark.reason
        found.setdefault(key, []).append(mark)
    return [
        UnverifiedRange(
            first_block=first,
            last_block=last,
            contracts=tuple(mark.contract for mark in those),
            audit=audit,
            reason=reason,
            since_ts=min(mark.since_ts for mark in those),
        )
        for (first, last, audit, reason), those in found.items()
    ]


def _gaps(connection: Connection, stored: StoredDeployment, to: int) -> list[tuple[int, int]]:
    codecs = Codecs(adapters()[stored.deployment.protocol])
    return [
        gap
        for contract in watched(connection, stored.id)
        if codecs.emits(contract)
        for gap in missing(
            verified(connection, stored.deployment.chain_id, contract.address),
            contract.first_block,
            to,
        )
    ]


def _deployment(connection: Connection, stored: StoredDeployment) -> DeploymentStatus:
    chain_id = stored.deployment.chain_id
    addresses = [contract.address for contract in watched(connection, stored.id)]
    accounts = positions = 0
    try:
        accounts, positions, findings = _held(connection, stored)
    except StoreError as error:
        findings = (str(error),)
    return DeploymentStatus(
        deployment=stored.deployment.name,
        protocol=stored.deployment.protocol,
        chain_id=chain_id,
        folded_to=stored.folded_to,
        accounts=accounts,
        positions=positions,
        raw_logs=count_logs(connection, chain_id, addresses),
        findings=findings,
    )


def _held(connection: Connection, stored: StoredDeployment) -> tuple[int, int, tuple[str, ...]]:
    """Accounts, positions and findings at the last verified block."""
    at = stored_block(connection, stored.deployment.chain_id, None)
    snap = snapshot(connection, stored, at)
    its = adapters()[stored.deployment.protocol]
    findings = tuple(f.text for f in its.findings(snap)) if isinstance(its, Refereed) else ()
    if isinstance(its, MarketAdapter):
        exact = its.holdings(snap)
        return len(exact.units), len(exact.holdings), findings
    if isinstance(its, HoldsShares):
        shares = list(its.shares(snap))
        return len({share.account for share in shares}), len(shares), findings
    return 0, 0, findings
