"""The prediction against what happened."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from .record import Liquidation, Record, Round

UNITS = 2
RELATIVE = 1e-9
Key = TypeVar("Key", bound=Hashable)


@dataclass
class Comparison:
    """The largest relative difference of each kind among those that matter, and what is beyond.

    Amounts of base units that differ by no more than two do not count as different at all.
    """

    largest: dict[str, float] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether everything is as it was predicted."""
        return not self.wrong

    def amounts(
        self, kind: str, predicted: Mapping[Key, float], happened: Mapping[Key, float], least: float
    ) -> None:
        """Values by what they are of; `least` is what they may differ by in any case."""
        self.largest.setdefault(kind, 0.0)
        for key in [*predicted, *(key for key in happened if key not in predicted)]:
            if key not in predicted or key not in happened:
                side = "only predicted" if key in predicted else "not predicted"
                self.wrong.append(f"{kind} {side}: {key}")
                continue
            ours, theirs = predicted[key], happened[key]
            off = abs(ours - theirs)
            if off <= least:
                continue
            relative = off / abs(theirs) if theirs else float("inf")
            self.largest[kind] = max(self.largest[kind], relative)
            if relative > RELATIVE:
                self.wrong.append(f"{kind} {key}: predicted {ours}, happened {theirs}")


def compare(predicted: Record, happened: Record) -> Comparison:
    """Units round by round, and every amount. Errors: `ValueError` where the headers differ."""
    if predicted.header != happened.header:
        raise ValueError("these are records of different scenarios")
    found, sides = Comparison(), (predicted, happened)
    for name in ("repaid_raw", "seized_raw", "fee_raw"):
        ours, theirs = (_of_units(side, name) for side in sides)
        found.amounts(name.removesuffix("_raw"), ours, theirs, UNITS)
    losses = [_bad_debt(side) for side in sides]
    nothing = dict.fromkeys((*losses[0], *losses[1]), 0)
    found.amounts("bad debt", nothing | losses[0], nothing | losses[1], UNITS)
    prices = [_spots(side) for side in sides]
    found.amounts("pool price", prices[0], prices[1], 0.0)
    if len(predicted.rounds) == len(happened.rounds):
        # Debts grow with time, so these are of one moment only.
        debts = [_uncovered(side) for side in sides]
        found.amounts("uncovered", debts[0], debts[1], UNITS)
    return found


def _of_units(record: Record, name: str) -> dict[tuple[int, str, str, str, str], int]:
    """By round, unit and pair: another pair is another liquidation."""
    return {
        (number, one.deployment, one.unit, one.collateral, one.debt): getattr(one, name)
        for number, one in _liquidations(record.rounds)
    }


def _liquidations(rounds: Iterable[Round]) -> Iterable[tuple[int, Liquidation]]:
    return ((number, one) for number, done in enumerate(rounds) for one in done.liquidations)


def _bad_debt(record: Record) -> dict[tuple[int, str, str, str], int]:
    return {
        (number, one.deployment, one.unit, one.asset): one.amount_raw
        for number, done in enumerate(record.rounds)
        for one in done.bad_debt
    }


def _spots(record: Record) -> dict[tuple[str, str], float]:
    """At the end."""
    return {(one.venue, one.quote): one.price for one in record.rounds[-1].spots}


def _uncovered(record: Record) -> dict[tuple[str, str, str], int]:
    return {(one.deployment, one.unit, one.asset): one.debt_raw for one in record.end.uncovered}
