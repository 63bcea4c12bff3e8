"""What the keeper asks and tells a lending market, whichever it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from tests.devnet.chain import Tx

from .fork import Block, Log, Outcome


@dataclass(frozen=True)
class Choice:
    """A unit that can be liquidated: for what, against what, and how, the first way that works."""

    deployment: str
    unit: str
    collateral: str
    debt: str
    ways: tuple[Tx, ...]


@dataclass(frozen=True)
class Standing:
    """Where a unit stands at oracle prices."""

    liquidatable: bool
    uncovered: bool


@dataclass(frozen=True)
class Lending(ABC):
    """One deployment."""

    name: str

    @property
    @abstractmethod
    def spenders(self) -> Sequence[str]:
        """Who takes what the keeper repays."""

    def accrual(self) -> list[Tx]:
        """What keepers send first, where a market decides on what it has stored."""
        return []

    @abstractmethod
    def standings(self, block: Block, units: Sequence[str]) -> list[Standing]:
        """Of every unit; one without a price is nowhere and safe."""

    @abstractmethod
    def debts(self, block: Block, unit: str) -> list[tuple[str, int]]:
        """Assets and base units that a unit owes."""

    @abstractmethod
    def choices(self, block: Block, units: Sequence[str]) -> list[Choice]:
        """Of those of `units` that have both a debt and a collateral."""

    @abstractmethod
    def prices(self, block: Block) -> list[int]:
        """Everything that its oracles say."""

    def lessened(self, block: Block, choice: Choice, refusal: Outcome) -> tuple[Tx, ...]:
        """What may be tried instead of what was refused."""
        return ()

    def liquidated(self, outcome: Outcome) -> bool:
        """Whether a liquidation that did not revert did what it says."""
        return outcome.ok

    def afterwards(self, choice: Choice, logs: Sequence[Log]) -> list[Tx]:
        """What it takes to have the collateral in hand after that liquidation."""
        return []

    @abstractmethod
    def fee(self, choice: Choice, logs: Sequence[Log]) -> int:
        """What the protocol took of the collateral, in base units of the asset."""

    def bad_debt(self, logs: Sequence[Log]) -> list[tuple[str, int]]:
        """Assets and amounts that nobody owes any more though nobody repaid them."""
        return []


def most_valuable(values: Sequence[tuple[str, int]]) -> str | None:
    """The first of those of most value; None where nothing has any."""
    best = max(values, key=lambda one: one[1], default=("", 0))
    return best[0] if best[1] else None
