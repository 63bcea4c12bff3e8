"""A case as files that can be computed from again, without a store and without a node."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256

import numpy as np

from defirisk.core.book import Book, DeploymentFacts, Stated
from defirisk.core.errors import UsageError
from defirisk.governance.case import Case
from defirisk.governance.decisions import Recorded
from defirisk.governance.losses import SAYS, Engine
from defirisk.governance.plain import Arrays, plain, restored

VERSION = 1
ARRAYS, VALUES, DECISIONS = "arrays.npz", "values.json.gz", "decisions.json"
FILES = (ARRAYS, VALUES, DECISIONS)


_UNSAID = Recorded({})
"""Stands where an edge was: what it would say is among the decisions."""


def pack(case: Case, before: Mapping[str, bool], after: Mapping[str, bool]) -> dict[str, bytes]:
    """The files by name. `before` and `after` are what both edges said (`decisions.Recording`)."""
    arrays: Arrays = {}
    values = {
        "version": VERSION,
        "book": plain(replace(case.book, edge=_UNSAID, deployments=_asked(case.book)), arrays),
        "deployment": case.deployment,
        "changes": plain(case.changes, arrays),
        "new": plain(case.new, arrays),
        "scenarios": plain(case.scenarios, arrays),
        "engine": case.engine,
        "command": case.command,
    }
    stated = json.dumps(values, separators=(",", ":"))
    decisions = {"before": dict(sorted(before.items())), "after": dict(sorted(after.items()))}
    return {
        ARRAYS: _npz(arrays),
        VALUES: gzip.compress(stated.encode("ascii"), mtime=0),
        DECISIONS: (json.dumps(decisions, indent=1) + "\n").encode(),
    }


def unpack(files: Mapping[str, bytes]) -> Case:
    """The case, with edges that say what was said. Errors: `UsageError` for a damaged bundle."""
    try:
        values = json.loads(gzip.decompress(files[VALUES]))
        decisions = json.loads(files[DECISIONS])
        with np.load(io.BytesIO(files[ARRAYS]), allow_pickle=False) as held:
            arrays = {name: held[name] for name in held.files}
    except (KeyError, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise UsageError(f"the bundle is damaged ({type(error).__name__}): make it anew") from error
    if not isinstance(values, dict) or values.get("version") != VERSION:
        raise UsageError("the bundle is of another version of defirisk: make it anew")
    book = restored(values["book"], arrays)
    return Case(
        book=replace(book, edge=Recorded(decisions["before"])),
        deployment=values["deployment"],
        changes=restored(values["changes"], arrays),
        new=restored(values["new"], arrays),
        new_edge=Recorded(decisions["after"]),
        scenarios=restored(values["scenarios"], arrays),
        engine=_engine(values["engine"]),
        command=values["command"],
    )


def _asked(book: Book) -> tuple[DeploymentFacts, ...]:
    """The deployments, with what their adapters state only when they are asked."""
    return tuple(
        replace(
            facts,
            debt_of=None if facts.debt is None else Stated(facts.debt),
            perps_of=None if facts.perps is None else Stated(facts.perps),
        )
        for facts in book.deployments
    )


def _engine(name: Engine) -> Engine:
    if name not in SAYS:
        raise UsageError(f"the bundle was computed by an engine {name!r} that is not known here")
    return name


def _npz(arrays: Arrays) -> bytes:
    made = io.BytesIO()
    np.savez_compressed(made, allow_pickle=False, **arrays)
    return made.getvalue()


def digest(content: bytes) -> str:
    """How a file is told apart from every other."""
    return f"sha256:{sha256(content).hexdigest()}"
