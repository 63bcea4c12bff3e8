"""Snapshots whose digests are right and whose content is not."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from defirisk.indexing.snapshot_export import MEMBERS
from defirisk.store.snapshot_file import MANIFEST

Rows = list[Any]


def unchanged(_: Any) -> None:
    """Nothing is forged there."""


def forged(
    sent: Path,
    path: Path,
    change: Callable[[dict[str, Rows]], None],
    facts: Callable[[dict[str, Any]], None] = unchanged,
) -> Path:
    """A file whose digests are right and whose content is not."""
    with zipfile.ZipFile(sent) as archive:
        manifest = json.loads(archive.read(MANIFEST))
        rows = {
            name: [json.loads(line) for line in archive.read(name).splitlines()] for name in MEMBERS
        }
    change(rows)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, of in rows.items():
            raw = b"".join(json.dumps(row).encode() + b"\n" for row in of)
            digest = hashlib.sha256(raw).hexdigest()
            manifest["members"][name] = {"rows": len(of), "bytes": len(raw), "sha256": digest}
            archive.writestr(name, raw)
        facts(manifest)
        archive.writestr(MANIFEST, json.dumps(manifest))
    return path


def setting(member: str, row: int, at: int, value: Any) -> Callable[[dict[str, Rows]], None]:
    def change(rows: dict[str, Rows]) -> None:
        rows[member][row][at] = value

    return change


def doubling(member: str) -> Callable[[dict[str, Rows]], None]:
    return lambda rows: rows[member].insert(1, rows[member][0])
