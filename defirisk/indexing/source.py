"""What the steps of a run hand to each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from defirisk.core.adapter import Adapter
from defirisk.indexing.codecs import Codecs
from defirisk.store.registry import StoredDeployment


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A deployment of this run with the code that understands it."""

    stored: StoredDeployment
    adapter: Adapter
    codecs: Codecs


class Progress(Protocol):
    """Is told how far a run is; `total` is None where it is not known."""

    def __call__(self, step: str, done: int, total: int | None) -> None: ...


def silent(step: str, done: int, total: int | None) -> None:
    """Tells nobody."""
