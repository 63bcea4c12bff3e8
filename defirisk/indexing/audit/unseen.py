"""How likely it is that a loss was not seen, by what was looked at."""

from __future__ import annotations

from defirisk.core.status import AuditStatus
from defirisk.indexing.audit.blooms import UNSERVED, UNUSED
from defirisk.store.audits import StoredAudit

_ASSUMING = {
    "bloom": "all logs of a contract's event are missing in one block that is only sampled; in m "
    "such blocks it is this to the power of m",
    "receipts": "a log is missing in one of the blocks that may hold any",
    "second-endpoint": "logs are missing in one answer that the second endpoint would give whole",
    "conservation": "a total changes, as by a mint or a burn; a transfer between accounts changes "
    "none, and is not seen",
}


def audit_status(stored: StoredAudit) -> AuditStatus:
    """A stored audit with the chance that one loss is not seen by it.

    What is drawn is drawn without regard to where a loss is: a loss among the blocks that are only
    sampled is hit with the share of them that was drawn. What is `always` checked (blocks that
    came with logs, blocks near the head) is no part of this. Totals are all compared at every run.
    """
    drawn, sampled_from = stored.checked - stored.always, stored.population - stored.always
    unseen: float | None = 1.0 - min(1.0, drawn / sampled_from) if sampled_from > 0 else 0.0
    if stored.note in (UNUSED, UNSERVED):
        unseen = 1.0
    if stored.audit == "conservation":
        unseen = None
    return AuditStatus(**stored._asdict(), unseen=unseen, assuming=_ASSUMING[stored.audit])
