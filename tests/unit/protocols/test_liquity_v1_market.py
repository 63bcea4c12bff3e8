"""What the rows of a Liquity v1 mean: units, quotes, prices, findings, what is read."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from defirisk.core.adapter import Answer, Snapshot
from defirisk.core.evm import ZERO_ADDRESS
from defirisk.core.holdings import Holding, Holdings, Side
from defirisk.core.quote import exact, rate_value
from defirisk.core.row import Row
from defirisk.protocols.cdp.liquity_v1 import ADAPTER
from defirisk.protocols.cdp.liquity_v1.rows import (
    ACTIVE,
    CLOSED_BY_OWNER,
    WAD,
    Aggregator,
    PriceFeed,
    PriceRead,
    StabilityPool,
    Trove,
)
from defirisk.protocols.cdp.liquity_v1.system_now import NATIVE_COIN, system_now
from tests.unit.protocols.liquity_v1_sample import (
    ANN,
    BACKUP,
    BOB,
    CID,
    DAN,
    EVE,
    MAIN,
    MAIN_FEED,
    MANAGER,
    PARAMETERS,
    POOL,
    PRICE_FEED,
    ROWS,
    SYSTEM,
    TWO_THOUSAND,
    WETH,
    ZUSD,
    answer,
    snapshot,
)
from tests.unit.protocols.rows_in_memory import RowsInMemory


def of_unit(found: Holdings, account: str) -> list[Holding]:
    unit = found.units.index(account)
    return [one for one in found.holdings if one.unit == unit]


def value(found: Holdings, one: Holding) -> Fraction:
    """In units of account."""
    price = exact(found.quotes[one.quote].program)
    assert price is not None
    return (one.amount_raw + one.remainder) * price / 10**18


def test_a_trove_without_anything_pending_has_two_holdings() -> None:
    found = ADAPTER.holdings(snapshot())
    mine = [one for one in of_unit(found, ANN) if one.side is not Side.SUPPLY]

    assert [(one.side, one.amount_raw, one.balance_raw) for one in mine] == [
        (Side.COLLATERAL, 20 * WAD, 20 * WAD),
        (Side.DEBT, 10_000 * WAD, 10_000 * WAD),
    ]


def test_what_is_pending_is_a_stake_against_a_quote_that_others_share() -> None:
    found = ADAPTER.holdings(snapshot())
    bob, cid = of_unit(found, BOB), of_unit(found, CID)

    assert [(one.side, one.amount_raw, one.balance_raw) for one in bob] == [
        (Side.COLLATERAL, 5 * WAD, 5 * WAD),
        (Side.DEBT, 9_000 * WAD, 9_000 * WAD),
        (Side.COLLATERAL, 5 * WAD, WAD // 2),
        (Side.DEBT, 5 * WAD, 750 * WAD),
    ]
    assert [one.quote for one in bob] == [one.quote for one in cid]
    stakes = [found.quotes[one.quote] for one in bob[2:]]
    assert [quote.asset for quote in stakes] == [WETH, ZUSD]
    assert [rate_value(quote.program) for quote in stakes] == [Fraction(1, 10), 150]
    assert [value(found, one) for one in bob] == [10_000, 9_000, 1_000, 750]


def test_another_redistribution_moves_a_rate_and_no_amount() -> None:
    before = ADAPTER.holdings(snapshot())
    later = replace(SYSTEM, l_coll_wad=2 * SYSTEM.l_coll_wad, l_debt_wad=2 * SYSTEM.l_debt_wad)
    after = ADAPTER.holdings(snapshot(later))

    assert [one.amount_raw for one in of_unit(before, BOB)] == [
        one.amount_raw for one in of_unit(after, BOB)
    ]
    assert rate_value(after.quotes[of_unit(after, BOB)[2].quote].program) == Fraction(1, 5)


def test_deposits_and_claims_are_held_but_back_nothing() -> None:
    found = ADAPTER.holdings(snapshot())
    eve, dan = of_unit(found, EVE), of_unit(found, DAN)

    assert {one.side for one in (*eve, *dan)} == {Side.SUPPLY}
    assert [one.balance_raw for one in eve] == [2_000 * WAD, 4 * WAD]
    assert [value(found, one) for one in eve] == [2_000, 8_000]
    assert [value(found, one) for one in dan] == [500]
    assert BOB in found.units
    assert len(found.units) == 5


def test_holdings_are_in_the_order_of_their_units() -> None:
    """As the book needs them; Ann has a trove and a deposit."""
    units = [one.unit for one in ADAPTER.holdings(snapshot()).holdings]

    assert units == sorted(units)
    assert units.count(0) == 4


def test_a_deposit_of_an_epoch_that_ended_is_nothing() -> None:
    emptied = StabilityPool(pool=POOL, p_wad=WAD, epoch=1)
    found = ADAPTER.holdings(snapshot(emptied))

    assert [one.balance_raw for one in of_unit(found, EVE)] == [4 * WAD]


def test_all_of_it_is_one_system_with_a_recovery_mode() -> None:
    found = ADAPTER.holdings(snapshot())
    (system,) = found.recovery

    assert [found.units[unit] for unit in system.units] == [ANN, BOB, CID]
    assert (system.collateral_raw, system.debt_raw) == (31 * WAD, 21_500 * WAD)
    assert (system.minimum_ratio, system.critical_ratio) == (Fraction(11, 10), Fraction(3, 2))
    assert system.absorbed_raw == 3_000 * WAD
    assert found.parameters[0].liquidation_threshold == Fraction(10, 11)


@pytest.mark.parametrize(
    ("main", "backup", "price"),
    [
        (TWO_THOUSAND, None, 2_000 * WAD),
        (answer(2 * 10**21, 18), None, 2_000 * WAD),
        (answer(2 * 10**23 + 99, 20), None, 2_000 * WAD),
        (answer(0), answer(1_800 * 10**8), 1_800 * WAD),
        (answer(-5), answer(0), 1_900 * WAD),
        (answer(0), None, 1_900 * WAD),
    ],
    ids=["8 decimals", "18", "20, cut off", "the backup", "the last good one", "nothing else"],
)
def test_the_first_source_that_answers_is_the_price(
    main: Answer, backup: Answer | None, price: int
) -> None:
    assert system_now(snapshot(main=main, backup=backup)).price.wad() == price


def test_a_price_without_a_known_feed_is_read() -> None:
    read = PriceRead(price_feed=PRICE_FEED, price_wad=1_850 * WAD)
    now = system_now(snapshot(read, main=None, backup=TWO_THOUSAND)).price

    assert (now.wad(), now.grade, now.address) == (1_850 * WAD, "read", PRICE_FEED)
    assert now.wad(Fraction(1, 2)) == 925 * WAD


def test_a_price_feed_that_asks_an_aggregator_itself() -> None:
    """As Liquity's own does."""
    rows: list[Row] = [
        PriceFeed(price_feed=PRICE_FEED, last_good_price_wad=WAD),
        Aggregator(contract=PRICE_FEED, aggregator=MAIN_FEED),
    ]

    assert system_now(snapshot(*rows)).price.wad() == 2_000 * WAD


