"""A proposal's numbers computed again from its bundle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from defirisk.governance.bundle import digest, unpack
from defirisk.governance.impact import impact
from defirisk.governance.numbers import written

SHOWN = 10


def repeat(bundle: Mapping[str, bytes], stated: bytes) -> list[str]:
    """In what `stated` (impact.json) is not what the bundle gives; none where every byte is.

    Errors: `UsageError` for a damaged bundle, `CheckFailed` where it lacks a decision.
    """
    computed = written(impact(unpack(bundle)))
    if computed == stated:
        return []
    try:
        theirs = json.loads(stated)
    except ValueError:
        return ["impact.json is no JSON"]
    found = list(_differences(json.loads(computed), theirs, ""))
    return found[:SHOWN] or ["impact.json says the same in other bytes"]


def foreign(stated: Mapping[str, str], files: Mapping[str, bytes]) -> list[str]:
    """Files that are not those whose digests are stated."""
    return [
        f"{path} is not the file that the manifest names"
        for path, named in stated.items()
        if digest(files[path]) != named
    ]


def _differences(ours: Any, theirs: Any, at: str) -> list[str]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        keys = dict.fromkeys([*ours, *theirs])
        pairs = [(f"{at}.{key}", ours.get(key), theirs.get(key)) for key in keys]
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        pairs = [(f"{at}[{i}]", *both) for i, both in enumerate(zip(ours, theirs, strict=True))]
    elif ours == theirs:
        return []
    else:
        return [f"impact.json{at} is {_short(theirs)}, computed is {_short(ours)}"]
    return [found for path, one, other in pairs for found in _differences(one, other, path)]


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."
