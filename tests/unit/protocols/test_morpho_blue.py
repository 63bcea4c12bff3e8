"""Morpho Blue's fold and arithmetic against a plain model of the contract's storage."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import pytest

from defirisk.core.adapter import Contract, Log
from defirisk.core.plugins import adapter
from defirisk.protocols.lending.morpho_blue.health import (
    is_healthy,
    liquidation_incentive_factor,
)
from defirisk.protocols.lending.morpho_blue.interest import (
    accrue,
    proportional_rate,
    taylor_compounded,
)
from defirisk.protocols.lending.morpho_blue.rows import Market, Position, Settings
from defirisk.protocols.lending.morpho_blue.shares import WAD
from tests.unit.protocols.rows_in_memory import RowsInMemory

MORPHO = "0x" + "bb" * 20
TREASURY, IRM, ZERO = "0x" + "fe" * 20, "0x" + "1e" * 20, "0x" + "00" * 20
PARAMS = ("0x" + "a1" * 20, "0x" + "c0" * 20, "0x" + "0c" * 20, IRM, 86 * 10**16)
ID = bytes([7]) * 32
MARKET = "0x" + ID.hex()
ACCOUNTS = ["0x" + f"{number:040x}" for number in range(1, 6)]


class Refused(Exception):
    """The contract would have reverted."""


@dataclass
class Model:
    """One market as the Solidity has it: a dictionary of numbers, and the logs that it emits.

    Written from `Morpho.sol` line by line, without anything of the adapter.
    """

    m: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("sa", "ss", "ba", "bs"), 0))
    fee: int = 0
    now: int = 1_700_000_000
    last_update: int = 1_700_000_000
    positions: dict[str, list[int]] = field(default_factory=dict)
    logs: list[tuple[str, dict[str, Any], int]] = field(default_factory=list)

    def of(self, account: str) -> list[int]:
        return self.positions.setdefault(account, [0, 0, 0])

    def emit(self, event: str, **args: Any) -> None:
        self.logs.append((event, {"id": ID, **args}, self.now))

    def accrue(self) -> None:
        elapsed = self.now - self.last_update
        if elapsed == 0:
            return
        rate = self.m["ba"] * WAD // self.m["sa"] // (365 * 86400) if self.m["sa"] else 0
        one = rate * elapsed
        two = one * one // (2 * WAD)
        three = two * one // (3 * WAD)
        interest = self.m["ba"] * (one + two + three) // WAD
        self.m["ba"] += interest
        self.m["sa"] += interest
        shares = 0
        if self.fee:
            part = interest * self.fee // WAD
            shares = part * (self.m["ss"] + 10**6) // (self.m["sa"] - part + 1)
            self.of(TREASURY)[0] += shares
            self.m["ss"] += shares
        self.emit("AccrueInterest", prevBorrowRate=rate, interest=interest, feeShares=shares)
        self.last_update = self.now

    def up(self, shares: int) -> int:
        return -(-shares * (self.m["ba"] + 1) // (self.m["bs"] + 10**6))

    def healthy(self, account: str, price: int) -> bool:
        _, borrowed, collateral = self.of(account)
        worth = collateral * price // 10**36 * PARAMS[4] // WAD
        return worth >= self.up(borrowed)

    def supply(self, who: str, assets: int) -> None:
        self.accrue()
        shares = assets * (self.m["ss"] + 10**6) // (self.m["sa"] + 1)
        self.of(who)[0] += shares
        self.m["ss"] += shares
        self.m["sa"] += assets
        self.emit("Supply", caller=who, onBehalf=who, assets=assets, shares=shares)

    def withdraw(self, who: str, shares: int) -> None:
        self.accrue()
        assets = shares * (self.m["sa"] + 1) // (self.m["ss"] + 10**6)
        if shares > self.of(who)[0] or self.m["ba"] > self.m["sa"] - assets:
            raise Refused
        self.of(who)[0] -= shares
        self.m["ss"] -= shares
        self.m["sa"] -= assets
        self.emit("Withdraw", caller=who, onBehalf=who, receiver=who, assets=assets, shares=shares)

    def supply_collateral(self, who: str, assets: int) -> None:
        self.of(who)[2] += assets
        self.emit("SupplyCollateral", caller=who, onBehalf=who, assets=assets)

    def withdraw_collateral(self, who: str, assets: int, price: int) -> None:
        self.accrue()
        if assets > self.of(who)[2]:
            raise Refused
        self.of(who)[2] -= assets
        if not self.healthy(who, price):
            self.of(who)[2] += assets
            raise Refused
        self.emit("WithdrawCollateral", caller=who, onBehalf=who, receiver=who, assets=assets)

    def borrow(self, who: str, assets: int, price: int) -> None:
        self.accrue()
        shares = -(-assets * (self.m["bs"] + 10**6) // (self.m["ba"] + 1))
        self.of(who)[1] += shares
        self.m["bs"] += shares
        self.m["ba"] += assets
        if not self.healthy(who, price) or self.m["ba"] > self.m["sa"]:
            self.of(who)[1] -= shares
            self.m["bs"] -= shares
            self.m["ba"] -= assets
            raise Refused
        self.emit("Borrow", caller=who, onBehalf=who, receiver=who, assets=assets, shares=shares)

    def repay(self, who: str, shares: int) -> None:
        self.accrue()
        if shares > self.of(who)[1]:
            raise Refused
        assets = self.up(shares)
        self.of(who)[1] -= shares
        self.m["bs"] -= shares
        self.m["ba"] = max(0, self.m["ba"] - assets)
        self.emit("Repay", caller=who, onBehalf=who, assets=assets, shares=shares)

    def liquidate(self, who: str, share: Fraction, price: int) -> None:
        self.accrue()
        if self.healthy(who, price):
            raise Refused
        repaid_shares = int(self.of(who)[1] * share)
        given = WAD * WAD // (WAD - 3 * 10**17 * (WAD - PARAMS[4]) // WAD)
        worth = repaid_shares * (self.m["ba"] + 1) // (self.m["bs"] + 10**6)
        seized = min(worth * min(115 * 10**16, given) // WAD * 10**36 // price, self.of(who)[2])
        repaid = self.up(repaid_shares)
        self.of(who)[1] -= repaid_shares
        self.m["bs"] -= repaid_shares
        self.m["ba"] = max(0, self.m["ba"] - repaid)
        self.of(who)[2] -= seized
        bad_shares = bad = 0
        if self.of(who)[2] == 0:
            bad_shares = self.of(who)[1]
            bad = min(self.m["ba"], self.up(bad_shares))
            self.m["ba"] -= bad
            self.m["sa"] -= bad
            self.m["bs"] -= bad_shares
            self.of(who)[1] = 0
        self.emit(
            "Liquidate",
            caller=TREASURY,
            borrower=who,
            repaidAssets=repaid,
            repaidShares=repaid_shares,
            seizedAssets=seized,
            badDebtAssets=bad,
            badDebtShares=bad_shares,
        )


def folded(logs: list[tuple[str, dict[str, Any], int]]) -> RowsInMemory:
    """The rows after the market's creation and these logs."""
    rows = RowsInMemory()
    contract = Contract(address=MORPHO, role="morpho", first_block=0)
    made = [
        ("SetFeeRecipient", {"newFeeRecipient": TREASURY}, 1_600_000_000),
        ("CreateMarket", {"id": ID, "marketParams": PARAMS}, 1_700_000_000),
    ]
    for index, (event, args, timestamp) in enumerate([*made, *logs]):
        adapter("morpho-blue").fold(
            Log(
                block_number=index,
                timestamp=timestamp,
                log_index=0,
                contract=contract,
                event=event,
                args=args,
            ),
            rows,
        )
    return rows


