"""One owner over all deployments."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given

from defirisk.core.book import Book
from defirisk.core.holdings import Side
from defirisk.metrics.owner import Exposure, Part, Whole, owners
from defirisk.store.database import open_store
from defirisk.store.frames import load_book
from defirisk.store.registry import stored_deployments
from defirisk.store.snapshots import stored_block
from tests.books import Entry, Token, book, books
from tests.command import CommandLine
from tests.unit.imports import files

TOKENS = [Token("WETH", 2000), Token("USDC", 1), Token("ODD", np.nan)]


def test_loans_and_perpetuals_of_one_owner_are_one() -> None:
    units: list[list[Entry]] = [
        [("collateral", "WETH", 2.0), ("debt", "USDC", 1000.0)],  # anna's loan
        [("debt", "WETH", 3.0), ("collateral", "USDC", 7000.0)],  # anna is short of 3
        [("collateral", "WETH", 1.0), ("debt", "USDC", 2500.0)],  # anna's other position
        [("supply", "USDC", 5.0)],  # bert, in one place only
    ]
    made = book(
        TOKENS,
        units,
        deployments=("loans", "perps"),
        placed=(0, 1, 1, 0),
        owners=("anna", "anna", "anna", "bert"),
    )

    (anna,) = owners(made, perpetuals={1})

    assert anna.parts == (
        Part(deployment=0, units=1, equity_usd=3000, debt_usd=1000),
        # What the second position owes beyond what it has is a debt: nothing else is.
        Part(deployment=1, units=2, equity_usd=500, debt_usd=500),
    )
    assert (anna.owner, anna.equity_usd, anna.debt_usd, anna.unpriced) == ("anna", 3500, 1500, 0)
    assert anna.exposures == (
        Exposure(asset=1, tokens=3500, usd=3500, deployments=(0, 1)),
        Exposure(asset=0, tokens=0, usd=0, deployments=(0, 1)),  # hedged, and shared
    )
    assert [one.shared for one in anna.exposures] == [True, True]
    assert [one.owner for one in owners(made, least_deployments=1)] == ["anna", "bert"]
    (as_loans,) = owners(made)
    assert as_loans.debt_usd == 1000 + 6000 + 2500


def test_what_has_no_price_is_counted_and_left_out() -> None:
    made = book(TOKENS, [[("collateral", "ODD", 4.0), ("debt", "USDC", 1.0)]], owners=("anna",))
    (anna,) = owners(made, least_deployments=1)
    assert (anna.equity_usd, anna.debt_usd, anna.unpriced) == (-1, 1, 1)
    odd = next(one for one in anna.exposures if one.asset == 2)
    assert odd.tokens == 4
    assert np.isnan(odd.usd)


def test_nobody_holds_anything_in_an_empty_book() -> None:
    assert owners(book(TOKENS, []), least_deployments=1) == ()


@given(books())
def test_owners_are_the_sums_of_their_holdings(made: Book) -> None:
    found = {one.owner: one for one in owners(made, least_deployments=1)}
    for o, name in enumerate(made.owners):
        tokens: dict[int, float] = {}
        equity = debt = 0.0
        unpriced, places = 0, set()
        for h in range(len(made.holding_unit)):
            unit, quote = made.holding_unit[h], made.holding_quote[h]
            if made.unit_owner[unit] != o or made.holding_amount[h] == 0:
                continue
            amount = made.holding_amount[h] * made.quote_rate[quote]
            sign = -1 if made.holding_side[h] == Side.DEBT else 1
            asset = int(made.quote_asset[quote])
            places.add(int(made.unit_deployment[unit]))
            tokens[asset] = tokens.get(asset, 0.0) + sign * amount
            value = amount * made.asset_price[asset]
            if np.isnan(value):
                unpriced += 1
                continue
            equity += sign * value
            debt += value if sign < 0 else 0.0
        if not places:
            assert name not in found
            continue
        one = found[name]
        assert {part.deployment for part in one.parts} == places
        assert one.unpriced == unpriced
        assert one.equity_usd == pytest.approx(equity, rel=1e-9, abs=1e-6)
        assert one.debt_usd == pytest.approx(debt, rel=1e-9, abs=1e-6)
        ours = {exposure.asset: exposure.tokens for exposure in one.exposures}
        assert ours == {a: pytest.approx(t, rel=1e-9, abs=1e-6) for a, t in tokens.items()}


def test_an_imported_account_is_seen_in_its_loan_and_its_perpetual(cli: CommandLine) -> None:
    """Equity of the perpetual, from the book's holdings, is what the adapter itself says."""
    who = "0x" + "ab" * 20
    lent = files.positions(
        cli.folder, f"lend,main,{who},WETH,collateral,10", f"lend,main,{who},USDC,debt,9000"
    )
    listed = files.markets(cli.folder, *(f"lend{line[6:]}" for line in files.LISTED))
    assert cli("import", "lending", lent, listed).code == 0
    columns = (
        "protocol,market,account,asset,size,entry_price_usd,margin_usd,maintenance_margin,mode,"
        "price_usd"
    )
    held = files.write(
        cli.folder / "perps.csv",
        (
            columns,
            f"perp,WETH-PERP,{who.upper().replace('X', 'x')},WETH,-4,2100,800,0.05,isolated,2000",
        ),
    )
    ran = cli("import", "perps", held, "--format", "json")
    assert ran.code == 0, ran
    assert json.loads(ran.out)["positions"] == 1

    (whole,) = _imported(cli)

    assert whole.owner == who
    assert {part.equity_usd for part in whole.parts} == {11_000, 1_200}
    assert whole.debt_usd == 9_000
    weth = max(whole.exposures, key=lambda one: one.tokens if one.tokens < 7 else -1)
    assert (weth.tokens, weth.usd, weth.shared) == (6, 12_000, True)


def _imported(cli: CommandLine) -> tuple[Whole, ...]:
    store = open_store(f"sqlite:///{cli.folder / 'defirisk.db'}", create=False)
    try:
        with store.transaction() as connection:
            stored = list(stored_deployments(connection))
            made = load_book(connection, stored, stored_block(connection, 0, None))
    finally:
        store.close()
    perpetuals = [
        d for d, facts in enumerate(made.deployments) if facts.protocol == "imported-perps"
    ]
    return owners(made, perpetuals)
