"""The part of an adapter that is the same for all that comes from files: nothing is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from defirisk.core.adapter import Contract, Deployment, Discovery, Interface, Log, Proof, View
from defirisk.core.evm import Block
from defirisk.core.row import Key, Row, State


class ImportedAdapter:
    """Base of adapters whose rows are written by an import (`defirisk.imports`), not by a fold.

    Each thing that a file names is a deployment on chain 0, which no network has; each import is a
    block of it.
    """

    version = 1
    proof: Proof = "imported"
    required_contracts: tuple[str, ...] = ()
    interfaces: Mapping[str, Interface] = {}

    def roots(self, deployment: Deployment) -> Iterable[Discovery]:
        """No contract is watched."""
        return ()

    def discover(self, deployment: Deployment, log: Log) -> Iterable[Discovery]:
        """There are no logs."""
        return ()

    def touches(self, log: Log) -> Iterable[tuple[type[Row], Key]]:
        """There are no logs."""
        return ()

    def fold(self, log: Log, state: State) -> None:
        """There are no logs."""

    def views(self, contracts: Sequence[Contract]) -> Iterable[View]:
        """There is nobody to ask."""
        return ()

    def discover_view(self, view: View, answer: tuple[Any, ...] | None) -> Iterable[Discovery]:
        """There are no views."""
        return ()

    def observe(
        self, view: View, answer: tuple[Any, ...] | None, block: Block, state: State
    ) -> None:
        """There are no views."""