def test_a_shock_of_the_main_feed_leaves_another_backup_alone() -> None:
    price = system_now(snapshot(backup=answer(1_800 * 10**8))).price
    same = Aggregator(contract=BACKUP, aggregator=MAIN_FEED)

    assert price.wad(Fraction(1, 2)) == 1_000 * WAD
    assert price.wad(Fraction(0)) == 1_800 * WAD
    assert system_now(snapshot(same)).price.wad(Fraction(0)) == 1_900 * WAD


def test_without_any_price_nobody_can_be_liquidated() -> None:
    none = snapshot(PriceFeed(price_feed=PRICE_FEED, main=MAIN), main=None)
    found = ADAPTER.holdings(none)

    assert exact(found.quotes[0].program) is None
    assert not ADAPTER.liquidation_check(none)(BOB, {})
    assert [one.code for one in ADAPTER.findings(none)] == ["parameters-read", "no-price"]
    assert {one.liquidatable for one in ADAPTER.debt(none).positions} == {None}
    asked = {question.view.function for question in ADAPTER.questions(none)}
    assert "Troves" in asked
    assert not asked & {"getCurrentICR", "getTCR", "liquidate", "fetchPrice"}


def test_a_price_that_is_not_of_this_block_is_not_asked_about() -> None:
    late = snapshot(main=replace(TWO_THOUSAND, exact=False))
    asked = {question.view.function for question in ADAPTER.questions(late)}

    assert not asked & {"getCurrentICR", "liquidate", "fetchPrice"}


