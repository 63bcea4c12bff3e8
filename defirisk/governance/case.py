"""Everything that a proposal's numbers are computed from, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from defirisk.core.book import Book, Edge
from defirisk.governance.change import Change
from defirisk.governance.losses import Engine
from defirisk.governance.parameters import Parameters, with_parameters
from defirisk.governance.scenarios import Texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A book whose edge knows today's parameters, the changed parameters, and an edge that knows
    those. `deployment` is its place in the book; `scenarios` are names with their shocks, `command`
    is what makes it all again.
    """

    book: Book
    deployment: int
    changes: tuple[Change, ...]
    new: Parameters
    new_edge: Edge
    scenarios: tuple[Texts, ...]
    engine: Engine = "static"
    command: str = ""

    def after(self) -> Book:
        """The book under the changed parameters."""
        return with_parameters(self.book, self.new, self.new_edge)