def lived(seed: int, actions: int = 400) -> Model:
    """A market in which five accounts did many things while the price fell and rose."""
    rng = random.Random(seed)
    model = Model()
    price = 2_000 * 10**24  # a collateral of 18 decimals in a loan token of 6
    model.supply(ACCOUNTS[0], 10**12)
    model.fee = 10**17
    model.emit("SetFee", newFee=10**17)
    for _ in range(actions):
        model.now += rng.choice((0, 12, 3600, 86_400))
        price = price * rng.choice((60, 93, 99, 100, 101, 108, 150)) // 100
        who = rng.choice(ACCOUNTS)
        size = 10 ** rng.randrange(0, 11)
        _, borrowed, collateral = model.of(who)
        most = max(1, collateral * price // 10**36 * 85 // 100 - model.up(borrowed))
        act = rng.choice(("lend", "pledge", "borrow", "borrow", "repay", "leave", "liquidate"))
        try:
            if act == "lend":
                model.supply(who, size)
            elif act == "pledge":
                model.supply_collateral(who, size * 10**8)
            elif act == "borrow":
                model.borrow(who, most, price)
            elif act == "repay":
                model.repay(who, rng.choice((borrowed, borrowed // 3)))
            elif act == "liquidate":
                model.liquidate(who, rng.choice((Fraction(1), Fraction(1, 3))), price)
            else:
                model.withdraw(who, rng.randint(0, model.of(who)[0]))
                model.withdraw_collateral(who, collateral // 2, price)
        except Refused:
            continue
    return model


@pytest.mark.parametrize("seed", range(5))
def test_the_rows_of_a_long_life_are_the_contract_s_storage(seed: int) -> None:
    model = lived(seed)

    rows = folded(model.logs)

    market = rows.find(Market, MARKET)
    assert market is not None
    assert market.total_supply_assets_raw == model.m["sa"]
    assert market.total_supply_shares_raw == model.m["ss"]
    assert market.total_borrow_assets_raw == model.m["ba"]
    assert market.total_borrow_shares_raw == model.m["bs"]
    assert (market.fee_wad, market.last_update_ts) == (model.fee, model.last_update)
    for account, held in model.positions.items():
        row = rows.get(Position, MARKET, account)
        assert [row.supply_shares_raw, row.borrow_shares_raw, row.collateral_raw] == held
    assert rows.get(Position, MARKET, TREASURY).supply_shares_raw > 0


def test_the_lives_hold_what_is_easily_missed() -> None:
    """Bad debt and liquidations without, collateral taken out, several actions in one block."""
    logs = [log for seed in range(5) for log in lived(seed).logs]
    times = [timestamp for _, _, timestamp in logs]
    liquidations = [args for event, args, _ in logs if event == "Liquidate"]

    assert sum(args["badDebtAssets"] > 0 for args in liquidations) >= 3
    assert sum(args["badDebtAssets"] == 0 for args in liquidations) >= 3
    assert sum(event == "WithdrawCollateral" for event, _, _ in logs) >= 3
    assert len(set(times)) < len(times)


def test_a_repayment_of_one_more_than_is_owed_leaves_nothing() -> None:
    made = {"caller": TREASURY, "onBehalf": ACCOUNTS[0]}
    supply = ("Supply", {"id": ID, **made, "assets": 100, "shares": 10**8}, 1_700_000_000)
    borrow = ("Borrow", {"id": ID, **made, "assets": 5, "shares": 5_000_001}, 1_700_000_000)
    repay = ("Repay", {"id": ID, **made, "assets": 6, "shares": 5_000_001}, 1_700_000_000)

    market = folded([supply, borrow, repay]).get(Market, MARKET)

    assert (market.total_borrow_assets_raw, market.total_borrow_shares_raw) == (0, 0)


def test_fees_go_to_whoever_is_the_recipient_at_that_moment() -> None:
    accrued = {"id": ID, "prevBorrowRate": 3, "interest": 50, "feeShares": 7}
    heir = ACCOUNTS[4]

    rows = folded(
        [
            ("AccrueInterest", accrued, 1_700_000_012),
            ("SetFeeRecipient", {"newFeeRecipient": heir}, 1_700_000_024),
            ("AccrueInterest", {**accrued, "feeShares": 11}, 1_700_000_036),
        ]
    )

    assert rows.get(Position, MARKET, TREASURY).supply_shares_raw == 7
    assert rows.get(Position, MARKET, heir).supply_shares_raw == 11
    assert rows.get(Settings, MORPHO).fee_recipient == heir
    assert rows.get(Market, MARKET).prev_borrow_rate_wad == 3


@pytest.mark.parametrize("seed", range(5))
def test_interest_that_is_not_booked_yet_is_what_the_contract_would_book(seed: int) -> None:
    model = lived(seed)
    stored = folded(model.logs).get(Market, MARKET)

    for elapsed in (0, 1, 12, 86_400, 40 * 86_400):
        ours = accrue(stored, proportional_rate(stored), stored.last_update_ts + elapsed)
        theirs = Model(m=dict(model.m), fee=model.fee, last_update=model.last_update)
        theirs.now = model.last_update + elapsed
        theirs.accrue()
        assert ours.market.total_supply_assets_raw == theirs.m["sa"]
        assert ours.market.total_supply_shares_raw == theirs.m["ss"]
        assert ours.market.total_borrow_assets_raw == theirs.m["ba"]
        assert ours.fee_shares == theirs.of(TREASURY)[0]


def test_without_a_rate_model_time_costs_nothing() -> None:
    market = Market(market_id=MARKET, irm=ZERO, total_borrow_assets_raw=10**9)

    grown = accrue(market, 10**10, 10**6)

    assert grown.market.total_borrow_assets_raw == 10**9
    assert (grown.interest, grown.fee_shares) == (0, 0)


def test_compounding_has_three_terms() -> None:
    """e^0.1 - 1 is 0.105170918…, of which three terms are 0.10516666…"""
    assert taylor_compounded(10**15, 100) == 105_166_666_666_666_666


@pytest.mark.parametrize("seed", range(5))
def test_health_turns_at_the_same_price_as_in_the_contract(seed: int) -> None:
    """The lowest price at which each position is healthy, and one below it."""
    model = lived(seed)
    market = folded(model.logs).get(Market, MARKET)
    turned = 0
    for account, (_, borrowed, collateral) in model.positions.items():
        if not borrowed or not collateral:
            continue
        position = Position(
            market_id=MARKET,
            account=account,
            borrow_shares_raw=borrowed,
            collateral_raw=collateral,
        )
        low, high = 0, 10**60
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if model.healthy(account, middle) else (middle, high)
        assert is_healthy(market, position, high)
        assert not is_healthy(market, position, low)
        turned += 1
    assert turned


@pytest.mark.parametrize(
    ("lltv_percent", "bonus"),
    [(98, 0.0060362), (94.5, 0.0167768), (86, 0.0438413), (77, 0.0741138), (62.5, 0.1267606)],
)
def test_the_liquidator_s_part_depends_on_the_lltv(lltv_percent: float, bonus: float) -> None:
    factor = liquidation_incentive_factor(round(lltv_percent * 10) * 10**15)

    assert factor / WAD - 1 == pytest.approx(bonus, abs=1e-7)


def test_the_liquidator_s_part_has_a_limit() -> None:
    assert liquidation_incentive_factor(385 * 10**15) == 115 * 10**16
    assert liquidation_incentive_factor(0) == 115 * 10**16
