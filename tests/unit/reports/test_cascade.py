"""The report of a cascade keeps to its shape, says what it rests on, and hides nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from defirisk.contagion.cascade.play import Cascade, play
from defirisk.contagion.cascade.settings import BASE, CASES, Settings
from defirisk.contagion.screen import screen
from defirisk.core.adapter import Token
from defirisk.core.book import Book
from defirisk.core.claim import Allocation, Claim
from defirisk.core.quote import Constant
from defirisk.reports import cascade
from defirisk.reports.cascade.cases import settings_of, vault_factors
from defirisk.reports.model import Chart, Report
from defirisk.reports.render import FORMATS, render
from defirisk.shocks.grammar import scenario
from tests import books
from tests.books import Token as Made
from tests.unit.contagion.cascade.liquidated import (
    AAVE,
    HALF,
    WHOLE,
    liquidated,
    pair,
    pocket_of,
)
from tests.unit.reports import sample
from tests.unit.reports.test_stress import MEASURES

TOKENS = [Made("USD", 1.0, 0.9), Made("ETH", 2000.0, 0.8), Made("BTC", 60000.0, 0.75)]
UNITS = [
    [("collateral", "ETH", 10.0), ("debt", "USD", 14_000.0)],
    [("collateral", "BTC", 1.0), ("debt", "USD", 30_000.0)],
    [("collateral", "ETH", 4.0), ("debt", "USD", 4_000.0)],
    [("collateral", "ETH", 1.0), ("debt", "USD", 1_500.0)],
]


def made(rule: Any = HALF, tokens: list[Made] | None = None) -> Book:
    """ETH trades in one pool, BTC in none."""
    book = books.book(tokens or TOKENS, UNITS)
    return liquidated(book, [rule], [pair("ETH", "USD", (100, 200_000))])


def report(book: Book, *shocks: str, base: Settings = BASE) -> Report:
    wanted = [scenario("", [text], book) for text in shocks]
    cases = cascade.play_cases(book, wanted, base)
    return cascade.build(book, screen(book, wanted), cases, run=sample.RUN)


def body(book: Book, *shocks: str, base: Settings = BASE) -> dict[str, Any]:
    found = json.loads(render(report(book, *shocks, base=base), "json"))
    assert isinstance(found, dict)
    return found


def codes(said: dict[str, Any]) -> list[str]:
    return [note["code"] for note in said["warnings"]]


def test_json_keeps_its_shape() -> None:
    said = body(made(), "price:ETH=-30%", "price:BTC=-50%")
    assert [one["name"] for one in said["scenarios"]] == ["price:ETH=-30%", "price:BTC=-50%"]
    for one in said["scenarios"]:
        for totals in ("totals", "totals_low", "totals_high"):
            assert one[totals].keys() == MEASURES
        assert "depth_known" in one
        assert one["vaults"] == []
        for entry in (*one["by_protocol"], *one["by_asset"]):
            assert entry.keys() >= MEASURES
        assert {"protocol", "market"} <= one["by_protocol"][0].keys()
        assert {"asset", "depth_known"} <= one["by_asset"][0].keys()
    assert said["assumptions"].keys() == {"low", "base", "high"}
    assert said["assumptions"]["base"]["keeper_capacity_usd"] is None
    assert said["assumptions"]["low"]["keeper_capacity_usd"] == 1e6


def test_numbers_are_those_of_each_case() -> None:
    book = made()
    one = body(book, "price:ETH=-30%")["scenarios"][0]
    wanted = [scenario("", ["price:ETH=-30%"], book)]
    still = screen(book, wanted)
    for name, key in (("low", "totals_low"), ("base", "totals"), ("high", "totals_high")):
        outcome = play(book, wanted, CASES[name])
        totals = one[key]
        assert totals["bad_debt_usd"] == float(outcome.bad_debt_usd.sum())
        assert totals["liquidated_debt_usd"] == float(outcome.liquidated_debt_usd.sum()) > 0
        assert totals["liquidated_collateral_usd"] == float(outcome.liquidated_collateral_usd.sum())
        assert totals["rounds"] == int(outcome.rounds[0]) > 1
        assert totals["debt_at_risk_usd"] == float(still.debt_at_risk_usd.sum())
        assert one["liquidations"][name] == int(outcome.liquidations[0])
        payers = one["who_pays"][name]
        lost = payers["lenders_written_off_usd"] + payers["uncovered_usd"]
        assert lost == pytest.approx(totals["bad_debt_usd"])
        got = ("protocols_fees_usd", "keepers_profit_usd", "gas_usd", "pools_slippage_usd")
        assert sum(payers[key] for key in got) == pytest.approx(payers["borrowers_penalty_usd"])
    base = play(book, wanted)
    # Who is not liquidatable at once becomes so by the sales of the others.
    assert one["accounts_at_once"] == int(still.liquidatable_accounts.sum())
    assert one["totals"]["liquidatable_accounts"] == int(base.liquidatable_accounts.sum())
    (path,) = one["price_path"]
    np.testing.assert_array_equal(path["prices_usd"], base.paths[0][:, 1])
    assert (path["asset"], len(path["prices_usd"])) == ("ETH", one["totals"]["rounds"] + 1)
    assert path["moved"] == pytest.approx(path["prices_usd"][-1] / 1400 - 1)
    for key in ("liquidated_debt_usd", "liquidated_collateral_usd", "bad_debt_usd"):
        for part in ("by_asset", "by_protocol"):
            assert sum(entry[key] for entry in one[part]) == pytest.approx(one["totals"][key])


def test_depth_is_known_of_what_is_sold_in_a_pool() -> None:
    said = body(made(), "price:ETH=-30%", "price:BTC=-50%")
    eth, btc = said["scenarios"]
    assert eth["depth_known"] == pytest.approx(1)
    assert btc["depth_known"] == 0.0
    known = {one["asset"]: one["depth_known"] for one in btc["by_asset"]}
    assert known == {"BTC": 0.0, "USD": None}
    assert codes(said).count("depth-unknown") == 1
    text = next(note["text"] for note in said["warnings"] if note["code"] == "depth-unknown")
    assert "price:BTC=-50%" in text
    assert "price:ETH" not in text
    assert "depth-unknown" not in codes(body(made(), "price:ETH=-30%"))


def test_what_was_typed_holds_in_every_case() -> None:
    typed = replace(BASE, round_seconds=60, gas_usd=1.0, keeper_capacity_usd=500.0, slices=2)
    for one in settings_of(typed).values():
        assert (one.round_seconds, one.gas_usd, one.slices) == (60, 1.0, 2)
        assert one.keeper_capacity_usd == 500.0
    assert settings_of(replace(BASE, recovery=0.9))["high"].recovery == 0.9
    assert settings_of(BASE) == CASES


def test_a_cascade_that_is_cut_off_is_said_so() -> None:
    said = body(made(), "price:ETH=-30%", base=replace(BASE, max_rounds=1))
    assert "not-ended" in codes(said)
    assert said["scenarios"][0]["ended"]["base"] is False
    assert "not-ended" not in codes(body(made(), "price:ETH=-30%"))


def test_refused_liquidations_are_counted() -> None:
    """Gas of a thousand dollars is more than the smallest bonus."""
    book = made()
    dear = replace(BASE, gas_usd=1e3)
    one = body(book, "price:ETH=-30%", base=dear)["scenarios"][0]
    outcome = play(book, [scenario("", ["price:ETH=-30%"], book)], dear)
    assert one["refused"]["base"] == int(outcome.states[0].totals[6]) > 0
    assert "and was not" in render(report(book, "price:ETH=-30%", base=dear), "md")


def test_borrowers_who_cannot_be_played_are_not_passed_over() -> None:
    said = body(sample.book(), "price:WETH=-40%")
    assert codes(said) == ["not-played"]
    text = render(report(sample.book(), "price:WETH=-40%"), "table")
    assert "81 accounts can be liquidated, and none was played" in text
    assert body(sample.empty_book(), "price:WETH=-40%")["warnings"] == []


def test_a_pool_that_runs_dry_is_said_so() -> None:
    """Debts in ETH are bought back in a pool that has next to none."""
    units = [[("collateral", "USD", 600.0), ("debt", "ETH", 0.2)]] * 200
    book = liquidated(
        books.book(TOKENS, units), [WHOLE], [pair("ETH", "USD", (40, 80_000), name="thin")]
    )
    said = body(book, "price:ETH=+40%", base=replace(BASE, gas_usd=0.0))
    assert "pools-empty" in codes(said)
    assert "pools-empty" not in codes(body(made(), "price:ETH=-30%"))


def test_the_protocols_fee_is_not_taken_for_unknown_depth() -> None:
    book = made(AAVE)
    pocket = pocket_of(book, 1, Fraction(1, 4))
    book = replace(book, liquidation=replace(book.liquidation, pockets=(pocket,)))
    one = body(book, "price:ETH=-30%")["scenarios"][0]
    assert one["who_pays"]["base"]["protocols_fees_usd"] > 10
    (eth,) = (entry for entry in one["by_asset"] if entry["asset"] == "ETH")
    assert eth["depth_known"] == pytest.approx(1) == one["depth_known"]
    assert eth["sold_in_pools_usd"] < eth["liquidated_collateral_usd"]


def lent(share: Fraction = Fraction(1, 2)) -> Book:
    """A vault lent that part of its assets to a market that socialises bad debt."""
    book = liquidated(books.book(TOKENS, UNITS), [WHOLE], [pair("ETH", "USD", (1000, 2e6))])
    usd, token = books.address("USD"), books.address("vUSD")
    pocket = pocket_of(book, 0, Fraction(0))
    market = pocket.market
    claim = Claim(
        token=token,
        kind="vault",
        program=Constant(Fraction(1)),
        underlying=usd,
        rate=Fraction(11, 10),
        total_assets_raw=40_000 * 10**18,
        allocations=(
            Allocation(market=book.markets[market].market, assets_raw=int(share * 40_000 * 10**18)),
        ),
    )
    named = Token(address=token, symbol="<b>vUSD</b>", name="", decimals=18)
    dollars = Token(address=usd, symbol="USD", name="", decimals=18)
    sources = replace(book.sources, claims={token: claim}, tokens={token: named, usd: dollars})
    return replace(book, sources=sources, liquidation=replace(book.liquidation, pockets=(pocket,)))


def test_a_vault_loses_what_its_market_socialises() -> None:
    said = body(lent(), "price:ETH=-60%")["scenarios"][0]
    written = said["who_pays"]["base"]["lenders_written_off_usd"]
    (vault,) = said["vaults"]
    assert written > 1000
    # Half of it is lent to a market that has 100,000 of lenders.
    assert vault["loss"] == pytest.approx(written / 100_000 / 2, rel=1e-6)
    assert vault["share_price"] == pytest.approx(1.1 * (1 - vault["loss"]), rel=1e-12)
    assert vault["loss_usd"] == pytest.approx(40_000 * vault["loss"], rel=1e-9)
    (calm,) = body(lent(), "price:ETH=+60%")["scenarios"][0]["vaults"]
    assert (calm["loss"], calm["loss_usd"]) == (0.0, 0.0)


def test_what_machine_code_does_not_write_down_is_unknown(recorded_book: Book) -> None:
    """Its outcomes have no states; vaults that no quote reads are unknown then, others are not."""
    wanted = [scenario("", ["price:WETH=-25%"], recorded_book)]
    engine = Cascade(recorded_book)
    outcome = engine.play(wanted, replace(BASE, max_rounds=20))
    kept = vault_factors(recorded_book, engine, outcome)
    bare = vault_factors(recorded_book, engine, replace(outcome, states=()))
    assert kept.keys() == bare.keys()
    assert len(kept) >= 3
    for token, factors in kept.items():
        np.testing.assert_array_equal(factors, bare[token])
    lone = lent()
    outcomes = {
        name: replace(Cascade(lone).play([scenario("", ["price:ETH=-60%"], lone)], one), states=())
        for name, one in CASES.items()
    }
    left = vault_factors(lone, Cascade(lone), outcomes["base"])
    cases = cascade.Cases(outcomes=outcomes, vault_factors=left)
    screened = screen(lone, outcomes["base"].scenarios)
    built = cascade.build(lone, screened, cases, run=sample.RUN)
    one = json.loads(render(built, "json"))["scenarios"][0]
    assert one["refused"]["base"] is None
    assert all(entry["depth_known"] is None for entry in one["by_asset"])
    (vault,) = one["vaults"]
    assert (vault["share_price"], vault["loss"], vault["loss_usd"]) == (None, None, None)
    assert "unknown" in render(built, "table")


HOSTILE = "</script><img src=x onerror=alert(1)>|`[a](javascript:1)\x1b[31m\u202e%{x}"


@pytest.mark.parametrize("format_", FORMATS)
def test_foreign_names_stay_inert(format_: str) -> None:
    book = lent()
    first = replace(book.assets[1], symbol=HOSTILE)
    bad = replace(
        book,
        assets=(book.assets[0], first, *book.assets[2:]),
        deployments=(replace(book.deployments[0], name=HOSTILE),),
    )
    wanted = [scenario(HOSTILE, [f"price:{first.address}=-60%"], bad)]
    cases = cascade.play_cases(bad, wanted)
    text = render(cascade.build(bad, screen(bad, wanted), cases, run=sample.RUN), format_)
    assert "\x1b[31m" not in text
    assert "\u202e" not in text
    if format_ == "html":
        assert "<img" not in text
        assert "<b>vUSD" not in text
    if format_ == "md":
        assert "[a](" not in text


def test_the_page_shows_the_path_of_what_moved() -> None:
    built = report(made(AAVE), "price:ETH=-30%")
    (chart,) = (block for block in built.blocks() if isinstance(block, Chart))
    (series,) = chart.series
    assert series.name == "ETH"
    assert series.y[0] == 1.0
    assert series.y[-1] < 1.0
    text = render(report(made(), "price:ETH=+60%"), "md")
    assert "No sale moved the market price" in text
    assert "no account can be liquidated, in no round" in text


def test_assumptions_are_printed_with_the_result() -> None:
    typed = replace(BASE, round_seconds=0, keeper_capacity_usd=2e6, recovery=0.25)
    text = " ".join(render(report(made(), "price:ETH=-30%", base=typed), "md").split())
    assert "no interest accrues" in text
    assert "keepers repay at most $2.00M a round" in text
    assert "pools come 25.0 % of the way back" in text
    assert "| Gas for one liquidation | $5.00 | $5.00 | $5.00 |" in text
