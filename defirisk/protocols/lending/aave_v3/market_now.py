"""The rows of an Aave v3 market joined for one block: reserves with prices, accounts with modes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from defirisk.core.adapter import Answer, Snapshot
from defirisk.core.evm import ZERO_ADDRESS, Address
from defirisk.core.quote import Feed, Program, anchored
from defirisk.protocols.lending.aave_v3.account_data import EMode, ReserveNow, emodes
from defirisk.protocols.lending.aave_v3.accrual import normalized_income, normalized_variable_debt
from defirisk.protocols.lending.aave_v3.generation import Generation, generation_of
from defirisk.protocols.lending.aave_v3.rows import (
    THE_POOL,
    Account,
    Donation,
    EModeAsset,
    EModeCategory,
    PoolCode,
    PoolMarket,
    Price,
    PriceOracle,
    PriceSource,
    Reserve,
    UserReserve,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceNow:
    """What the market's oracle says of an asset, where that was learned, and how old it is.

    `answer` is that of the source, where it was taken from there.
    """

    price: int | None
    source: Address
    updated_ts: int | None
    grade: Literal["logs", "read", "none"]
    answer: Answer | None = None

    def program(self, unit: int) -> Program:
        """What the price follows, in units of account; the oracle takes it for their `unit`."""
        value = None if self.price is None else Fraction(self.price, unit)
        if value is None or self.answer is None:
            return Feed(self.source, value)
        return anchored(self.answer.of(self.source), value)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketNow:
    """Everything about a market at the snapshot's block, by the asset or the account."""

    generation: Generation
    oracle: Address
    base_currency: Address
    base_currency_unit: int
    reserves: Mapping[Address, ReserveNow]
    prices: Mapping[Address, PriceNow]
    positions: Mapping[Address, tuple[UserReserve, ...]]
    modes: Mapping[Address, EMode]
    donations: Mapping[Address, int]

    def cash(self, asset: Address) -> int:
        """What can be withdrawn or borrowed, in base units."""
        counted = self.reserves[asset].reserve.virtual_underlying_raw
        return counted if self.generation.virtual_balance else counted + self.donated(asset)

    def donated(self, asset: Address) -> int:
        """The part of the cash that no event of the Pool tells of, which was read."""
        return self.donations.get(asset, 0)


def market_now(snapshot: Snapshot) -> MarketNow:
    """Joins the snapshot's rows. Dropped reserves are left out, as the contract skips them."""
    rows = snapshot.rows
    code = rows.find(PoolCode, THE_POOL)
    generation = generation_of(code.since_revision if code else 0)
    oracle = _price_oracle(snapshot)
    base = rows.find(PriceOracle, oracle) or PriceOracle(oracle=oracle)
    sources = {row.asset: row.source for row in rows.all(PriceSource) if row.oracle == oracle}
    reserves, prices = {}, {}
    for reserve in rows.all(Reserve):
        if reserve.dropped or reserve.a_token == ZERO_ADDRESS:
            continue
        source = sources.get(reserve.asset, ZERO_ADDRESS)
        prices[reserve.asset] = _price_of(snapshot, base, reserve.asset, source)
        price = prices[reserve.asset]
        reserves[reserve.asset] = _reserve_now(snapshot, generation, reserve, price)
    return MarketNow(
        generation=generation,
        oracle=oracle,
        base_currency=base.base_currency,
        base_currency_unit=base.base_currency_unit_raw,
        reserves=reserves,
        prices=prices,
        positions=_positions(snapshot),
        modes=_modes(snapshot, generation),
        donations={row.asset: row.amount_raw for row in rows.all(Donation)},
    )


def _price_oracle(snapshot: Snapshot) -> Address:
    stated = snapshot.deployment.contracts.get("oracle", ZERO_ADDRESS)
    market = snapshot.rows.find(PoolMarket, snapshot.deployment.contracts["pool"])
    if market is not None and market.price_oracle != ZERO_ADDRESS:
        return market.price_oracle
    return stated


def _price_of(snapshot: Snapshot, base: PriceOracle, asset: Address, source: Address) -> PriceNow:
    """`AaveOracle.getAssetPrice`; what it would ask the fallback oracle for is a read price.

    None also for a token without usable decimals: there is no whole token to have a price.
    """
    if asset not in snapshot.tokens:
        return PriceNow(price=None, source=source, updated_ts=None, grade="none")
    if asset == base.base_currency:
        unit = base.base_currency_unit_raw
        return PriceNow(price=unit, source=base.oracle, updated_ts=None, grade="logs")
    answer = snapshot.answers.get(source)
    if answer is not None and answer.price > 0:
        return PriceNow(
            price=answer.price,
            source=source,
            updated_ts=answer.updated_at,
            grade=answer.grade,
            answer=answer,
        )
    read = snapshot.rows.find(Price, base.oracle, asset)
    if read is not None and read.price_raw > 0:
        # When it was read is known; when the source last changed is not.
        return PriceNow(price=read.price_raw, source=source, updated_ts=None, grade="read")
    return PriceNow(price=None, source=source, updated_ts=None, grade="none")


def _reserve_now(
    snapshot: Snapshot, generation: Generation, reserve: Reserve, price: PriceNow
) -> ReserveNow:
    now_ts = snapshot.block.timestamp
    token = snapshot.tokens.get(reserve.asset)
    return ReserveNow(
        reserve=reserve,
        unit=10 ** (token.decimals if token else 18),
        liquidity_index_ray=normalized_income(reserve, now_ts),
        variable_borrow_index_ray=normalized_variable_debt(reserve, now_ts, generation.compounding),
        price=price.price if token else None,
    )


def _positions(snapshot: Snapshot) -> dict[Address, tuple[UserReserve, ...]]:
    found: dict[Address, list[UserReserve]] = {}
    for row in snapshot.rows.all(UserReserve):
        found.setdefault(row.account, []).append(row)
    return {account: tuple(rows) for account, rows in found.items()}


def _modes(snapshot: Snapshot, generation: Generation) -> dict[Address, EMode]:
    """The efficiency mode of every account that is in one."""
    rows = snapshot.rows
    assets = rows.all(EModeAsset)
    if generation.emode_of_reserve:
        assets = _emode_of_reserves(rows.all(Reserve))
    known = emodes(rows.all(EModeCategory), assets)
    return {
        row.account: known[row.emode_category_id]
        for row in rows.all(Account)
        if row.emode_category_id in known
    }


def _emode_of_reserves(reserves: Iterable[Reserve]) -> list[EModeAsset]:
    return [
        EModeAsset(category_id=reserve.emode_category_id, asset=reserve.asset, collateral=True)
        for reserve in reserves
        if reserve.emode_category_id
    ]
