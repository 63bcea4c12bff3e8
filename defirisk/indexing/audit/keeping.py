"""What a run's audits did is added to the store."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import Connection

from defirisk.indexing.audit.auditor import Auditor
from defirisk.indexing.audit.blooms import CAUGHT, CAUGHT_NOW, UNSERVED, UNUSED
from defirisk.indexing.audit.figures import Figures
from defirisk.store.audits import StoredAudit, add_audit, stored_audits
from defirisk.store.database import Store
from defirisk.store.unverified import take_back, unverified


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


def note_catches(store: Store, chain_id: int, auditor: Auditor) -> None:
    """What a catch means is stored the moment that it is made: a run may end at any time, and the
    next one must know what kind of node it may meet, and what it was told before.
    """

    def caught() -> None:
        if auditor.figures["bloom"].note in (UNUSED, UNSERVED):
            return
        note = StoredAudit(audit="bloom", **asdict(Figures(note=CAUGHT_NOW)))
        with store.transaction() as connection:
            add_audit(connection, chain_id, note)
            for one in auditor.sampled:
                take_back(connection, chain_id, one.contracts, one.first, one.last)

    if was_caught(store, chain_id):
        auditor.catch()
    auditor.proofs.on_catch = caught


def keep_figures(connection: Connection, chain_id: int, auditor: Auditor) -> None:
    """Moves the figures to the store, with what they speak of: a run may end at any time."""
    for name, done in auditor.figures.items():
        if done == Figures():
            continue
        add_audit(connection, chain_id, StoredAudit(audit=name, **asdict(done)))
        done.clear()


def keep_again(store: Store, chain_id: int, auditor: Auditor) -> None:
    """Where all that is stored was audited again: what was looked at now counts instead of what was
    looked at before. What it took, and what came of it, is added.
    """
    with store.transaction() as connection:
        for old in stored_audits(connection, chain_id):
            done = auditor.figures[old.audit]
            if old.audit in ("bloom", "receipts") and done.population:
                done.population -= old.population
                done.checked -= old.checked
                done.always -= old.always
        keep_figures(connection, chain_id, auditor)


def keep_audits(store: Store, chain_id: int, auditor: Auditor) -> int:
    """Where a run ends: keeps its figures; returns how many ranges of the chain are marked."""
    bloom = auditor.figures["bloom"]
    if auditor.asks is not None and auditor.caught and bloom.note not in (UNUSED, UNSERVED):
        bloom.note = CAUGHT
    with store.transaction() as connection:
        keep_figures(connection, chain_id, auditor)
        marks = unverified(connection, chain_id)
    return len({(mark.first_block, mark.last_block) for mark in marks})
