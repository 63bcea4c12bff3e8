"""What a run's audits did is added to the store."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import Connection

from defirisk.indexing.audit.auditor import Auditor
from defirisk.indexing.audit.blooms import CAUGHT, CAUGHT_NOW, UNSERVED, UNUSED
from defirisk.indexing.audit.figures import Figures
from defirisk.store.audits import StoredAudit, add_audit, stored_audits
from defirisk.store.database import Store
from defirisk.store.unverified import unverified


def receipts_work(store: Store, chain_id: int) -> bool:
    """Whether receipts of this chain ever gave their root."""
    with store.transaction() as connection:
        audits = stored_audits(connection, chain_id)
    return any(one.audit == "receipts" and one.checked for one in audits)


def was_caught(store: Store, chain_id: int) -> bool:
    """Whether a run that did not come to its end found that its node had left out logs."""
    with store.transaction() as connection:
        audits = stored_audits(connection, chain_id)
    return any(one.note == CAUGHT_NOW for one in audits)


def keep_caught(store: Store, chain_id: int, auditor: Auditor) -> None:
    """Where a run breaks off, the next one must know what kind of node it may meet."""
    if auditor.caught and auditor.figures["bloom"].note not in (UNUSED, UNSERVED):
        caught = StoredAudit(audit="bloom", **asdict(Figures(note=CAUGHT_NOW)))
        with store.transaction() as connection:
            add_audit(connection, chain_id, caught)


def keep_figures(connection: Connection, chain_id: int, auditor: Auditor) -> None:
    """Moves the figures to the store, with what they speak of: a run may end at any time."""
    for name, done in auditor.figures.items():
        if not (done.population or done.note):
            continue
        add_audit(connection, chain_id, StoredAudit(audit=name, **asdict(done)))
        done.clear()


def keep_audits(store: Store, chain_id: int, auditor: Auditor) -> int:
    """Where a run ends: keeps its figures; returns how many ranges of the chain are marked."""
    bloom = auditor.figures["bloom"]
    if bloom.note == CAUGHT_NOW:
        bloom.note = CAUGHT
    with store.transaction() as connection:
        keep_figures(connection, chain_id, auditor)
        marks = unverified(connection, chain_id)
    return len({(mark.first_block, mark.last_block) for mark in marks})
