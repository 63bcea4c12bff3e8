"""What a proposal's files are, what they were made of, and whether the payload was executed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from defirisk.governance.bundle import digest
from defirisk.governance.rehearsal import Rehearsal

NAME = "manifest.json"
NOT_EXECUTED = "NOT EXECUTED"


def execution(done: Rehearsal | None, why_not: str, found: Sequence[str]) -> dict[str, Any]:
    """Whether, how and with what result. `found` are the disagreements."""
    if done is None:
        return {"status": NOT_EXECUTED, "why": why_not}
    said: dict[str, Any] = {
        "status": "DIFFERS" if found else "EXECUTED",
        "node": done.anvil,
        "fork_block": done.block.number,
        "as": {"account": done.holder.account, "role": done.holder.role},
        "differences": list(found),
    }
    if done.verdict is not None:
        said["contracts_asked"] = {
            "accounts": done.verdict.accounts,
            "compared": done.verdict.compared,
            "mismatches": len(done.verdict.mismatches),
        }
        said["liquidatable_accounts"] = len(done.liquidatable)
    return said


def manifest(
    impact: Mapping[str, Any],
    *,
    version: str,
    accepted: Sequence[str],
    executed: Mapping[str, Any],
    files: Mapping[str, bytes],
) -> bytes:
    """The file's content; `files` are all others, by their path in the folder."""
    stated = {
        "schema_version": 1,
        **{
            key: impact[key]
            for key in ("chain_id", "block", "block_hash", "as_of", "deployment", "command")
        },
        "code": f"defirisk {version}",
        "engine": impact["engine"],
        "proof": impact["proof"],
        "assumptions": impact["assumptions"],
        "accepted_liquidations": list(accepted),
        "execution": dict(executed),
        "files": {path: digest(content) for path, content in sorted(files.items())},
    }
    return (json.dumps(stated, indent=2) + "\n").encode()
