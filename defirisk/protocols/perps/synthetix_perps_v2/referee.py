"""What Perps V2 itself answers: every number of ours with the view that decides on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from defirisk.core.adapter import Contract, Question, Snapshot, View
from defirisk.core.evm import ZERO_ADDRESS, Address
from defirisk.protocols.perps.synthetix_perps_v2.arithmetic import (
    Funding,
    accrued_funding,
    approximate_liquidation_price,
    can_liquidate,
    equity,
    liquidation_fee,
    market_debt,
    profit_loss,
)
from defirisk.protocols.perps.synthetix_perps_v2.fold import SECTIONS, SETTINGS
from defirisk.protocols.perps.synthetix_perps_v2.holdings import price_quote, priced_markets
from defirisk.protocols.perps.synthetix_perps_v2.market_now import (
    MarketNow,
    Rate,
    SystemNow,
    rate_of,
    system_now,
    unit_name,
)
from defirisk.protocols.perps.synthetix_perps_v2.rows import (
    DelayedOrder,
    Parameter,
    Position,
    RateRead,
    Suspension,
)

ASKED_SETTINGS = tuple(name for name, _ in SETTINGS.values())
BYTES32 = 32


def questions(snapshot: Snapshot) -> Iterator[Question]:
    """Every position, every market (also those that were removed), and the system's settings."""
    system = system_now(snapshot)
    orders = {(row.market, row.account): row for row in snapshot.rows.all(DelayedOrder)}
    for now in system.markets.values():
        yield from _market_questions(now)
        for position in now.positions:
            order = orders.get((position.market, position.account))
            yield from _stored_questions(position, order)
            yield from _price_questions(position, now)
    yield from _setting_questions(snapshot, system)
    yield from _status_questions(snapshot, system)


class Liquidatable:
    """`canLiquidate` with some prices scaled.

    A scaled price is rounded to the feed's own precision, as a feed that answered it would be, and
    is supposed to come so gradually that the circuit breaker takes it.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        markets = priced_markets(system_now(snapshot))
        self._units = {
            unit_name(position): (place, position)
            for place, now in enumerate(markets)
            for position in now.positions
        }
        self._markets = markets

    def __call__(self, unit: str, prices: Mapping[int, Fraction]) -> bool:
        if unit not in self._units:
            return False
        place, position = self._units[unit]
        now = self._markets[place]
        price = shocked(now.rate, prices.get(price_quote(place), Fraction(1)))
        if not price or now.rate.invalid or now.funding is None:
            return False
        return can_liquidate(position, now.funding, price, now.settings)


def shocked(rate: Rate, factor: Fraction) -> int:
    """The rate after a shock: the feed's answer times `factor`, to its nearest integer."""
    if rate.answer is None:
        return 0
    return rate_of(round(rate.answer.price * factor), rate.answer.decimals)


def key32(name: str) -> bytes:
    """A name as the contracts write it."""
    if name.startswith("0x") and len(name) == 2 + 2 * BYTES32:
        return bytes.fromhex(name[2:])
    return name.encode().ljust(BYTES32, b"\0")


def _contract(address: Address, role: str) -> Contract:
    return Contract(address=address, role=role, first_block=0)


def _market_questions(now: MarketNow) -> Iterator[Question]:
    market = now.market
    stored: dict[str, tuple[int, ...] | None] = {
        "marketSize": (market.market_size_wad,),
        "marketSkew": (market.market_skew_wad,),
        "fundingSequenceLength": (market.funding_index + 1,),
        "fundingLastRecomputed": (market.funding_last_recomputed_ts,),
        "fundingRateLastRecomputed": (market.funding_rate_wad,),
        "currentFundingRate": (now.funding.rate,) if now.funding else None,
        "currentFundingVelocity": (now.funding.velocity,) if now.funding else None,
    }
    if now.rate.known:
        stored |= _priced(now, now.rate.wad, now.rate.invalid)
    contract = _contract(market.market, "market")
    for function, ours in stored.items():
        fields = (function,) if ours is None or len(ours) == 1 else (function, "invalid")
        yield Question(
            subject=market.market, view=View(contract, function), fields=fields, ours=ours
        )
    yield Question(
        subject=market.market,
        view=View(contract, "fundingSequence", (market.funding_index,)),
        fields=("fundingSequence",),
        ours=(market.funding_wad,),
    )


def _priced(now: MarketNow, price: int, invalid: bool) -> dict[str, tuple[int, ...] | None]:
    """What a market without parameters cannot say: it divides by its skew scale."""
    funding, market = now.funding, now.market
    empty = market.market_skew_wad == 0 and market.entry_debt_correction_wad == 0
    debt = market_debt(market, funding, price) if funding else (0 if empty else None)
    return {
        "assetPrice": (price, invalid),
        "unrecordedFunding": (funding.unrecorded(price), invalid) if funding else None,
        "marketDebt": None if debt is None else (debt, invalid),
    }


