"""The static shock on a synthetic book: python -m benchmarks.book [--json FILE] [--quick]"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks import synthetic
from benchmarks.c_reference import CKernel, Missing
from benchmarks.measure import Result, Run, arguments, paired
from benchmarks.plain_numpy import Broadcasting, ChunkedScipy, FirstBroadcasting
from defirisk.contagion.compiled import CompiledSweep
from defirisk.contagion.screen import screen
from defirisk.contagion.signed import signed_rows
from defirisk.contagion.sparse import SparseSweep
from defirisk.contagion.valuation import market_quotes
from defirisk.core.book import Book, Floats
from defirisk.core.outcome import Outcome
from defirisk.core.scenario import Scenario, quote_prices

COUNTS = ("liquidatable_accounts", "edge_units")
AMOUNTS = {
    "debt": "debt_at_risk_usd",
    "collateral": "collateral_at_risk_usd",
    "bad_debt": "bad_debt_usd",
    "asset_debt": "asset_debt_at_risk_usd",
    "asset_collateral": "asset_collateral_at_risk_usd",
}
BROADCAST = 50
"""Scenarios at which broadcasting is measured: with all of them it needs tens of GB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much is measured."""

    units: int = 100_000
    scenarios: int = 1000
    pairs: int = 5
    large: int = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A book with its prices, and our sweep over it."""

    book: Book
    scenarios: list[Scenario]
    oracle: Floats
    market: Floats
    sweep: CompiledSweep

    def run(self) -> Outcome:
        """What the product computes."""
        return self.sweep.outcome(self.scenarios, self.oracle, self.market)


def job(units: int, scenarios: int) -> Job:
    """The synthetic book of this size; the kernel compiled and the sweep run once."""
    book = synthetic.book(units)
    drawn = synthetic.scenarios(book, scenarios)
    made = Job(
        book=book,
        scenarios=drawn,
        oracle=quote_prices(book, drawn),
        market=market_quotes(book, drawn),
        sweep=CompiledSweep(book),
    )
    made.run()
    return made


def main() -> None:
    """Measures and writes."""
    options = arguments(__doc__)
    sizes = Sizes()
    if options.quick:
        sizes = Sizes(units=3000, scenarios=128, pairs=2, large=5000)
    made, result = job(sizes.units, sizes.scenarios), Result("book")
    result.figures |= {"units": sizes.units, "scenarios": sizes.scenarios}
    _agreement(made, result)
    _against_python(made, sizes, result)
    _against_c(made, sizes, result)
    _first_call(result)
    _memory(sizes, result)
    result.write(options.json)


def _agreement(made: Job, result: Result) -> None:
    ours = made.run()
    twin = screen(made.book, made.scenarios, sweep=SparseSweep(made.book))
    counts = all(np.array_equal(getattr(ours, name), getattr(twin, name)) for name in COUNTS)
    result.figures["counts_equal"] = float(counts)
    # A bad debt is a difference: its last digits are those of the debt that it is a part of.
    scale = {"bad_debt_usd": twin.debt_at_risk_usd}
    result.figures["largest_difference"] = max(
        difference(getattr(ours, name), getattr(twin, name), scale.get(name))
        for name in AMOUNTS.values()
    )
    result.figures["largest_difference_of_bad_debt"] = difference(
        ours.bad_debt_usd, twin.bad_debt_usd
    )
    result.figures["edge_decisions"] = float(ours.edge_units.sum())
    result.figures["liquidatable_share"] = float(ours.liquidatable_accounts.sum()) / (
        len(made.book.units) * len(made.scenarios)
    )


