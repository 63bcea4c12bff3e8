"""An Aave v3 market as units, quotes, parameters and amounts. The unit is an account."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from defirisk.core.adapter import Snapshot
from defirisk.core.evm import ZERO_ADDRESS, Address
from defirisk.core.holdings import Holding, Holdings, Market, Parameters, Quote, Side
from defirisk.core.quote import Product, Rate
from defirisk.protocols.lending.aave_v3.account_data import (
    NO_EMODE,
    EMode,
    ReserveNow,
    thresholds,
)
from defirisk.protocols.lending.aave_v3.generation import Generation
from defirisk.protocols.lending.aave_v3.market_now import MarketNow, market_now
from defirisk.protocols.lending.aave_v3.rows import RAY, Reserve, UserReserve
from defirisk.protocols.lending.aave_v3.scaled_balance import Balances

BPS = 10_000
HEADROOM = 4
"""How much coarser an account's resolution is than today's prices ask for. It counts for each of
at least three holdings, so prices may rise twelvefold before rounding is missed.
"""


def holdings(snapshot: Snapshot) -> Holdings:
    """Every account with a balance, against two quotes per reserve: its aToken and its debt."""
    market = market_now(snapshot)
    assets = list(market.reserves)
    quotes = [quote for asset in assets for quote in _quotes(snapshot, market, asset)]
    first_quote = {asset: 2 * at for at, asset in enumerate(assets)}
    parameters = _ParameterSets(market.generation)
    balances = market.generation.balances
    held: dict[Address, list[Holding]] = {}
    for account, positions in market.positions.items():
        emode = market.modes.get(account, NO_EMODE)
        mine: list[Holding] = []
        for position in positions:
            now = market.reserves.get(position.asset)
            if now is not None:
                index = parameters.index(now.reserve, emode)
                quote = first_quote[position.asset]
                mine += _held(balances, len(held), position, now, quote, index)
        if mine:
            held[account] = mine
    sets = parameters.all()
    return Holdings(
        units=tuple(held),
        quotes=tuple(quotes),
        parameters=sets,
        holdings=tuple(holding for mine in held.values() for holding in mine),
        markets=tuple(_markets(snapshot, market)),
        unit_of_account="USD" if market.base_currency == ZERO_ADDRESS else market.base_currency,
        resolution=tuple(_resolution(market, mine, sets) for mine in held.values()),
    )


def _resolution(
    market: MarketNow, mine: Sequence[Holding], parameters: Sequence[Parameters]
) -> Fraction:
    """A unit of the base currency; where collaterals differ in their thresholds, of which a
    generation may round the average, also what that is worth.
    """
    unit, step = Fraction(1, market.base_currency_unit), market.generation.ratios.threshold_step
    pledged = [holding for holding in mine if holding.side is Side.COLLATERAL]
    if not step or len({parameters[one.parameters].liquidation_threshold for one in pledged}) < 2:
        return unit
    reserves = list(market.reserves.values())
    value = Fraction(0)
    for holding in pledged:
        now = reserves[holding.quote // 2]
        value += Fraction(holding.balance_raw * (now.price or 0), now.unit)
    return unit * (1 + HEADROOM * step * value)


def _held(
    balances: Balances,
    unit: int,
    position: UserReserve,
    now: ReserveNow,
    quote: int,
    parameters: int,
) -> Iterator[Holding]:
    """The aToken and the debt of one account in one reserve, where they are not zero."""
    scaled, debt = position.scaled_a_token_raw, position.scaled_variable_debt_raw
    if scaled:
        side = Side.COLLATERAL if position.used_as_collateral else Side.SUPPLY
        balance = balances.a_token(scaled, now.liquidity_index_ray)
        yield Holding(unit, quote, side, scaled, balance, parameters)
    if debt:
        balance = balances.variable_debt(debt, now.variable_borrow_index_ray)
        yield Holding(unit, quote + 1, Side.DEBT, debt, balance, parameters)


class _ParameterSets:
    """The distinct parameters that apply to somebody, in order of first use."""

    def __init__(self, generation: Generation) -> None:
        self._generation = generation
        self._index: dict[tuple[str, int], int] = {}
        self._sets: list[Parameters] = []

    def index(self, reserve: Reserve, emode: EMode) -> int:
        category = emode.category.category_id if reserve.asset in emode.collateral else 0
        key = (reserve.asset, category)
        if key not in self._index:
            self._index[key] = len(self._sets)
            mode = emode if category else NO_EMODE
            self._sets.append(_parameters(reserve, mode, self._generation))
        return self._index[key]

    def all(self) -> tuple[Parameters, ...]:
        return tuple(self._sets)


def _parameters(reserve: Reserve, emode: EMode, generation: Generation) -> Parameters:
    ltv, threshold = thresholds(reserve, emode, generation)
    in_mode = emode.category.category_id != 0
    bonus = emode.category.liquidation_bonus_bps if in_mode else reserve.liquidation_bonus_bps
    return Parameters(
        label=f"{reserve.asset}/emode-{emode.category.category_id}" if in_mode else reserve.asset,
        ltv=Fraction(ltv, BPS),
        liquidation_threshold=Fraction(threshold, BPS),
        liquidation_bonus=Fraction(max(bonus - BPS, 0), BPS),
    )


def _quotes(snapshot: Snapshot, market: MarketNow, asset: Address) -> Iterator[Quote]:
    now = market.reserves[asset]
    price = market.prices[asset].program(market.base_currency_unit)
    for name, index_ray in (
        ("liquidity_index", now.liquidity_index_ray),
        ("variable_borrow_index", now.variable_borrow_index_ray),
    ):
        yield Quote(
            market=snapshot.deployment.name,
            asset=asset,
            decimals=_decimals(now),
            program=Product((price, Rate(f"{asset}/{name}", Fraction(index_ray, RAY)))),
        )


def _decimals(now: ReserveNow) -> int:
    return len(str(now.unit)) - 1


def _markets(snapshot: Snapshot, market: MarketNow) -> Iterator[Market]:
    balances = market.generation.balances
    for asset, now in market.reserves.items():
        reserve, price = now.reserve, market.prices[asset]
        yield Market(
            market=snapshot.deployment.name,
            asset=asset,
            decimals=_decimals(now),
            supplied_raw=balances.a_token(reserve.scaled_supply_raw, now.liquidity_index_ray),
            borrowed_raw=balances.variable_debt(
                reserve.scaled_variable_debt_raw, now.variable_borrow_index_ray
            ),
            cash_raw=market.cash(asset),
            deficit_raw=reserve.deficit_raw,
            supply_cap=reserve.supply_cap,
            borrow_cap=reserve.borrow_cap,
            supply_apr=Fraction(reserve.liquidity_rate_ray, RAY),
            borrow_apr=Fraction(reserve.variable_borrow_rate_ray, RAY),
            parameters=_parameters(reserve, NO_EMODE, market.generation),
            reserve_factor=Fraction(reserve.reserve_factor_bps, BPS),
            price=None if price.price is None else Fraction(price.price, market.base_currency_unit),
            price_source=price.source,
            price_updated_ts=price.updated_ts,
            price_grade=price.grade,
            flags=_flags(reserve),
        )


def _flags(reserve: Reserve) -> tuple[str, ...]:
    stated = {
        "inactive": not reserve.active,
        "frozen": reserve.frozen,
        "paused": reserve.paused,
        "not borrowable": not reserve.borrowing_enabled,
        "siloed": reserve.siloed_borrowing,
        "isolated": reserve.debt_ceiling > 0,
        "flash loans": reserve.flash_loan_enabled,
    }
    return tuple(flag for flag, holds in stated.items() if holds)
