"""Perp Curie: a number of ours that is wrong, or a formula, is found by `verify`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from defirisk.core.row import Row
from defirisk.protocols.perps.perp_curie.rows import (
    Account,
    AccountMarket,
    Collateral,
    Config,
    InsuranceLedger,
    InsuranceWallet,
    MakerRead,
    Market,
    Order,
    PriceObservation,
)
from tests.devnet.alone import build_alone, start_alone
from tests.onchain.perp_curie_chain import FOLDER, Indexed
from tests.onchain.perturbed import changed

pytestmark = pytest.mark.onchain
PACKAGE = "defirisk.protocols.perps.perp_curie"


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Indexed]:
    with start_alone(build_alone(FOLDER, 1)) as alone:
        found = Indexed.of(alone, tmp_path_factory.mktemp("perturbed"))
        yield found
        found.store.close()


COLUMNS: list[tuple[type[Row], str]] = [
    (Account, "balance_raw"),
    (Account, "owed_realized_pnl"),
    (AccountMarket, "taker_position_size"),
    (AccountMarket, "taker_open_notional"),
    (AccountMarket, "last_tw_premium_growth_global_x96"),
    (Order, "liquidity"),
    (Order, "base_debt"),
    (Order, "quote_debt"),
    (MakerRead, "pending_fee"),
    (MakerRead, "pending_funding"),
    (Collateral, "balance_raw"),
    (Config, "liquidation_penalty_ratio"),
    (Config, "twap_interval"),
    (Config, "max_funding_rate"),
    (Config, "market_twap_interval"),
    (Config, "premium_interval"),
    (InsuranceLedger, "bad_debt_raw"),
    (InsuranceWallet, "balance_raw"),
]


@pytest.mark.parametrize(("row_type", "column"), COLUMNS)
def test_an_off_by_one_in_a_stored_number_is_found(
    indexed: Indexed, row_type: type[Row], column: str
) -> None:
    assert _found_when_moved(indexed, row_type, column, 1)


def test_a_second_or_a_cent_in_what_prices_are_made_of_is_found(indexed: Indexed) -> None:
    """These are divided by many seconds before anybody sees them."""
    assert _found_when_moved(indexed, Market, "last_settled_timestamp", 60)
    assert _found_when_moved(indexed, Market, "tw_premium_x96", 10**18 << 96)
    assert _found_when_moved(indexed, PriceObservation, "price_cumulative", 10**12, "timestamp")


def _found_when_moved(
    indexed: Indexed, row_type: type[Row], column: str, by: int, newest: str = ""
) -> bool:
    """Whether `verify` finds a changed number, and nothing once it is put back."""
    with changed(indexed.store, row_type, column, by, largest=newest):
        found = bool(indexed.verdict().mismatches)
    return found and indexed.verdict().mismatches == ()


FORMULAS = {
    "the mean takes the highest leg": ("market_now.median_of_three", max, "getMarkPrice"),
    "margin counts net": (
        "account_value.Worth.total_abs_value",
        property(lambda worth: abs(sum(one.value for one in worth.positions.values()))),
        "getMarginRequirementForLiquidation",
    ),
    "free collateral counts positions": (
        "account_value._debt_value",
        lambda positions: sum(abs(one.value) for one, _ in positions),
        "getTotalDebtValue",
    ),
    "account values are cut toward zero": (
        "account_value.to_settlement",
        lambda value: int(value / 10**12),
        "getAccountValue",
    ),
}


@pytest.mark.parametrize("wrong", FORMULAS)
def test_a_wrong_formula_is_found(
    indexed: Indexed, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, formula, view = FORMULAS[wrong]
    monkeypatch.setattr(f"{PACKAGE}.{place}", formula)

    assert view in {mismatch.field for mismatch in indexed.verdict().mismatches}
