"""What an Aave v3 market itself answers: every number of ours with the view that decides on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction

from defirisk.core.adapter import Contract, Question, Snapshot, View
from defirisk.core.conservation import Total
from defirisk.core.evm import ZERO_ADDRESS, Address
from defirisk.core.row import Rows
from defirisk.protocols.lending.aave_v3.account_data import (
    HEALTH_FACTOR_LIQUIDATION_THRESHOLD,
    NO_EMODE,
    ReserveNow,
    account_data,
)
from defirisk.protocols.lending.aave_v3.market_now import MarketNow, market_now
from defirisk.protocols.lending.aave_v3.ratios import AccountData
from defirisk.protocols.lending.aave_v3.rows import Reserve, UserReserve


def questions(snapshot: Snapshot) -> Iterator[Question]:
    """`getUserAccountData` of every account, then the state of every reserve."""
    market = market_now(snapshot)
    pool = _contract(snapshot.deployment.contracts["pool"], "pool")
    uncounted = market.reserves.keys() - snapshot.tokens.keys()
    for account, positions in market.positions.items():
        if any(position.asset in uncounted and _stake(position) for position in positions):
            continue  # left out, as a finding says
        mode = market.modes.get(account, NO_EMODE)
        ours = account_data(positions, mode, market.reserves, market.generation)
        yield Question(
            subject=account,
            unit=account,
            view=View(pool, "getUserAccountData", (account,)),
            fields=AccountData._fields,
            ours=ours,
        )
    held = _held(one for positions in market.positions.values() for one in positions)
    for asset, now in market.reserves.items():
        yield from _reserve_questions(pool, asset, now)
        yield from _cash_questions(pool, market, asset)
        if asset not in uncounted:
            yield _configuration_question(pool, market, asset)
        yield from _conservation_questions(now.reserve, *held.get(asset, (0, 0)))
        yield from _price_question(market, asset)


class Liquidatable:
    """Whether an account's health factor is below 1 with some oracle prices scaled.

    A scaled price is rounded to the feed's own precision, as a feed that answered it would be.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._market = market_now(snapshot)
        self._assets = list(self._market.reserves)

    def __call__(self, unit: str, prices: Mapping[int, Fraction]) -> bool:
        reserves = dict(self._market.reserves)
        for quote, factor in prices.items():
            # Two quotes to a reserve, as `holdings` lays them out; both have its one price.
            asset = self._assets[quote // 2]
            now = self._market.reserves[asset]
            if now.price is not None:
                # Of an answer of 0 AaveOracle asks its fallback, which knows nothing here.
                price = shocked_answer(now.price, factor) or None
                reserves[asset] = replace(now, price=price)
        emode = self._market.modes.get(unit, NO_EMODE)
        positions = self._market.positions.get(unit, ())
        data = account_data(positions, emode, reserves, self._market.generation)
        return data is not None and data.health_factor < HEALTH_FACTOR_LIQUIDATION_THRESHOLD


def shocked_answer(price: int, factor: Fraction) -> int:
    """What a feed answers after a shock: `price` times `factor`, rounded to the nearest integer."""
    return round(price * factor)


def _contract(address: Address, role: str) -> Contract:
    return Contract(address=address, role=role, first_block=0)


def _reserve_questions(pool: Contract, asset: Address, now: ReserveNow) -> Iterator[Question]:
    reserve = now.reserve
    tokens = (
        ("a_token", reserve.a_token, reserve.scaled_supply_raw),
        ("variable_debt_token", reserve.variable_debt_token, reserve.scaled_variable_debt_raw),
    )
    for function, ours in (
        ("getReserveNormalizedIncome", now.liquidity_index_ray),
        ("getReserveNormalizedVariableDebt", now.variable_borrow_index_ray),
    ):
        yield _of_asset(pool, function, asset, ours)
    for role, token, scaled in tokens:
        yield Question(
            subject=asset,
            view=View(_contract(token, role), "scaledTotalSupply"),
            fields=(f"{role}.scaledTotalSupply",),
            ours=(scaled,),
        )


def _of_asset(pool: Contract, function: str, asset: Address, ours: int) -> Question:
    return Question(
        subject=asset, view=View(pool, function, (asset,)), fields=(function,), ours=(ours,)
    )


def _cash_questions(pool: Contract, market: MarketNow, asset: Address) -> Iterator[Question]:
    """Cash and deficit where the Pool counts them; else what the aToken holds, and the totals.

    A total shows the rounding of one balance more, which before v3.5 may go either way.
    """
    now, balances = market.reserves[asset], market.generation.balances
    reserve = now.reserve
    if market.generation.deficits:
        yield _of_asset(pool, "getReserveDeficit", asset, reserve.deficit_raw)
    if market.generation.virtual_balance:
        yield _of_asset(pool, "getVirtualUnderlyingBalance", asset, reserve.virtual_underlying_raw)
        return
    yield Question(
        subject=asset,
        view=View(_contract(asset, "underlying"), "balanceOf", (reserve.a_token,)),
        fields=("underlying.balanceOf",),
        ours=(market.cash(asset),),
        grade="read" if market.donated(asset) else "compared",
    )
    supplied = balances.a_token(reserve.scaled_supply_raw, now.liquidity_index_ray)
    owed = balances.variable_debt(reserve.scaled_variable_debt_raw, now.variable_borrow_index_ray)
    for role, token, ours in (
        ("a_token", reserve.a_token, supplied),
        ("variable_debt_token", reserve.variable_debt_token, owed),
    ):
        yield Question(
            subject=asset,
            view=View(_contract(token, role), "totalSupply"),
            fields=(f"{role}.totalSupply",),
            ours=(ours,),
        )


def _stake(position: UserReserve) -> bool:
    return position.used_as_collateral or position.scaled_variable_debt_raw > 0


def _held(positions: Iterable[UserReserve]) -> dict[Address, tuple[int, int]]:
    """Sums over all accounts of the scaled aToken and the scaled debt, by asset."""
    sums: dict[Address, tuple[int, int]] = {}
    for position in positions:
        supplied, owed = sums.get(position.asset, (0, 0))
        sums[position.asset] = (
            supplied + position.scaled_a_token_raw,
            owed + position.scaled_variable_debt_raw,
        )
    return sums


def totals(rows: Rows) -> Iterator[Total]:
    """`scaledTotalSupply` of every aToken and debt token: what all accounts hold of it."""
    held = _held(rows.all(UserReserve))
    for reserve in rows.all(Reserve):
        supplied, owed = held.get(reserve.asset, (0, 0))
        for role, token, ours in (
            ("a_token", reserve.a_token, supplied),
            ("variable_debt_token", reserve.variable_debt_token, owed),
        ):
            if token != ZERO_ADDRESS:
                yield Total(
                    subject=f"{role} of {reserve.asset}",
                    view=View(_contract(token, role), "scaledTotalSupply"),
                    ours=ours,
                    made_of=(token,),
                )


def _conservation_questions(reserve: Reserve, supplied: int, owed: int) -> Iterator[Question]:
    """What all accounts hold must be the token's own total: sees one unit of any balance.

    `getUserAccountData` alone would not: a unit of a token with 18 decimals is below its 10^-8.
    """
    for role, token, ours in (
        ("a_token", reserve.a_token, supplied),
        ("variable_debt_token", reserve.variable_debt_token, owed),
    ):
        yield Question(
            subject=reserve.asset,
            view=View(_contract(token, role), "scaledTotalSupply"),
            fields=(f"sum of {role} scaled balances",),
            ours=(ours,),
        )


_CONFIGURATION = (
    # name, first bit, number of bits: `ReserveConfiguration`
    ("ltv_bps", 0, 16),
    ("liquidation_threshold_bps", 16, 16),
    ("liquidation_bonus_bps", 32, 16),
    ("active", 56, 1),
    ("frozen", 57, 1),
    ("borrowing_enabled", 58, 1),
    ("stable_borrowing_enabled", 59, 1),
    ("paused", 60, 1),
    ("borrowable_in_isolation", 61, 1),
    ("siloed_borrowing", 62, 1),
    ("flash_loan_enabled", 63, 1),
    ("reserve_factor_bps", 64, 16),
    ("borrow_cap", 80, 36),
    ("supply_cap", 116, 36),
    ("liquidation_protocol_fee_bps", 152, 16),
    ("emode_category_id", 168, 8),
    ("unbacked_mint_cap", 176, 36),
    ("debt_ceiling", 212, 40),
)


def configuration_bitmap(reserve: Reserve, decimals: int, virtual_balance: bool) -> int:
    """`DataTypes.ReserveConfigurationMap` as the Pool would store it.

    Its last bit says that the Pool counts the reserve's cash: always on in v3.6, unknown to v3.0.
    """
    bitmap = decimals << 48 | int(virtual_balance) << 252
    for name, first_bit, width in _CONFIGURATION:
        bitmap |= (int(getattr(reserve, name)) & ((1 << width) - 1)) << first_bit
    return bitmap


def _configuration_question(pool: Contract, market: MarketNow, asset: Address) -> Question:
    now = market.reserves[asset]
    decimals = len(str(now.unit)) - 1
    ours = configuration_bitmap(now.reserve, decimals, market.generation.virtual_balance)
    return Question(
        subject=asset,
        view=View(pool, "getConfiguration", (asset,)),
        fields=("getConfiguration",),
        ours=(ours,),
    )


def _price_question(market: MarketNow, asset: Address) -> Iterator[Question]:
    price = market.prices[asset]
    if price.price is None:
        return
    yield Question(
        subject=asset,
        view=View(_contract(market.oracle, "oracle"), "getAssetPrice", (asset,)),
        fields=("getAssetPrice",),
        ours=(price.price,),
        grade="read" if price.grade == "read" else "compared",
    )