def test_the_check_moves_the_price_that_the_feed_states() -> None:
    """Bob has 5.5 coins against 9,750: the minimum is at 1,950."""
    check = ADAPTER.liquidation_check(snapshot())
    rich = ADAPTER.liquidation_check(snapshot(replace(SYSTEM, active_coll_raw=1_000 * WAD)))

    assert not rich(BOB, {0: Fraction(1_950, 2_000)})
    assert rich(BOB, {0: Fraction(1_950 * 10**8 - 1, 2_000 * 10**8)})
    assert check(BOB, {0: Fraction(1, 2)})
    assert not check(CID, {0: Fraction(1, 2)})
    assert not check(DAN, {})
    assert not check(EVE, {})


def test_debt_that_nothing_covers_is_said() -> None:
    sunk = snapshot(main=answer(1_500 * 10**8))
    system = ADAPTER.debt(sunk)
    bob = next(one for one in system.positions if one.owner == BOB)

    assert bob.ratio == Fraction(55, 65) < 1
    assert system.bad_debt_raw == 1_500 * WAD
    codes = [one.code for one in ADAPTER.findings(sunk)]
    assert codes == ["parameters-read", "bad-debt"]
    assert system.markets[0].total_ratio == Fraction(31 * 1_500, 21_500)


def test_recovery_mode_is_said() -> None:
    sunk = snapshot(main=answer(1_000 * 10**8))
    codes = {one.code for one in ADAPTER.findings(sunk)}

    assert "recovery-mode" in codes
    assert ADAPTER.debt(sunk).markets[0].recovery_mode is True
    assert "recovery mode" in ADAPTER.holdings(sunk).markets[1].flags


def test_the_last_trove_is_said_and_spared() -> None:
    closed = [Trove(borrower=one, status=CLOSED_BY_OWNER) for one in (ANN, CID)]
    alone = snapshot(*closed, main=answer(10**8))

    assert "last-trove" in {one.code for one in ADAPTER.findings(alone)}
    assert not ADAPTER.liquidation_check(alone)(BOB, {})


def test_the_names_of_the_getters_follow_the_debt() -> None:
    named = replace(PARAMETERS, debt_name="LUSD", base_params=ZERO_ADDRESS)
    asked = {question.view.function for question in ADAPTER.questions(snapshot(named))}

    assert {"getPendingLUSDDebtReward", "L_LUSDDebt", "getTotalLUSDDeposits"} <= asked
    assert not any("ZUSD" in function for function in asked)
    codes = [one.code for one in ADAPTER.findings(snapshot(named))]
    assert codes == ["unproven-implementation"]


def test_without_a_wrapped_coin_the_collateral_is_the_coin() -> None:
    plain = snapshot()
    contracts = {"trove_manager": MANAGER}
    unnamed = replace(plain, deployment=replace(plain.deployment, contracts=contracts))

    assert ADAPTER.holdings(unnamed).quotes[0].asset == NATIVE_COIN


def test_the_sample_is_a_system_whose_numbers_add_up() -> None:
    """Pending amounts are in the default pool, stored ones in the active."""
    now = system_now(snapshot())
    stored = [row for row in ROWS if isinstance(row, Trove) and row.status == ACTIVE]

    assert sum(row.coll_raw for row in stored) == SYSTEM.active_coll_raw
    assert sum(one.pending_coll_raw for one in now.active.values()) == SYSTEM.default_coll_raw
    assert sum(one.debt_raw for one in now.active.values()) == now.debt_raw


def test_nothing_is_asked_of_a_snapshot_without_rows() -> None:
    empty: Snapshot = replace(snapshot(), rows=RowsInMemory(), answers={})

    assert ADAPTER.holdings(empty).units == ()
    assert ADAPTER.debt(empty).bad_debt_raw == 0
    assert list(ADAPTER.questions(empty))