def _stored_questions(position: Position, order: DelayedOrder | None) -> Iterator[Question]:
    contract, account = _contract(position.market, "market"), position.account
    pending = order or DelayedOrder(market=position.market, account=account)
    asked: tuple[tuple[str, tuple[str, ...], tuple[int, ...]], ...] = (
        (
            "positions",
            ("id", "lastFundingIndex", "margin", "lastPrice", "size"),
            (
                position.position_id,
                position.last_funding_index,
                position.margin_wad,
                position.last_price_wad,
                position.size_wad,
            ),
        ),
        ("isFlagged", ("isFlagged",), (position.flagger != ZERO_ADDRESS,)),
        (
            "delayedOrders",
            ("isOffchain", "sizeDelta"),
            (pending.is_offchain, pending.size_delta_wad),
        ),
    )
    for function, fields, ours in asked:
        yield Question(
            subject=unit_name(position),
            unit=unit_name(position),
            view=View(contract, function, (account,)),
            fields=fields,
            ours=ours,
        )


def _price_questions(position: Position, now: MarketNow) -> Iterator[Question]:
    if not now.rate.known or now.funding is None:
        return
    contract = _contract(position.market, "market")
    for function, ours in _margins(position, now, now.funding).items():
        yield Question(
            subject=unit_name(position),
            unit=unit_name(position),
            view=View(contract, function, (position.account,)),
            fields=(function, "invalid")[: len(ours)],
            ours=ours,
        )


def _margins(position: Position, now: MarketNow, funding: Funding) -> dict[str, tuple[int, ...]]:
    """An invalid price is computed with all the same, but nobody is liquidated at it."""
    price, invalid, settings = now.rate.wad, now.rate.invalid, now.settings
    due = not invalid and can_liquidate(position, funding, price, settings)
    fee = liquidation_fee(position.size_wad, price, settings) if due else 0
    approximate = approximate_liquidation_price(position, funding, price, settings)
    return {
        "remainingMargin": (max(0, equity(position, funding, price)), invalid),
        "profitLoss": (profit_loss(position, price), invalid),
        "accruedFunding": (accrued_funding(position, funding, price), invalid),
        "liquidationPrice": (approximate, invalid),
        "liquidationFee": (fee,),
        "canLiquidate": (due,),
    }


def _setting_questions(snapshot: Snapshot, system: SystemNow) -> Iterator[Question]:
    """Every parameter has a getter of its own name."""
    settings = _contract(system.names.get("PerpsV2MarketSettings", ZERO_ADDRESS), "settings")
    rates = _contract(system.names.get("ExchangeRates", ZERO_ADDRESS), "exchange_rates")
    breaker = _contract(system.names.get("CircuitBreaker", ZERO_ADDRESS), "circuit_breaker")
    asked = dict.fromkeys(ASKED_SETTINGS, settings)
    asked |= {"rateStalePeriod": rates, "priceDeviationThresholdFactor": breaker}
    for row in snapshot.rows.all(Parameter):
        contract = settings if row.market_key else asked.get(row.parameter)
        if contract is None:
            continue
        args = (key32(row.market_key),) if row.market_key else ()
        yield Question(
            subject=row.market_key or "all markets",
            view=View(contract, row.parameter, args),
            fields=(row.parameter,),
            ours=(row.value_raw,),
        )
    for read in snapshot.rows.all(RateRead):
        for function, said in (
            ("lastValue", read.last_value_wad),
            ("circuitBroken", read.circuit_broken),
        ):
            yield Question(
                subject=read.feed,
                view=View(breaker, function, (read.feed,)),
                fields=(function,),
                ours=(said,),
                grade="read",
            )


SUSPENSIONS = {
    "System": "systemSuspension",
    "Exchange": "exchangeSuspension",
    "Futures": "futuresSuspension",
    "FuturesMarket": "futuresMarketSuspension",
    "Synth": "synthSuspension",
}


def _status_questions(snapshot: Snapshot, system: SystemNow) -> Iterator[Question]:
    status = _contract(system.names.get("SystemStatus", ZERO_ADDRESS), "system_status")
    for row in snapshot.rows.all(Suspension):
        args = (key32(row.subject),) if SECTIONS[row.section] else ()
        yield Question(
            subject=row.subject or row.section,
            view=View(status, SUSPENSIONS[row.section], args),
            fields=("suspended",),
            ours=(row.suspended,),
        )
