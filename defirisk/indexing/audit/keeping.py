"""What a run's audits did is added to the store."""

from __future__ import annotations

from defirisk.indexing.audit.auditor import Auditor
from defirisk.store.audits import StoredAudit, add_audit, stored_audits
from defirisk.store.database import Store
from defirisk.store.unverified import unverified


def receipts_work(store: Store, chain_id: int) -> bool:
    """Whether receipts of this chain ever gave their root."""
    with store.transaction() as connection:
        audits = stored_audits(connection, chain_id)
    return any(one.audit == "receipts" and one.checked for one in audits)


def keep_audits(store: Store, chain_id: int, auditor: Auditor) -> int:
    """Adds the figures; returns how many ranges of the chain are marked."""
    with store.transaction() as connection:
        for name, done in auditor.figures.items():
            if done.population or done.note:
                add_audit(
                    connection,
                    chain_id,
                    StoredAudit(
                        audit=name,
                        population=done.population,
                        checked=done.checked,
                        always=done.always,
                        calls=done.calls,
                        suspicious=done.suspicious,
                        gained=done.gained,
                        note=done.note,
                    ),
                )
        marks = unverified(connection, chain_id)
    return len({(mark.first_block, mark.last_block) for mark in marks})
