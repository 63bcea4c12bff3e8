"""What Compound v2 itself answers: every number of ours with the view that decides on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction

from defirisk.core.adapter import Contract, Question, Snapshot, View
from defirisk.core.conservation import Total
from defirisk.core.evm import Address
from defirisk.core.row import Rows
from defirisk.protocols.lending.compound_v2.account_liquidity import (
    AccountLiquidity,
    Valued,
    account_liquidity,
    borrow_balance,
)
from defirisk.protocols.lending.compound_v2.market_now import CTokenNow, MarketNow, market_now
from defirisk.protocols.lending.compound_v2.rows import AccountMarket, CToken


def questions(snapshot: Snapshot) -> Iterator[Question]:
    """Every account's liquidity and its snapshot in every market, then every market's storage."""
    market = market_now(snapshot)
    comptroller = _contract(market.comptroller.comptroller, "comptroller")
    valued = {c_token: now.valued for c_token, now in market.tokens.items()}
    held = dict.fromkeys(market.tokens, 0)
    for account, rows in market.positions.items():
        yield Question(
            subject=account,
            unit=account,
            view=View(comptroller, "getAccountLiquidity", (account,)),
            fields=AccountLiquidity._fields,
            ours=account_liquidity(rows, valued),
        )
        for row in rows:
            held[row.c_token] += row.tokens_raw
            yield from _snapshot_question(row, market.tokens[row.c_token])
    yield from _comptroller_questions(comptroller, market)
    for c_token, now in market.tokens.items():
        yield from _c_token_questions(now, held[c_token])
        yield from _listing_questions(comptroller, now)
        yield from _price_question(market.comptroller.price_oracle, now)


def totals(rows: Rows) -> Iterator[Total]:
    """`totalSupply` of every cToken: what all accounts hold of it; `totalBorrows` as logs state it.

    What accounts owe does not sum to the latter: interest is rounded for each of them.
    """
    held: dict[Address, int] = {}
    for row in rows.all(AccountMarket):
        held[row.c_token] = held.get(row.c_token, 0) + row.tokens_raw
    for token in rows.all(CToken):
        for function, ours in (
            ("totalSupply", held.get(token.c_token, 0)),
            ("totalBorrows", token.total_borrows_raw),
        ):
            yield Total(
                subject=f"{function} of {token.c_token}",
                view=View(_contract(token.c_token, "c_token"), function),
                ours=ours,
                made_of=(token.c_token,),
            )


class Liquidatable:
    """Whether `getAccountLiquidity` shows a shortfall with some oracle prices scaled.

    A scaled price is rounded to the feed's own precision, as a feed that answered it would be.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._market = market_now(snapshot)
        self._c_tokens = list(self._market.tokens)
        self._valued = {c_token: now.valued for c_token, now in self._market.tokens.items()}

    def __call__(self, unit: str, prices: Mapping[int, Fraction]) -> bool:
        valued = self._valued
        if prices:
            # Two quotes to a market, as `holdings` lays them out; both have its one price.
            factors = {self._c_tokens[quote // 2]: factor for quote, factor in prices.items()}
            valued = valued | {c_token: self._shocked(c_token, f) for c_token, f in factors.items()}
        answer = account_liquidity(self._market.positions.get(unit, ()), valued)
        return answer is not None and answer.shortfall > 0

    def _shocked(self, c_token: Address, factor: Fraction) -> Valued:
        price = self._market.tokens[c_token].price
        answer = None if price.answer is None else shocked_answer(price.answer, factor)
        return replace(self._valued[c_token], price_mantissa=replace(price, answer=answer).mantissa)


def shocked_answer(answer: int, factor: Fraction) -> int:
    """What a feed answers after a shock: `answer` times `factor`, to the nearest integer."""
    return round(answer * factor)


def _contract(address: Address, role: str) -> Contract:
    return Contract(address=address, role=role, first_block=0)


def _snapshot_question(row: AccountMarket, now: CTokenNow) -> Iterator[Question]:
    """Balance, debt and exchange rate; the latter is left out while nothing of ours states it."""
    rate = now.valued.exchange_rate_mantissa
    if rate is None:
        return
    ours = {
        "error": 0,
        "tokens": row.tokens_raw,
        "borrow balance": borrow_balance(row, now.token),
        "exchange rate": rate,
    }
    if not _states_rate(now):
        del ours["exchange rate"]
    yield Question(
        subject=row.account,
        view=View(_contract(row.c_token, "c_token"), "getAccountSnapshot", (row.account,)),
        fields=tuple(ours),
        ours=tuple(ours.values()),
    )


def _states_rate(now: CTokenNow) -> bool:
    return now.token.total_supply_raw > 0 and now.valued.exchange_rate_mantissa is not None


def _asked(address: Address, role: str, numbers: Mapping[str, int]) -> Iterator[Question]:
    """Views without arguments that answer one number."""
    for function, ours in numbers.items():
        yield Question(
            subject=address,
            view=View(_contract(address, role), function),
            fields=(function,),
            ours=(ours,),
        )


def _comptroller_questions(comptroller: Contract, market: MarketNow) -> Iterator[Question]:
    row = market.comptroller
    numbers = {
        "closeFactorMantissa": row.close_factor_mantissa,
        "liquidationIncentiveMantissa": row.liquidation_incentive_mantissa,
        "transferGuardianPaused": row.transfer_paused,
        "seizeGuardianPaused": row.seize_paused,
    }
    yield from _asked(comptroller.address, "comptroller", numbers)


def _c_token_questions(now: CTokenNow, held: int) -> Iterator[Question]:
    token = now.token
    numbers = {
        "accrualBlockNumber": token.accrual_block_number,
        "borrowIndex": token.borrow_index_mantissa,
        "totalBorrows": token.total_borrows_raw,
        "totalReserves": token.total_reserves_raw,
        "totalSupply": token.total_supply_raw,
        "reserveFactorMantissa": token.reserve_factor_mantissa,
    }
    if _states_rate(now):
        numbers["exchangeRateStored"] = now.valued.exchange_rate_mantissa or 0
    yield from _asked(token.c_token, "c_token", numbers)
    contract = _contract(token.c_token, "c_token")
    yield Question(
        subject=token.c_token,
        view=View(contract, "totalSupply"),
        fields=("sum of balances",),
        ours=(held,),
    )
    yield Question(
        subject=token.c_token,
        view=View(contract, "getCash"),
        fields=("getCash",),
        ours=(token.cash_raw,),
        grade="read" if token.cash_read else "compared",
    )
    yield from _rate_questions(contract, now)


def _rate_questions(contract: Contract, now: CTokenNow) -> Iterator[Question]:
    views = ("borrowRatePerBlock", "supplyRatePerBlock")
    for function, ours in zip(views, now.rates or (), strict=False):
        yield Question(
            subject=contract.address,
            view=View(contract, function),
            fields=(function,),
            ours=(ours,),
            grade="read" if now.rates_grade == "read" else "compared",
        )


def _listing_questions(comptroller: Contract, now: CTokenNow) -> Iterator[Question]:
    token = now.token
    for function, fields, ours in (
        ("markets", ("isListed", "collateral factor"), (True, token.collateral_factor_mantissa)),
        ("borrowCaps", ("borrowCaps",), (token.borrow_cap_raw,)),
        ("mintGuardianPaused", ("mintGuardianPaused",), (token.mint_paused,)),
        ("borrowGuardianPaused", ("borrowGuardianPaused",), (token.borrow_paused,)),
    ):
        yield Question(
            subject=token.c_token,
            view=View(comptroller, function, (token.c_token,)),
            fields=fields,
            ours=ours,
        )


def _price_question(oracle: Address, now: CTokenNow) -> Iterator[Question]:
    price = now.price.mantissa
    if price is None:
        return
    yield Question(
        subject=now.token.c_token,
        view=View(_contract(oracle, "price_oracle"), "getUnderlyingPrice", (now.token.c_token,)),
        fields=("getUnderlyingPrice",),
        ours=(price,),
        grade="read" if now.price.grade == "read" else "compared",
    )
