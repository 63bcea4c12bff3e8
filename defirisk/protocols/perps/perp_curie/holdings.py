"""Perp Curie as units, quotes, parameters, amounts and requirements. The unit is an account.

A position counts at the mark price of its market, what was paid for it in quote tokens at 1, the
settlement balance with profits and funding at 1. Everything is in the settlement token.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

from defirisk.core.adapter import Snapshot
from defirisk.core.evm import Address
from defirisk.core.holdings import Holding, Holdings, Market, Parameters, Quote, Side
from defirisk.core.quote import Constant, Program, Twap, anchored
from defirisk.core.requirement import Requirement
from defirisk.protocols.perps.perp_curie.account_value import (
    COLLATERAL_WINDOW,
    Worth,
    present_prices,
    worth,
)
from defirisk.protocols.perps.perp_curie.arithmetic import SETTLEMENT_DECIMALS, SETTLEMENT_UNIT
from defirisk.protocols.perps.perp_curie.mark_program import mark_program
from defirisk.protocols.perps.perp_curie.market_now import MarketNow
from defirisk.protocols.perps.perp_curie.perp_now import CollateralNow, PerpNow, perp_now
from defirisk.protocols.perps.perp_curie.rows import CLOSED, OPEN, PAUSED, RATIO, WAD

DECIMALS = 18
WHOLE = Fraction(1)
STATUS = {PAUSED: "paused", CLOSED: "closed"}


def holdings(snapshot: Snapshot) -> Holdings:
    """Every account with a position or a balance whose prices are known."""
    now = perp_now(snapshot)
    rows = _Rows(now)
    prices = present_prices(now)
    for account in now.accounts.values():
        value = worth(account, now, prices)
        if value is not None:
            rows.add(account.account, value, account.collateral.items())
    contracts, name = snapshot.deployment.contracts, snapshot.deployment.name
    constants = (
        (contracts["quote_token"], DECIMALS),
        (contracts["settlement_token"], SETTLEMENT_DECIMALS),
    )
    return Holdings(
        units=tuple(rows.units),
        quotes=(
            *(
                Quote(
                    market=name,
                    asset=token,
                    decimals=DECIMALS,
                    program=mark_program(one, contracts["quote_token"]),
                )
                for token, one in now.markets.items()
            ),
            *(
                Quote(market=name, asset=asset, decimals=places, program=Constant(WHOLE))
                for asset, places in constants
            ),
            *(_collateral_quote(name, token, one) for token, one in now.collateral.items()),
        ),
        parameters=tuple(_parameters(now)),
        holdings=tuple(rows.holdings),
        markets=tuple(_market(name, now, token, one, rows) for token, one in now.markets.items()),
        owners=tuple(rows.units),
        resolution=Fraction(1, 10**SETTLEMENT_DECIMALS),
        requirements=tuple(rows.requirements),
        virtual=(*now.markets, contracts["quote_token"]),
    )


class _Rows:
    """Collects units; quotes are markets, then quote and settlement token, then collateral."""

    def __init__(self, now: PerpNow) -> None:
        self._ratios = (Fraction(now.ratios.mm_ratio, RATIO), Fraction(now.ratios.im_ratio, RATIO))
        self._markets = {token: place for place, token in enumerate(now.markets)}
        self._paid = len(now.markets)
        self._tokens = {token: self._paid + 2 + n for n, token in enumerate(now.collateral)}
        self.units: list[Address] = []
        self.holdings: list[Holding] = []
        self.requirements: list[Requirement] = []
        self.interest: dict[Address, tuple[int, int]] = {}

    def add(
        self, account: Address, value: Worth, collateral: Iterable[tuple[Address, int]]
    ) -> None:
        """One account; nothing where it is empty."""
        before, unit = len(self.holdings), len(self.units)
        for token, one in value.positions.items():
            self._put(unit, self._markets[token], one.size)
            long, short = self.interest.get(token, (0, 0))
            self.interest[token] = (long + max(0, one.size), short + max(0, -one.size))
            if one.size:
                ratio, initial = self._ratios
                self.requirements.append(
                    Requirement(
                        unit=unit,
                        quote=self._markets[token],
                        amount_raw=abs(one.size),
                        ratio=ratio,
                        initial_ratio=initial,
                    )
                )
        paid = sum(one.open_notional for one in value.positions.values())
        self._put(unit, self._paid, paid)
        self._settlement(unit, value.settlement)
        for token, amount in collateral:
            place = self._tokens[token]
            self.holdings.append(Holding(unit, place, Side.COLLATERAL, amount, amount, place))
        if len(self.holdings) > before:
            self.units.append(account)

    def _put(self, unit: int, quote: int, amount: int) -> None:
        if amount:
            side = Side.COLLATERAL if amount > 0 else Side.DEBT
            self.holdings.append(Holding(unit, quote, side, abs(amount), abs(amount), quote))

    def _settlement(self, unit: int, amount: int) -> None:
        """Counted to 1e-18, which is less than a base unit of the token."""
        whole, rest = divmod(abs(amount), SETTLEMENT_UNIT)
        if amount:
            side = Side.COLLATERAL if amount > 0 else Side.DEBT
            quote = self._paid + 1
            part = Fraction(rest, SETTLEMENT_UNIT)
            self.holdings.append(Holding(unit, quote, side, whole, whole, quote, part))


def _collateral_quote(name: str, token: Address, one: CollateralNow) -> Quote:
    return Quote(
        market=name,
        asset=token,
        decimals=DECIMALS if one.decimals is None else one.decimals,
        program=_collateral_program(one),
    )


def _collateral_program(one: CollateralNow) -> Program:
    """The mean of the feed that the dispatcher reads."""
    if one.index is None:
        return Constant(Fraction(0))
    price = Fraction(one.index.price(COLLATERAL_WINDOW), WAD)
    mean = Twap(one.index.answer.of(one.index.source), COLLATERAL_WINDOW, price)
    return anchored(mean, price)


def _parameters(now: PerpNow) -> Iterator[Parameters]:
    """One for each quote: all count in full, but for collateral beside the settlement token."""
    for label in (*now.markets, "quote token", "settlement token"):
        yield Parameters(
            label=label,
            ltv=WHOLE,
            liquidation_threshold=WHOLE,
            liquidation_bonus=Fraction(0),
        )
    for token, one in now.collateral.items():
        ratio = Fraction(one.config.collateral_ratio, RATIO)
        yield Parameters(
            label=token,
            ltv=ratio,
            liquidation_threshold=ratio,
            liquidation_bonus=Fraction(one.config.discount_ratio, RATIO),
        )


def _market(name: str, now: PerpNow, token: Address, one: MarketNow, rows: _Rows) -> Market:
    """`supplied_raw` is what all longs hold together, `borrowed_raw` what all shorts owe."""
    long, short = rows.interest.get(token, (0, 0))
    index = one.index
    return Market(
        market=name,
        asset=token,
        decimals=DECIMALS,
        supplied_raw=long,
        borrowed_raw=short,
        cash_raw=0,
        deficit_raw=0,
        supply_cap=0,
        borrow_cap=0,
        supply_apr=None,
        borrow_apr=None,
        parameters=next(p for p in _parameters(now) if p.label == token),
        reserve_factor=None,
        price=None if one.mark is None else Fraction(one.mark, WAD),
        price_source=index.source if index else one.market.pool,
        price_updated_ts=index.answer.updated_at if index else None,
        price_grade="none"
        if one.mark is None
        else ("logs" if one.market.status == OPEN else "read"),
        price_made_of=(one.market.pool,),
        flags=tuple(text for status, text in STATUS.items() if one.market.status == status),
    )
