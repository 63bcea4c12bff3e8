"""The rows of Perps V2 joined for one block: markets with prices and settings, positions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from defirisk.core.adapter import Answer, Snapshot
from defirisk.core.evm import ZERO_ADDRESS, Address
from defirisk.core.quote import Feed, Program, anchored
from defirisk.core.row import Rows
from defirisk.protocols.perps.synthetix_perps_v2.arithmetic import (
    Funding,
    Settings,
    divide,
    funding,
)
from defirisk.protocols.perps.synthetix_perps_v2.fold import GLOBAL
from defirisk.protocols.perps.synthetix_perps_v2.rows import (
    UNIT,
    Aggregator,
    Market,
    MarketCode,
    NamedAddress,
    Parameter,
    Position,
    RateRead,
    Suspension,
)

PLACES = 18
PER_MARKET = {
    "skew_scale": "skewScale",
    "max_funding_velocity": "maxFundingVelocity",
    "max_leverage": "maxLeverage",
    "liquidation_buffer_ratio": "liquidationBufferRatio",
    "liquidation_premium_multiplier": "liquidationPremiumMultiplier",
}
FOR_ALL = {
    "liquidation_fee_ratio": "liquidationFeeRatio",
    "min_keeper_fee": "minKeeperFee",
    "max_keeper_fee": "maxKeeperFee",
    "keeper_liquidation_fee": "keeperLiquidationFee",
    "min_initial_margin": "minInitialMargin",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """`ExchangeRates.rateAndInvalid` of one asset, and of the synth's suspension.

    `answer` is what the feed said; None where there is no feed, or nobody knows what it says
    (`known` tells them apart). A rate without a feed is 0.
    """

    feed: Address
    answer: Answer | None
    known: bool
    invalid: bool
    last_value: int = 0
    deviation_factor: int = 0

    @property
    def wad(self) -> int:
        """The price that the market computes with, valid or not."""
        return rate_of(self.answer.price, self.answer.decimals) if self.answer else 0

    def program(self) -> Program:
        """What the price follows; unknown where the market refuses to use it."""
        if self.answer is None or self.invalid or not self.known:
            return Feed(self.feed, None)
        return anchored(self.answer.of(self.feed), Fraction(self.wad, UNIT))


def rate_of(answer: int, decimals: int) -> int:
    """`_formatAggregatorAnswer`: 18 decimals; a feed without decimals is taken as it is."""
    if decimals in (0, PLACES):
        return answer
    if decimals < PLACES:
        return answer * int(10 ** (PLACES - decimals))
    return answer // int(10 ** (decimals - PLACES))


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketNow:
    """One market at a block. `funding` is None while the market has no parameters."""

    market: Market
    settings: Settings
    parameters: Mapping[str, int]
    rate: Rate
    funding: Funding | None
    suspended: tuple[str, ...]
    positions: tuple[Position, ...]

    @property
    def open_positions(self) -> tuple[Position, ...]:
        """Positions that have a size or margin."""
        return tuple(p for p in self.positions if p.size_wad or p.margin_wad)


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemNow:
    """All markets that ever were, by address; and the contracts of the system, by name.

    `everywhere` are the settings of all markets. `other_code`: markets of another generation.
    """

    markets: Mapping[Address, MarketNow]
    names: Mapping[str, Address]
    everywhere: Mapping[str, int]
    other_code: frozenset[Address] = frozenset()

    @property
    def listed(self) -> tuple[MarketNow, ...]:
        """Those that may issue sUSD: from others nobody gets out."""
        return tuple(one for one in self.markets.values() if one.market.listed)


def unit_name(position: Position) -> str:
    """The liquidation unit: an account in one market."""
    return f"{position.account}:{position.market}"


def system_now(snapshot: Snapshot) -> SystemNow:
    """Joins the snapshot's rows."""
    rows = snapshot.rows
    names = {row.name: row.address for row in rows.all(NamedAddress)}
    parameters: dict[str, dict[str, int]] = {}
    for row in rows.all(Parameter):
        parameters.setdefault(row.market_key, {})[row.parameter] = row.value_raw
    positions: dict[Address, list[Position]] = {}
    for held in rows.all(Position):
        positions.setdefault(held.market, []).append(held)
    suspended = {(row.section, row.subject) for row in rows.all(Suspension) if row.suspended}
    everywhere = parameters.get(GLOBAL, {})
    markets = {}
    other_code = {row.market for row in rows.all(MarketCode) if not row.routed}
    for market in rows.all(Market):
        if market.market in other_code:
            continue
        own = parameters.get(market.market_key, {})
        settings = _settings(own, everywhere)
        rate = _rate(snapshot, market.base_asset, names, everywhere)
        sections = _sections(market, suspended)
        if "Synth" in sections or "System" in sections:  # `SystemStatus.synthSuspended`
            rate = replace(rate, invalid=True)
        markets[market.market] = MarketNow(
            market=market,
            settings=settings,
            parameters=own,
            rate=rate,
            funding=funding(market, settings, snapshot.block.timestamp),
            suspended=sections,
            positions=tuple(positions.get(market.market, ())),
        )
    return SystemNow(
        markets=markets, names=names, everywhere=everywhere, other_code=frozenset(other_code)
    )


def _settings(own: Mapping[str, int], everywhere: Mapping[str, int]) -> Settings:
    values = {field: own.get(name, 0) for field, name in PER_MARKET.items()}
    values |= {field: everywhere.get(name, 0) for field, name in FOR_ALL.items()}
    return Settings(**values)


def _sections(market: Market, suspended: set[tuple[str, str]]) -> tuple[str, ...]:
    wanted = [(section, "") for section in ("System", "Exchange", "Futures")]
    wanted += [("Synth", market.base_asset), ("FuturesMarket", market.market_key)]
    return tuple(section for section, subject in wanted if (section, subject) in suspended)


def _rate(
    snapshot: Snapshot,
    currency_key: str,
    names: Mapping[str, Address],
    everywhere: Mapping[str, int],
) -> Rate:
    """`rateAndInvalid`: 0 and invalid without a feed; unknown where nobody reads the feed."""
    rates = names.get("ExchangeRates", ZERO_ADDRESS)
    row = snapshot.rows.find(Aggregator, rates, currency_key)
    if row is None or row.feed == ZERO_ADDRESS:
        return Rate(feed=f"{rates}/{currency_key}", answer=None, known=True, invalid=True)
    answer = snapshot.answers.get(row.feed)
    if answer is None or not answer.exact or answer.price < 0:
        return Rate(feed=row.feed, answer=None, known=False, invalid=True)
    stale = answer.updated_at + everywhere.get("rateStalePeriod", 0) < snapshot.block.timestamp
    rate = rate_of(answer.price, answer.decimals)
    factor = everywhere.get("priceDeviationThresholdFactor", 0)
    read = _read(snapshot.rows, row.feed)
    refused = rate == 0 or read.circuit_broken or _deviates(read.last_value_wad, rate, factor)
    return Rate(
        feed=row.feed,
        answer=answer,
        known=True,
        invalid=stale or refused,
        last_value=read.last_value_wad,
        deviation_factor=factor,
    )


def _read(rows: Rows, feed: Address) -> RateRead:
    return rows.find(RateRead, feed) or RateRead(feed=feed)


def _deviates(last: int, rate: int, factor: int) -> bool:
    """`_isRateOutOfBounds`: a rate that moved too far since the last trade breaks the circuit."""
    if last == 0:
        return False
    larger, smaller = max(last, rate), min(last, rate)
    return smaller == 0 or divide(larger, smaller) >= factor
