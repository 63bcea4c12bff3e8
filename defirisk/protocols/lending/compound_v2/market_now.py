"""The rows of a Compound v2 market joined for one block: cTokens with prices, accounts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Literal

from defirisk.core.adapter import Answer, Snapshot
from defirisk.core.evm import ZERO_ADDRESS, Address
from defirisk.core.quote import Feed, Program, anchored
from defirisk.protocols.lending.compound_v2.account_liquidity import Valued, exchange_rate
from defirisk.protocols.lending.compound_v2.accrual import Rates, rates
from defirisk.protocols.lending.compound_v2.rows import (
    MANTISSA,
    AccountMarket,
    Comptroller,
    CToken,
    CTokenConstants,
    InterestRateModel,
    Price,
    PriceFeed,
    RateModelConstants,
    RatesRead,
)

NATIVE_COIN = "0x" + "ee" * 20
"""Stands for the chain's own coin where the deployment names no wrapped one."""
NATIVE_DECIMALS = 18
PRICE_PLACES = 36
"""A price has as many decimals as make 36 with those of the underlying."""

Grade = Literal["logs", "read", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceNow:
    """`getUnderlyingPrice` as `answer` times `scale`; None where it reverts or is not known.

    `source` is the feed, or what stands for the oracle's own opinion of this one cToken; `said`
    is what that feed said, where the price was taken from there.
    """

    answer: int | None
    scale: int
    source: str
    updated_ts: int | None
    grade: Grade
    said: Answer | None = None

    def program(self, value: Fraction) -> Program:
        """What the price of a whole token, which is `value` now, follows."""
        if self.said is None:
            return Feed(self.source, value)
        return anchored(self.said.of(self.source), value)

    @property
    def mantissa(self) -> int | None:
        """10^(36 - decimals) of the oracle's unit for a whole underlying token."""
        return None if self.answer is None else max(0, self.answer) * self.scale


@dataclass(frozen=True)
class CTokenNow:
    """One market at a block. `decimals` are the underlying's; None where it does not say.

    `blocks_per_year` are those by which its rate model counts; None where it does not say.
    """

    token: CToken
    constants: CTokenConstants
    asset: Address
    decimals: int | None
    price: PriceNow
    rates: Rates | None
    rates_grade: Grade
    blocks_per_year: int | None

    @cached_property
    def valued(self) -> Valued:
        """As the Comptroller sees it."""
        return Valued(
            token=self.token,
            exchange_rate_mantissa=exchange_rate(
                self.token, self.constants.initial_exchange_rate_mantissa
            ),
            price_mantissa=self.price.mantissa,
        )

    @property
    def deprecated(self) -> bool:
        """`Comptroller.isDeprecated`: anybody may repay its debts and seize, healthy or not."""
        token = self.token
        return (
            token.collateral_factor_mantissa == 0
            and token.borrow_paused
            and token.reserve_factor_mantissa == MANTISSA
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketNow:
    """Everything about a Comptroller's markets at the snapshot's block, by cToken or account."""

    comptroller: Comptroller
    tokens: Mapping[Address, CTokenNow]
    positions: Mapping[Address, tuple[AccountMarket, ...]]


def market_now(snapshot: Snapshot) -> MarketNow:
    """Joins the snapshot's rows. A cToken counts once it was listed."""
    rows = snapshot.rows
    address = snapshot.deployment.contracts["comptroller"]
    comptroller = rows.find(Comptroller, address) or Comptroller(comptroller=address)
    tokens = {
        token.c_token: _c_token_now(snapshot, comptroller.price_oracle, token)
        for token in rows.all(CToken)
        if token.listed
    }
    positions: dict[Address, list[AccountMarket]] = {}
    for row in rows.all(AccountMarket):
        if row.c_token in tokens:
            positions.setdefault(row.account, []).append(row)
    return MarketNow(
        comptroller=comptroller,
        tokens=tokens,
        positions={account: tuple(held) for account, held in positions.items()},
    )


def _c_token_now(snapshot: Snapshot, oracle: Address, token: CToken) -> CTokenNow:
    rows = snapshot.rows
    constants = rows.find(CTokenConstants, token.c_token) or CTokenConstants(c_token=token.c_token)
    asset, decimals = _underlying(snapshot, constants)
    known, grade = _rates(snapshot, token)
    model = rows.find(RateModelConstants, token.interest_rate_model)
    return CTokenNow(
        token=token,
        constants=constants,
        asset=asset,
        decimals=decimals,
        price=_price(snapshot, oracle, token.c_token, decimals),
        rates=known,
        rates_grade=grade,
        blocks_per_year=(model.blocks_per_year or None) if model else None,
    )


def _underlying(snapshot: Snapshot, constants: CTokenConstants) -> tuple[Address, int | None]:
    """The native coin is the asset that its wrapped form is: one for one, at any time."""
    if constants.native:
        coin = snapshot.deployment.contracts.get("wrapped_native", NATIVE_COIN)
        return coin, NATIVE_DECIMALS
    token = snapshot.tokens.get(constants.underlying)
    return constants.underlying, token.decimals if token else None


def _price(snapshot: Snapshot, oracle: Address, c_token: Address, decimals: int | None) -> PriceNow:
    """From the feed's logs where the oracle named a feed, else what its view said."""
    row = snapshot.rows.find(PriceFeed, oracle, c_token)
    feed = row.feed if row else ZERO_ADDRESS
    answer = snapshot.answers.get(feed)
    if answer is not None and decimals is not None:
        places = PRICE_PLACES - answer.decimals - decimals
        return PriceNow(
            answer=answer.price if places >= 0 else None,
            scale=10 ** max(0, places),
            source=feed,
            updated_ts=answer.updated_at,
            grade=answer.grade,
            said=answer,
        )
    read = snapshot.rows.find(Price, oracle, c_token)
    if read is not None and read.price_mantissa >= 0:
        source = feed if feed != ZERO_ADDRESS else f"{oracle}/{c_token}"
        return PriceNow(
            answer=read.price_mantissa, scale=1, source=source, updated_ts=None, grade="read"
        )
    return PriceNow(answer=None, scale=1, source=oracle, updated_ts=None, grade="none")


def _rates(snapshot: Snapshot, token: CToken) -> tuple[Rates | None, Grade]:
    """From the model's parameters where it stated them in a form that is known."""
    model = snapshot.rows.find(InterestRateModel, token.interest_rate_model)
    if model is not None:
        return rates(token, model), "logs"
    read = snapshot.rows.find(RatesRead, token.c_token)
    if read is None:
        return None, "none"
    said = Rates(read.borrow_rate_per_block_mantissa, read.supply_rate_per_block_mantissa)
    return said, "read"
