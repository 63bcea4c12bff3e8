"""Cascades on a synthetic book: python -m benchmarks.cascade [--json FILE] [--quick]"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from benchmarks import liquidated, synthetic
from benchmarks.book import difference
from benchmarks.measure import Result, arguments, paired
from benchmarks.plain_cascade import NumpyTables, Totals, tables
from benchmarks.plain_rounds import NumpyRounds
from defirisk.contagion.cascade import many
from defirisk.contagion.cascade.machine import machine_code
from defirisk.contagion.cascade.outcome import CascadeOutcome
from defirisk.contagion.cascade.play import Cascade
from defirisk.contagion.cascade.settings import BASE
from defirisk.contagion.cascade.state import LANES
from defirisk.core.scenario import Scenario

FROZEN = replace(BASE, round_seconds=0)
DEPTHS = {"deep": 100.0, "violent": 1.0}
"""Dollars in a pool, over what units pledge of its asset."""

COUNTS = {
    "accounts": "liquidatable_accounts",
    "liquidations": "liquidations",
    "rounds": "rounds",
}
AMOUNTS = {
    "debt": "liquidated_debt_usd",
    "collateral": "liquidated_collateral_usd",
    "written_off": "written_off_usd",
    "uncovered": "uncovered_usd",
    "penalty": "penalty_usd",
    "fees": "protocol_fees_usd",
    "asset_debt": "asset_debt_usd",
    "asset_collateral": "asset_collateral_usd",
    "asset_bad": "asset_bad_debt_usd",
    "in_pools": "asset_in_pools_usd",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much is measured; `small` is the book that Python plays, too."""

    units: tuple[int, ...] = (20_000, 100_000)
    scenarios: int = 64
    pairs: int = 5
    small: int = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A book, its scenarios, our tables of it and those of the reference."""

    scenarios: list[Scenario]
    cascade: Cascade
    plain: NumpyTables

    def ours(self, compiled: bool = True) -> CascadeOutcome:
        """What the product computes."""
        return self.cascade.play(self.scenarios, FROZEN, compiled=compiled)

    def reference(self) -> list[Totals]:
        """The same by numpy."""
        return [NumpyRounds(self.plain, one, FROZEN).play() for one in self.scenarios]


def job(units: int, depth: float, scenarios: int) -> Job:
    """The synthetic book of this size with pools of this depth."""
    book = liquidated.book(units, depth)
    follows = {synthetic.feed(a): a for a in range(len(book.assets))}
    return Job(
        scenarios=liquidated.scenarios(book, scenarios),
        cascade=Cascade(book),
        plain=tables(book, follows),
    )


def main() -> None:
    """Measures and writes."""
    options = arguments(__doc__)
    sizes = Sizes()
    if options.quick:
        sizes = Sizes(units=(1000,), scenarios=20, pairs=2, small=200)
    result = Result("cascade")
    for name, depth in DEPTHS.items():
        small = job(sizes.small, depth, 4)
        equal = _same(small.ours(compiled=False), small.ours())
        result.figures[f"{name}_python_bitwise_equal"] = float(equal)
        for units in sizes.units:
            _measure(job(units, depth, sizes.scenarios), f"{name}_{units}", sizes, result)
    result.write(options.json)


def _measure(made: Job, name: str, sizes: Sizes, result: Result) -> None:
    outcome, reference = made.ours(), made.reference()
    counts, largest = agreement(outcome, reference)
    units, size = len(made.cascade.book.units), len(made.scenarios)
    ours, theirs, ratio = paired(made.ours, made.reference, sizes.pairs)
    result.figures |= {
        f"{name}_counts_equal": float(counts),
        f"{name}_largest_difference": largest,
        f"{name}_rounds_mean": float(outcome.rounds.mean()),
        f"{name}_rounds_max": float(outcome.rounds.max()),
        f"{name}_liquidatable_share": float(outcome.liquidatable_accounts.sum()) / units / size,
        f"{name}_liquidations": float(outcome.liquidations.mean()),
        f"{name}_lowest_price": min(float(np.nanmin(path[-1] / path[0])) for path in outcome.paths),
        f"{name}_ms": ours / size * 1e3,
        f"{name}_numpy_ms": theirs / size * 1e3,
    }
    steps = shares(made)
    result.figures |= {f"{name}_share_{step}": share for step, share in steps.items()}
    result.ratio(name, ratio, "numpy rounds of the same specification, one scenario at a time")


def agreement(ours: CascadeOutcome, reference: list[Totals]) -> tuple[bool, float]:
    """Whether all counts are equal, and the largest relative difference of an amount.

    Of a sum by deployment or asset, relative to the scenario's whole: some are differences.
    """
    counts = all(
        np.array_equal(_stacked(reference, name), getattr(ours, other))
        for name, other in COUNTS.items()
    )
    largest = 0.0
    for name, other in AMOUNTS.items():
        mine = getattr(ours, other)
        whole = np.broadcast_to(np.abs(mine).sum(axis=0), mine.shape)
        largest = max(largest, difference(_stacked(reference, name), mine, whole))
    turnover = ours.liquidated_debt_usd.sum(axis=0)
    largest = max(largest, difference(_stacked(reference, "keepers"), ours.keepers_usd, turnover))
    for path, other_path in zip(ours.paths, reference, strict=True):
        if len(path) == len(other_path.path):
            largest = max(largest, difference(np.array(other_path.path), path))
    return counts, largest


def _stacked(reference: list[Totals], name: str) -> Any:
    return np.stack([getattr(one, name) for one in reference], axis=-1)


def _same(one: CascadeOutcome, other: CascadeOutcome) -> bool:
    """Bit for bit."""
    pairs = [(getattr(one, f.name), getattr(other, f.name)) for f in fields(one)]
    arrays = [pair for pair in pairs if isinstance(pair[0], np.ndarray)]
    arrays += zip(one.paths, other.paths, strict=True)
    return all(a.dtype == b.dtype and a.tobytes() == b.tobytes() for a, b in arrays)


def shares(made: Job) -> Mapping[str, float]:
    """The part of our time that each step takes, by calling the steps' kernels one by one.

    What a call from Python costs is taken off: that of one that finds nothing to do.
    """
    cascade, chosen = made.cascade, made.scenarios[:LANES]
    begun, given, state = cascade.prepared(chosen, FROZEN)
    kernels, spent = machine_code(many.KERNELS), defaultdict[str, float](float)

    def run(name: str, kernel: str, *rest: object) -> Any:
        return _timed(spent, name, kernels[kernel], cascade.facts, state, *rest)

    for _ in range(2):  # first once, so that everything is compiled and in the caches
        spent.clear()
        _timed(spent, "opening", cascade.prepared, chosen, FROZEN)
        run("screen", "survey", begun, given, 0)
        for n in range(len(chosen)):
            run("opening", "begin", begun, n)
            run("nothing", "uncovered", True)
            state.watch.lane[0] = n
            quiet, r = False, 0
            while not quiet:
                run("clock", "clock", 0.0, 0.0)
                run("clock", "value_assets", given[n])
                count = run("settle", "settle_watched", given[n], r)
                run("sell", "sell_round", given[n], r)
                moved = run("oracles", "prices_and_oracles", given[n], r, 0.0)
                quiet, r = count == 0 and not moved, r + 1
            run("end", "uncovered", True)
    return _parts(spent)


def _timed(spent: dict[str, float], name: str, run: Callable[..., Any], *rest: object) -> Any:
    begun = time.process_time()
    found = run(*rest)
    spent[name] += time.process_time() - begun
    spent[f"{name} calls"] += 1
    return found


def _parts(spent: Mapping[str, float]) -> Mapping[str, float]:
    call = spent["nothing"] / spent["nothing calls"]
    names = [one for one in spent if f"{one} calls" in spent and one != "nothing"]
    net = {one: max(spent[one] - call * spent[f"{one} calls"], 0.0) for one in names}
    return {one: seconds / sum(net.values()) for one, seconds in net.items()}


if __name__ == "__main__":
    main()