def _against_python(made: Job, sizes: Sizes, result: Result) -> None:
    scipy = ChunkedScipy(made.book)
    sparse = SparseSweep(made.book)
    oracle, market = (np.ascontiguousarray(p[:, :BROADCAST]) for p in (made.oracle, made.market))

    def whole(sweep: SparseSweep | CompiledSweep | None) -> Run:
        return lambda: screen(made.book, made.scenarios, sweep=sweep)

    for name, broadcasting, about in (
        ("numpy_broadcasting", FirstBroadcasting(made.book), "as in the notes: padded gathers"),
        ("numpy_broadcasting_best", Broadcasting(made.book), "the best numpy that we could write"),
    ):
        run = partial(broadcasting, oracle, market)
        ours, theirs, ratio = paired(made.run, run, sizes.pairs)
        result.figures |= {"ours_cpu_s": ours, f"{name}_50_cpu_s": theirs}
        scaled = ratio * len(made.scenarios) / BROADCAST
        result.ratio(name, scaled, f"{about}; measured at {BROADCAST} scenarios and scaled")
    result.figures["million_per_s"] = len(made.book.units) * len(made.scenarios) / ours / 1e6
    _, theirs, ratio = paired(made.run, lambda: scipy(made.oracle, made.market), sizes.pairs)
    result.figures["chunked_scipy_cpu_s"] = theirs
    result.ratio("chunked_scipy", ratio, "scipy.sparse, 2048 units x 32 scenarios at a time")
    ours, theirs, ratio = paired(
        lambda: screen(made.book, made.scenarios, sweep=CompiledSweep(made.book)),
        whole(sparse),
        min(sizes.pairs, 3),
    )
    result.figures |= {"screen_cpu_s": ours, "screen_by_sparse_cpu_s": theirs}
    result.ratio(
        "screen", ratio, "the product's own sparse sweep; prices and rows made anew by ours"
    )


def _against_c(made: Job, sizes: Sizes, result: Result) -> None:
    rows, columns = signed_rows(made.book)
    deployments = len(made.book.deployments)
    asset, per_quote = columns.asset[rows.column], 1 / columns.rate[rows.column]
    first = np.unique(made.book.quote_asset, return_index=True)[1]
    of_assets = np.ascontiguousarray((made.oracle[first] / made.book.quote_rate[first, None]).T)
    of_columns = np.ascontiguousarray(made.oracle[columns.quote].T)
    one = np.ones(len(rows.column))
    with tempfile.TemporaryDirectory() as folder:
        try:
            by_price = CKernel(Path(folder), rows, rows.column, per_quote, deployments)
            by_name = CKernel(Path(folder), rows, asset, one, deployments)
        except Missing as missing:
            print(f"SKIPPED the C reference: {missing}", file=sys.stderr)
            return
        exact = made.run().debt_at_risk_usd
        result.figures["c_largest_difference"] = max(
            difference(by_price(of_columns)["debt"], exact),
            difference(by_name(of_assets)["debt"], exact),
        )
        for name, run, about in (
            ("c_reference", lambda: by_price(of_columns), "a price for each quote"),
            ("c_reference_by_asset", lambda: by_name(of_assets), "a price for each asset, as ours"),
        ):
            _, theirs, ratio = paired(made.run, run, sizes.pairs + 4)
            result.figures[f"{name}_cpu_s"] = theirs
            result.ratio(name, ratio, f"C with AVX-512 and the block bound; {about}; no edge")


def _first_call(result: Result) -> None:
    """In a process of its own, with the compiled kernel on disk."""
    result.figures["first_call_warm_cpu_s"] = _child("first")["cpu_s"]


def _memory(sizes: Sizes, result: Result) -> None:
    found = _child("memory", sizes.large, sizes.scenarios)
    result.figures |= {
        "large_units": sizes.large,
        "large_peak_mb": found["peak_mb"],
        "large_book_mb": found["book_mb"],
        "large_cpu_s": found["cpu_s"],
    }
    result.ratio("peak_memory", found["peak_mb"] / 1000, "1 GB for the large book, Python included")


def _child(*words: object) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.alone", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def difference(one: Floats, other: Floats, scale: Floats | None = None) -> float:
    """The largest difference, relative to `scale` or else to the values themselves."""
    size = np.maximum(np.abs(other if scale is None else scale), np.finfo(np.float64).tiny)
    return float((np.abs(one - other) / size).max(initial=0))


if __name__ == "__main__":
    main()
