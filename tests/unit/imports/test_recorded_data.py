"""Recorded data sets as input: their own figures come out, and large ones take seconds."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest

from defirisk.contagion.screen import liquidatable_units
from defirisk.contagion.valuation import positions, times
from defirisk.core.book import Book
from defirisk.core.scenario import Moves, Scenario, quote_prices
from defirisk.store.database import open_store
from defirisk.store.frames import load_book
from defirisk.store.snapshots import market_deployments, stored_block
from tests.command import CommandLine
from tests.unit.imports.recorded import (
    COMPOUND,
    FRONTIER,
    compound_files,
    compound_rows,
    frontier,
    frontier_files,
)

UNMOVED = Scenario(name="none", shocks=(), moves=Moves())
BOUND_SECONDS = 120  # machines are shared: this only tells seconds from hours


def book_of(folder: Path, name: str) -> Book:
    store = open_store(f"sqlite:///{folder / 'defirisk.db'}", create=False)
    try:
        with store.transaction() as connection:
            deployments = market_deployments(connection, (name,))
            return load_book(connection, deployments, stored_block(connection, 0, None))
    finally:
        store.close()


def test_frontier_shortfalls_are_its_own(cli: CommandLine, tmp_path: Path) -> None:
    """What an account owes beyond its collateral times factor, of every account, in USD."""
    snapshot = frontier()
    paths = frontier_files(snapshot, tmp_path)
    ran = cli("import", "lending", *paths, "--format", "json")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["rows_refused"] == 0
    book = book_of(cli.folder, FRONTIER)
    rows, oracle = positions(book), quote_prices(book, [UNMOVED])[:, 0]
    shortfall = times(rows.debt, oracle) - times(rows.backing, oracle)
    ours = dict(zip(book.units, np.maximum(shortfall, 0), strict=True))
    theirs = {one["account"]: float(one["usdShortfall"]) for one in snapshot["positions"]}
    owed = {one["account"]: float(one["usdBorrowed"]) for one in snapshot["positions"]}
    assert len(theirs) == 1732
    assert set(ours) <= set(theirs)
    # Amounts are cut at the token's decimals: each may lack a base unit. Their figures are floats.
    grain = dict(zip(book.units, times(rows.grain, oracle), strict=True))
    for account, stated in theirs.items():
        slack = grain.get(account, 0.0) + 1e-12 * owed[account]
        assert ours.get(account, 0.0) == pytest.approx(stated, rel=0, abs=slack), account
    short = {account for account, stated in theirs.items() if stated > 0}
    assert len(short) == 77
    assert {book.units[int(n)] for n in liquidatable_units(book, UNMOVED)} == short
    assert sum(ours.values()) == pytest.approx(16_188_064, abs=1)
    debt = times(rows.debt, oracle)
    assert (int((debt > 0).sum()), debt.sum()) == (362, pytest.approx(18_061_697, abs=1))


def test_a_hundred_thousand_rows_import_and_report_in_seconds(
    cli: CommandLine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = compound_rows()
    assert len(rows) == 106_714
    paths = compound_files(rows, tmp_path)
    refused = json.loads(cli("import", "lending", *paths, "--format", "json").out)
    assert not refused["stored"]
    assert {row["reason"].split()[-1] for row in refused["refused"]} == {"negative"}
    start = time.perf_counter()
    ran = cli("import", "lending", *paths, "--skip-bad", "--format", "json")
    stored = time.perf_counter()
    report = cli("report", "protocol", COMPOUND, "-o", "compound.html")
    done = time.perf_counter()
    with capsys.disabled():
        print(f"\n{len(rows):,} rows: import {stored - start:.1f} s, report {done - stored:.1f} s")
    assert (ran.code, report.code) == (0, 0), report.err
    said = json.loads(ran.out)
    assert said["accounts"] == 29_369
    assert said["rows_read"] - said["rows_refused"] == said["rows_written"] >= len(rows)
    assert done - start < BOUND_SECONDS
