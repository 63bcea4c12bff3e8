"""The table of what providers write when they refuse: `provider_errors.toml`, compiled."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Literal

Meaning = Literal["blocks", "logs", "range", "addresses", "rate", "behind", "busy", "refused"]
OF_RANGES: frozenset[Meaning] = frozenset({"blocks", "logs", "range", "addresses"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """One provider's sentence. `example` is a JSON-RPC error object as it was recorded at `source`.

    `width` is the number of blocks that the example allows, `retry_after` the seconds it wishes
    for; None where it says nothing.
    """

    provider: str
    meaning: Meaning
    pattern: re.Pattern[str]
    source: str
    example: Mapping[str, Any] = field(repr=False)
    width: int | None = None
    retry_after: float | None = None


@cache
def wordings() -> tuple[Wording, ...]:
    """The table, in the order in which it is searched."""
    text = files("defirisk.chain").joinpath("provider_errors.toml").read_text("utf-8")
    return tuple(
        Wording(**row | {"pattern": re.compile(row["pattern"], re.I)})
        for row in tomllib.loads(text)["wording"]
    )
