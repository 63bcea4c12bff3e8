"""Logs of Perps V2, applied to its rows.

Source: the events of `PerpsV2MarketProxyable` and its descendants, `FuturesMarketManager`,
`PerpsV2MarketSettings`, `ExchangeRates`, `SystemStatus`, `SystemSettings` and `AddressResolver` of
npm synthetix 2.102.1. A PositionModified states the whole position.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from defirisk.core.adapter import Log
from defirisk.core.evm import ZERO_ADDRESS
from defirisk.core.row import Key, Row, State
from defirisk.protocols.perps.synthetix_perps_v2.arithmetic import debt_correction
from defirisk.protocols.perps.synthetix_perps_v2.rows import (
    Aggregator,
    DelayedOrder,
    Market,
    NamedAddress,
    Parameter,
    Position,
    Suspension,
)

Touched = list[tuple[type[Row], Key]]
GLOBAL = ""
"""The market key of settings that are not of one market."""
END_OF_TIME = 2**63 - 1
SETTINGS = {
    "MinKeeperFeeUpdated": ("minKeeperFee", "sUSD"),
    "MaxKeeperFeeUpdated": ("maxKeeperFee", "sUSD"),
    "LiquidationFeeRatioUpdated": ("liquidationFeeRatio", "bps"),
    "MinInitialMarginUpdated": ("minInitialMargin", "minMargin"),
    "KeeperLiquidationFeeUpdated": ("keeperLiquidationFee", "keeperFee"),
}
WARNING_FLAGS = "aggregatorWarningFlags"
SYSTEM_SETTINGS = {
    "RateStalePeriodUpdated": ("rateStalePeriod", "rateStalePeriod"),
    "PriceDeviationThresholdUpdated": ("priceDeviationThresholdFactor", "threshold"),
}
SECTIONS = {"System": "", "Exchange": "", "Futures": "", "FuturesMarket": "marketKey"}
SECTIONS |= {"Synth": "currencyKey"}
"""What can be suspended, and the argument that names it where there are several."""


class On(NamedTuple):
    """What happens on one event: the keys it needs, and what it does to their rows."""

    keys: Callable[[Log], Touched]
    apply: Callable[[Log, State], None]


def text(name: bytes) -> str:
    """A bytes32 name as text; one that is none, as hexadecimal digits."""
    stripped = name.rstrip(b"\0")
    readable = stripped.isascii() and stripped.decode("ascii", "replace").isprintable()
    return stripped.decode("ascii") if readable else "0x" + name.hex()


def touches(log: Log) -> Touched:
    """The keys that `fold` reads or writes for a log."""
    return EVENTS[log.contract.role][log.event].keys(log)


def fold(log: Log, state: State) -> None:
    """Applies a log to the rows it touches."""
    EVENTS[log.contract.role][log.event].apply(log, state)


def _name_key(log: Log) -> Touched:
    return [(NamedAddress, (text(log.args["name"]),))]


def _address_imported(log: Log, state: State) -> None:
    name = text(log.args["name"])
    state.put(NamedAddress(name=name, address=log.args["destination"]))


def _listed_key(log: Log) -> Touched:
    return [(Market, (log.args["market"],))]


def _market_listed(log: Log, state: State) -> None:
    args = log.args
    state.put(
        replace(
            state.get(Market, args["market"]),
            market_key=text(args["marketKey"]),
            base_asset=text(args["asset"]),
            listed=log.event == "MarketAdded",
        )
    )


def _parameter_key(log: Log) -> Touched:
    return [(Parameter, (text(log.args["marketKey"]), text(log.args["parameter"])))]


def _parameter_updated(log: Log, state: State) -> None:
    key, name = text(log.args["marketKey"]), text(log.args["parameter"])
    state.put(Parameter(market_key=key, parameter=name, value_raw=log.args["value"]))


def _setting(name: str, argument: str) -> On:
    def apply(log: Log, state: State) -> None:
        value = log.args[argument]
        state.put(Parameter(market_key=GLOBAL, parameter=name, value_raw=value))

    return On(lambda _: [(Parameter, (GLOBAL, name))], apply)


def _warning_flags(log: Log, state: State) -> None:
    contract = int(log.args["flags"], 16)
    state.put(Parameter(market_key=GLOBAL, parameter=WARNING_FLAGS, value_raw=contract))


def _aggregator_key(log: Log) -> Touched:
    return [(Aggregator, (log.contract.address, text(log.args["currencyKey"])))]


def _aggregator(log: Log, state: State) -> None:
    added = log.event == "AggregatorAdded"
    state.put(
        Aggregator(
            exchange_rates=log.contract.address,
            currency_key=text(log.args["currencyKey"]),
            feed=log.args["aggregator"] if added else ZERO_ADDRESS,
        )
    )


def _suspension(section: str, argument: str, suspended: bool) -> On:
    def subject(log: Log) -> str:
        return text(log.args[argument]) if argument else ""

    def apply(log: Log, state: State) -> None:
        state.put(Suspension(section=section, subject=subject(log), suspended=suspended))

    return On(lambda log: [(Suspension, (section, subject(log)))], apply)


def _market_key(log: Log) -> Touched:
    return [(Market, (log.contract.address,))]


def _funding_recomputed(log: Log, state: State) -> None:
    args = log.args
    state.put(
        replace(
            state.get(Market, log.contract.address),
            funding_index=args["index"],
            funding_wad=args["funding"],
            funding_rate_wad=args["fundingRate"],
            funding_last_recomputed_ts=args["timestamp"],
        )
    )


def _position_keys(log: Log) -> Touched:
    return [(Position, (log.contract.address, log.args["account"])), *_market_key(log)]


def _position_modified(log: Log, state: State) -> None:
    """A position of size 0 keeps its margin only, whatever else the event states."""
    args, address = log.args, log.contract.address
    market, old = state.get(Market, address), state.get(Position, address, args["account"])
    new = replace(old, margin_wad=args["margin"], size_wad=args["size"])
    if args["size"] == 0:
        new = replace(new, position_id=0, last_funding_index=0, last_price_wad=0, funding_wad=0)
    else:
        # Funding was recomputed just before, except for the deposit of a flagged legacy order.
        same = args["fundingIndex"] == old.last_funding_index
        new = replace(
            new,
            position_id=args["id"],
            last_funding_index=args["fundingIndex"],
            last_price_wad=args["lastPrice"],
            funding_wad=old.funding_wad if same else market.funding_wad,
        )
    state.put(new)
    correction = _correction(new) - _correction(old)
    state.put(
        replace(
            market,
            market_size_wad=market.market_size_wad + abs(new.size_wad) - abs(old.size_wad),
            market_skew_wad=args["skew"],
            entry_debt_correction_wad=market.entry_debt_correction_wad + correction,
        )
    )


def _correction(position: Position) -> int:
    return debt_correction(
        position.margin_wad, position.size_wad, position.last_price_wad, position.funding_wad
    )


def _flag_keys(log: Log) -> Touched:
    key = (log.contract.address, log.args["account"])
    return [(Position, key), (DelayedOrder, key)]


def _position_flagged(log: Log, state: State) -> None:
    """Its order goes without an event of its own."""
    key = (log.contract.address, log.args["account"])
    state.put(replace(state.get(Position, *key), flagger=log.args["flagger"]))
    if state.get(DelayedOrder, *key).size_delta_wad:
        state.put(DelayedOrder(market=key[0], account=key[1]))


def _position_liquidated(log: Log, state: State) -> None:
    held = state.get(Position, log.contract.address, log.args["account"])
    state.put(replace(held, flagger=ZERO_ADDRESS))


def _order_key(log: Log) -> Touched:
    return [(DelayedOrder, (log.contract.address, log.args["account"]))]


def _order_submitted(log: Log, state: State) -> None:
    args = log.args
    state.put(
        DelayedOrder(
            market=log.contract.address,
            account=args["account"],
            size_delta_wad=args["sizeDelta"],
            is_offchain=args["isOffchain"],
            target_round_id=args["targetRoundId"],
            intention_time_ts=min(args["intentionTime"], END_OF_TIME),
            executable_at_ts=min(args["executableAtTime"], END_OF_TIME),
            keeper_deposit_wad=args["keeperDeposit"],
        )
    )


def _order_removed(log: Log, state: State) -> None:
    state.put(DelayedOrder(market=log.contract.address, account=log.args["account"]))


_LISTED = On(_listed_key, _market_listed)
_RATE = On(_aggregator_key, _aggregator)
EVENTS: dict[str, dict[str, On]] = {
    "address_resolver": {"AddressImported": On(_name_key, _address_imported)},
    "manager": {"MarketAdded": _LISTED, "MarketRemoved": _LISTED},
    "settings": {
        "ParameterUpdated": On(_parameter_key, _parameter_updated),
        **{event: _setting(*said) for event, said in SETTINGS.items()},
    },
    "exchange_rates": {"AggregatorAdded": _RATE, "AggregatorRemoved": _RATE},
    "system_status": {
        f"{section}{change}": _suspension(section, argument, change == "Suspended")
        for section, argument in SECTIONS.items()
        for change in ("Suspended", "Resumed")
    },
    "system_settings": {
        "AggregatorWarningFlagsUpdated": On(
            lambda _: [(Parameter, (GLOBAL, WARNING_FLAGS))], _warning_flags
        ),
        **{event: _setting(*said) for event, said in SYSTEM_SETTINGS.items()},
    },
    "market": {
        "PositionModified": On(_position_keys, _position_modified),
        "FundingRecomputed": On(_market_key, _funding_recomputed),
        "PositionFlagged": On(_flag_keys, _position_flagged),
        "PositionLiquidated": On(_flag_keys, _position_liquidated),
        "DelayedOrderSubmitted": On(_order_key, _order_submitted),
        "DelayedOrderRemoved": On(_order_key, _order_removed),
    },
}
"""What happens on every event that matters, by the role of the contract that emits it."""
