"""Folding a cToken's logs gives the contract's own storage, whatever happened."""

from __future__ import annotations

import random

import pytest

from defirisk.core.adapter import Contract, Deployment, FeedWanted, Log
from defirisk.protocols.lending.compound_v2 import ADAPTER
from defirisk.protocols.lending.compound_v2.account_liquidity import borrow_balance, exchange_rate
from defirisk.protocols.lending.compound_v2.rows import (
    AccountMarket,
    Comptroller,
    CToken,
    Implementation,
    InterestRateModel,
)
from tests.unit.protocols.compound_v2_model import (
    C_TOKEN,
    COMPTROLLER,
    INITIAL_EXCHANGE_RATE,
    ONE,
    ModelCToken,
    emitted,
)
from tests.unit.protocols.rows_in_memory import RowsInMemory

PEOPLE = ["0x" + digit * 40 for digit in "123456"]
DEPLOYMENT = Deployment(
    name="c", protocol="compound-v2", chain_id=1, first_block=5, contracts={"comptroller": "0xc"}
)


def folded(*logs: Log) -> RowsInMemory:
    state = RowsInMemory()
    for log in logs:
        ADAPTER.fold(log, state)
    return state


def lived(seed: int, steps: int = 150) -> ModelCToken:
    """A cToken after random actions, cTokens sent to itself among them."""
    rng, model = random.Random(seed), ModelCToken()
    model.set_reserve_factor(rng.randrange(ONE))
    for who in PEOPLE:
        model.mint(who, rng.randrange(10**18, 10**22))
    for _ in range(steps):
        who, other = rng.sample(PEOPLE, 2)
        model.accrue(rng.randrange(10**15))
        held, owed, free = model.tokens[who], model.owed(who), model.cash // 4
        action = rng.randrange(9)
        if action == 0:
            model.mint(who, rng.randrange(1, 10**20))
        elif action == 1:
            model.redeem(who, min(held // 2, free * ONE // model.exchange_rate()))
        elif action == 2:
            model.borrow(who, rng.randrange(free + 1))
        elif action == 3:
            model.repay(other, who, rng.choice([owed, owed // 3]))
        elif action == 4:
            model.transfer(who, rng.choice([other, C_TOKEN]), held // 5)
        elif action == 5:
            model.seize(other, who, held // 3)
        elif action == 6:
            model.add_reserves(who, rng.randrange(10**15))
        elif action == 7:
            model.reduce_reserves(who, min(free, model.total_reserves) // 2)
        else:
            model.set_reserve_factor(rng.randrange(ONE))
    return model


@pytest.mark.parametrize("seed", range(20))
def test_the_fold_is_the_storage_of_the_contract(seed: int) -> None:
    model = lived(seed)

    state = folded(*model.logs)

    token = state.get(CToken, C_TOKEN)
    assert token.cash_raw == model.cash
    assert token.total_supply_raw == model.total_supply == sum(model.tokens.values())
    assert token.total_borrows_raw == model.total_borrows
    assert token.total_reserves_raw == model.total_reserves
    assert token.borrow_index_mantissa == model.borrow_index
    assert token.accrual_block_number == model.block
    assert exchange_rate(token, INITIAL_EXCHANGE_RATE) == model.exchange_rate()
    for who in (*PEOPLE, C_TOKEN):
        row = state.get(AccountMarket, who, C_TOKEN)
        assert row.tokens_raw == model.tokens[who]
        assert borrow_balance(row, token) == model.owed(who)


def test_what_was_sent_unseen_is_in_the_cash_after_the_next_accrual() -> None:
    model = lived(1)
    model.cash += 12_345
    model.accrue(10**12)

    assert folded(*model.logs).get(CToken, C_TOKEN).cash_raw == model.cash


def test_an_accrual_of_2019_leaves_the_cash_as_it_is() -> None:
    model = lived(1)
    old = emitted(
        "AccrueInterest", block=999, interestAccumulated=7, borrowIndex=2 * ONE, totalBorrows=77
    )

    token = folded(*model.logs, old).get(CToken, C_TOKEN)

    assert token.cash_raw == model.cash
    assert (token.borrow_index_mantissa, token.total_borrows_raw) == (2 * ONE, 77)
    assert token.accrual_block_number == 999


def test_interest_runs_from_the_block_of_initialisation() -> None:
    first, moved = "0x" + "00" * 20, COMPTROLLER
    start = emitted("NewComptroller", block=33, oldComptroller=first, newComptroller=moved)
    later = emitted("NewComptroller", block=44, oldComptroller=moved, newComptroller=first)

    assert folded(start, later).get(CToken, C_TOKEN).accrual_block_number == 33


def test_a_failed_borrow_enters_the_market_and_nothing_else() -> None:
    """The Comptroller's doing stays, since a failure does not revert; Failure itself is ignored."""
    who = PEOPLE[0]
    entered = emitted("MarketEntered", COMPTROLLER, cToken=C_TOKEN, account=who)

    row = folded(entered).get(AccountMarket, who, C_TOKEN)

    assert row == AccountMarket(account=who, c_token=C_TOKEN, entered=True)
    folded_events = {
        e for one in ADAPTER.interfaces.values() for n in one.events.values() for e in n
    }
    assert "Failure" not in folded_events


def test_both_forms_of_a_pause_are_told_apart() -> None:
    state = folded(
        emitted("ActionPaused", COMPTROLLER, cToken=C_TOKEN, action="Borrow", pauseState=True),
        emitted("ActionPaused", COMPTROLLER, action="Seize", pauseState=True),
        emitted("ActionPaused", COMPTROLLER, action="Else", pauseState=True),
    )

    token, comptroller = state.get(CToken, C_TOKEN), state.get(Comptroller, COMPTROLLER)
    assert (token.mint_paused, token.borrow_paused) == (False, True)
    assert (comptroller.transfer_paused, comptroller.seize_paused) == (False, True)


def test_the_form_of_its_parameters_tells_the_kind_of_a_rate_model() -> None:
    straight = {"baseRatePerBlock": 1, "multiplierPerBlock": 2}
    jump = {**straight, "jumpMultiplierPerBlock": 3, "kink": 4}
    state = folded(
        emitted("NewInterestParams", "0xa", role="interest_rate_model", **straight),
        emitted("NewInterestParams", "0xb", role="interest_rate_model", **jump),
    )

    assert state.get(InterestRateModel, "0xa").kind == "white paper"
    assert state.get(InterestRateModel, "0xb") == InterestRateModel(
        model="0xb",
        kind="jump",
        base_rate_per_block_mantissa=1,
        multiplier_per_block_mantissa=2,
        jump_multiplier_per_block_mantissa=3,
        kink_mantissa=4,
    )


def test_new_code_is_unproven_until_it_was_asked() -> None:
    new = emitted("NewImplementation", oldImplementation="0x1", newImplementation="0x2")

    row = folded(new).get(Implementation, C_TOKEN)

    assert (row.implementation, row.role, row.proven) == ("0x2", "c_token", False)


def test_what_a_market_depends_on_is_discovered_from_the_first_block_on() -> None:
    found = [
        *ADAPTER.discover(DEPLOYMENT, emitted("MarketListed", COMPTROLLER, cToken=C_TOKEN)),
        *ADAPTER.discover(DEPLOYMENT, emitted("NewPriceOracle", COMPTROLLER, newPriceOracle="0xb")),
        *ADAPTER.discover(
            DEPLOYMENT, emitted("NewMarketInterestRateModel", newInterestRateModel="0xd")
        ),
        *ADAPTER.discover(
            DEPLOYMENT, emitted("FeedSet", "0xb", role="price_oracle", cToken=C_TOKEN, feed="0xf")
        ),
    ]

    assert [(c.role, c.address) for c in found if isinstance(c, Contract)] == [
        ("c_token", C_TOKEN),
        ("price_oracle", "0xb"),
        ("interest_rate_model", "0xd"),
    ]
    assert [one.address for one in found if isinstance(one, FeedWanted)] == ["0xf"]
    assert {one.first_block for one in found if isinstance(one, Contract | FeedWanted)} == {5}
