"""The compiled sweep against the plain twin and against the sparse products."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import synthetic
from defirisk.contagion.compiled import CompiledSweep
from defirisk.contagion.edge import exactly
from defirisk.contagion.screen import COMPILED_FROM, screen
from defirisk.contagion.series import families, series_of
from defirisk.contagion.signed import signed_rows
from defirisk.contagion.sparse import SparseSweep
from defirisk.core.book import Book, Floats
from defirisk.core.outcome import Outcome
from defirisk.core.scenario import Moves, Scenario
from defirisk.shocks.grammar import baseline, scenario
from tests.books import Entry, FractionEdge, Token, book, books
from tests.definition import exact_price
from tests.unit.contagion.scenarios import scenarios
from tests.unit.contagion.twin import oracle_price, screen_one

TOKENS = [Token("WETH", 2000, threshold=0.8), Token("USDC", 1, threshold=0.9)]
AMOUNTS = (
    "debt_at_risk_usd",
    "collateral_at_risk_usd",
    "bad_debt_usd",
    "asset_debt_at_risk_usd",
    "asset_collateral_at_risk_usd",
)


def swept(made: Book, drawn: list[Scenario], room: int = 1 << 18) -> Outcome:
    return screen(made, drawn, sweep=CompiledSweep(made, room=room))


def assert_same(one: Outcome, other: Outcome) -> None:
    assert [s.name for s in one.scenarios] == [s.name for s in other.scenarios]
    np.testing.assert_array_equal(one.liquidatable_accounts, other.liquidatable_accounts)
    np.testing.assert_array_equal(one.edge_units, other.edge_units)
    # What is not covered is a difference: its last bits are those of the debt.
    scale = {"bad_debt_usd": 1e-12 * float(np.nanmax(other.debt_at_risk_usd, initial=0))}
    for name in AMOUNTS:
        np.testing.assert_allclose(
            getattr(one, name), getattr(other, name), rtol=1e-12, atol=scale.get(name, 0)
        )


def loan(collateral: float, debt: float) -> list[Entry]:
    return [("collateral", "WETH", collateral), ("debt", "USDC", debt)]


@given(books(), st.data())
def test_the_plain_twin_agrees(made: Book, data: st.DataObject) -> None:
    drawn = data.draw(st.lists(scenarios(made), min_size=1, max_size=5))

    outcome = swept(made, drawn)

    for s, one in enumerate(drawn):
        twin = screen_one(made, one)
        worth = float(sum(twin.debt.values()) + sum(twin.collateral.values()))
        for d in range(len(made.deployments)):
            assert outcome.liquidatable_accounts[d, s] == twin.accounts[d]
            debt, lost = float(twin.debt[d]), float(twin.bad_debt[d])
            assert outcome.debt_at_risk_usd[d, s] == pytest.approx(debt, rel=1e-12)
            assert outcome.bad_debt_usd[d, s] == pytest.approx(lost, rel=1e-12, abs=1e-12 * worth)
        for a in range(len(made.assets)):
            pledged = float(twin.asset_collateral[a])
            assert outcome.asset_collateral_at_risk_usd[a, s] == pytest.approx(pledged, rel=1e-12)


@given(books(), st.data())
def test_the_sparse_products_agree_on_any_book(made: Book, data: st.DataObject) -> None:
    drawn = data.draw(st.lists(scenarios(made), min_size=1, max_size=5))

    assert_same(swept(made, drawn), screen(made, drawn, sweep=SparseSweep(made)))


@settings(max_examples=8)
@given(st.integers(1, 2500), st.sampled_from([1, 63, 64, 65, 200, 1030]), st.integers(0, 2**31))
def test_blocks_tiles_and_sweeps_join_without_a_seam(units: int, count: int, seed: int) -> None:
    made = synthetic.book(units, assets=12, deployments=3, seed=seed)
    drawn = synthetic.scenarios(made, count, seed=seed + 1)

    assert_same(swept(made, drawn), screen(made, drawn, sweep=SparseSweep(made)))


def test_units_at_the_edge_are_decided_by_the_contract() -> None:
    made = book(TOKENS, [loan(1, 1600), loan(1, 1600 * (1 + 1e-9)), loan(1, 1601)])
    edge = made.edge
    assert isinstance(edge, FractionEdge)

    outcome = swept(made, [baseline()])

    assert outcome.edge_units.tolist() == [2]
    assert edge.asked == 2
    assert outcome.liquidatable_accounts.tolist() == [[2]]
    assert outcome.debt_at_risk_usd[0, 0] == pytest.approx(1600 * (1 + 1e-9) + 1601, rel=1e-12)


@pytest.mark.parametrize("distance", [0.999999e-6, 1.000001e-6, -0.999999e-6, -1.000001e-6])
def test_the_edge_is_as_wide_as_that_of_the_sparse_products(distance: float) -> None:
    made = book(TOKENS, [loan(1e6, 1.6e9 / (1 + distance))], resolution=0.0)

    outcome = swept(made, [baseline()])

    assert_same(outcome, screen(made, [baseline()], sweep=SparseSweep(made)))
    assert outcome.edge_units.tolist() == [int(abs(distance) < 1e-6)]


@pytest.mark.parametrize("debt", [1e-9, 1.6e-9, 9e-9])
def test_dust_is_decided_by_the_contract_too(debt: float) -> None:
    made = book(TOKENS, [loan(1e-12, debt)], resolution=1e-8)

    assert swept(made, [baseline()]).edge_units.tolist() == [1]


def test_more_open_decisions_than_room_are_all_made() -> None:
    made = book(TOKENS, [loan(1, 1600) for _ in range(40)])
    drawn = [baseline()] * 3

    assert_same(swept(made, drawn, room=7), swept(made, drawn))
    assert swept(made, drawn, room=7).edge_units.tolist() == [40, 40, 40]


def test_prices_of_zero_ask_the_contract_as_before() -> None:
    made = book(TOKENS, [[*loan(1, 100), ("supply", "USDC", 5.0)], loan(1, 1900)])
    drawn = [scenario("", [text], made) for text in ("price:WETH=-100%", "price:WETH=-10%")]

    outcome = swept(made, drawn)

    assert outcome.edge_units.tolist() == [2, 0]
    assert_same(outcome, screen(made, drawn, sweep=SparseSweep(made)))


def test_an_unknown_price_excludes_its_units_and_no_others() -> None:
    tokens = [*TOKENS, Token("ODD", np.nan)]
    odd: list[Entry] = [*loan(1, 9000), ("collateral", "ODD", 1.0)]
    held: list[Entry] = [*loan(1, 9000), ("supply", "ODD", 1.0)]

    outcome = swept(book(tokens, [odd, held, loan(1, 9000)]), [baseline()])

    assert outcome.liquidatable_accounts.tolist() == [[2]]
    assert outcome.asset_collateral_at_risk_usd[:, 0].tolist() == [4000, 0, 0]


def test_a_market_price_that_is_unknown_stays_unknown() -> None:
    made = book(TOKENS, [loan(1, 9000)])
    blind = dataclasses.replace(made, asset_price=np.array([np.nan, 1.0]))

    outcome = swept(blind, [baseline()])

    assert outcome.liquidatable_accounts.tolist() == [[1]]
    assert np.isnan(outcome.bad_debt_usd[0, 0])
    assert_same(outcome, screen(blind, [baseline()], sweep=SparseSweep(blind)))


@pytest.mark.parametrize("units", [[], [[]], [[("collateral", "WETH", 1.0)]]])
def test_books_in_which_nobody_can_be_liquidated(units: list[list[Entry]]) -> None:
    outcome = swept(book(TOKENS, units), [baseline()])

    assert outcome.liquidatable_accounts.tolist() == [[0]]
    assert outcome.debt_at_risk_usd.tolist() == [[0]]


@given(books(), st.data())
def test_the_edge_hears_by_how_much_each_quote_moves(made: Book, data: st.DataObject) -> None:
    if not made.units:
        return
    drawn = data.draw(scenarios(made))
    heard: list[Mapping[int, Fraction]] = []

    class Ear:
        def liquidatable(self, unit: int, prices: Mapping[int, Fraction]) -> bool:
            heard.append(prices)
            return False

    exactly(dataclasses.replace(made, edge=Ear()), [drawn])(0, 0)

    mine = np.flatnonzero(made.quote_deployment == made.unit_deployment[0])
    known = [int(q) for q in mine if np.isfinite(made.quote_price[q])]
    moved = {q: oracle_price(made, drawn, q) / exact_price(made.quote_program[q]) for q in known}
    assert {q: heard[0][q] for q in heard[0] if q in known} == {
        q: factor for q, factor in moved.items() if factor != 1
    }


MANY = ("one", "two", "three")


def many_deployments() -> Book:
    """Three deployments on the same feeds, with rates of their own; loans of any health."""
    tokens = [
        Token("WETH", 2000, threshold=0.8, supply_rate=1.07, debt_rate=1.31),
        Token("USDC", 1, threshold=0.9, supply_rate=1.02, debt_rate=1.05),
        Token("DAI", 1, threshold=0.75),
    ]
    random = np.random.default_rng(3)
    units: list[list[Entry]] = [
        [
            ("collateral", "WETH", float(1 + n % 5)),
            ("collateral", "DAI", 100.0),
            ("debt", "USDC", float(random.uniform(100, 1800) * (1 + n % 5))),
            *([("debt", "WETH", 0.1)] if n % 3 == 0 else []),
        ]
        for n in range(300)
    ]
    placed = [n % 3 for n in range(300)]
    return book(tokens, units, deployments=MANY, placed=placed)


def test_quotes_that_differ_by_a_rate_have_one_price() -> None:
    made = many_deployments()
    columns = signed_rows(made)[1]

    found = series_of(columns, families(made, columns.quote), [baseline()])

    by_asset = {int(a): set(found.of[columns.asset == a].tolist()) for a in columns.asset}
    assert [len(kin) for kin in by_asset.values()] == [1, 1, 1]
    assert len(found.quote) == 3


def test_a_quote_that_is_moved_singly_has_its_own_price() -> None:
    made = many_deployments()
    drawn = [scenario("", [f"oracle:WETH@{name}=-{n}0%"], made) for n, name in enumerate(MANY)]
    drawn += [scenario("", ["price:WETH=-30%"], made), baseline()]
    columns = signed_rows(made)[1]
    single = [
        Scenario(name="", shocks=(), moves=Moves(quotes={int(columns.quote[0]): Fraction(2)}))
    ]

    assert len(series_of(columns, families(made, columns.quote), single).quote) == 4
    outcome = swept(made, drawn + single)

    assert_same(outcome, screen(made, drawn + single, sweep=SparseSweep(made)))
    assert len({tuple(column) for column in outcome.liquidatable_accounts.T}) > 3


def test_one_sweep_does_not_remember_another() -> None:
    made = many_deployments()
    sweep = CompiledSweep(made)
    falls = [scenario("", [f"price:WETH=-{n}%"], made) for n in (30, 60)]
    first = screen(made, falls, sweep=sweep)
    kept = [np.copy(getattr(first, name)) for name in AMOUNTS]

    assert_same(screen(made, [baseline()], sweep=sweep), swept(made, [baseline()]))
    assert_same(screen(made, falls, sweep=sweep), first)
    for name, amounts in zip(AMOUNTS, kept, strict=True):
        np.testing.assert_array_equal(getattr(first, name), amounts)


@pytest.mark.parametrize("fall", ["-0.1%", "-25%", "-50%", "-95%"])
def test_blocks_that_are_decided_as_a_whole_add_the_same(fall: str) -> None:
    made = many_deployments()
    # All lanes alike: bounds decide everything, covered or not.
    drawn = [scenario(str(n), [f"price:WETH={fall}"], made) for n in range(64)]

    outcome = swept(made, drawn)

    assert_same(outcome, screen(made, drawn, sweep=SparseSweep(made)))


def test_a_large_job_is_compiled_and_a_small_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    made, used = book(TOKENS, [loan(1, 1000)]), []
    compiled = CompiledSweep.outcome

    def noted(
        sweep: CompiledSweep, drawn: Sequence[Scenario], oracle: Floats, market: Floats
    ) -> Outcome:
        used.append(len(drawn))
        return compiled(sweep, drawn, oracle, market)

    monkeypatch.setattr(CompiledSweep, "outcome", noted)
    screen(made, [baseline()])
    assert used == []
    monkeypatch.setattr("defirisk.contagion.screen.COMPILED_FROM", 2)
    screen(made, [baseline()] * 2)
    assert used == [2]
    assert COMPILED_FROM == 10**8
