"""The single place where exact integers become float64: rows become the book.

Left of here everything is exact and does I/O; right of here everything is arithmetic on immutable
arrays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache, partial
from itertools import accumulate

import numpy as np
from sqlalchemy import Connection

from defirisk.core.adapter import MarketAdapter, Snapshot
from defirisk.core.book import Book, DeploymentFacts, Ints, MarketFacts
from defirisk.core.debt_position import StatesDebt
from defirisk.core.errors import UsageError
from defirisk.core.evm import ZERO_ADDRESS, Block
from defirisk.core.holdings import Holding, Holdings, Market, Quote, Side
from defirisk.core.liquidation import Liquidates, Liquidation
from defirisk.core.liquidation_check import LiquidationCheck
from defirisk.core.margin import StatesPerps
from defirisk.core.plugins import adapter
from defirisk.core.quote import Program, exact, rate_value
from defirisk.core.sources import Sources
from defirisk.core.verdict import Checked
from defirisk.store.asset_axis import asset_axis, virtual_assets
from defirisk.store.liquidation_frames import side_by_side
from defirisk.store.margin_frames import recovery, requirements
from defirisk.store.registry import StoredDeployment
from defirisk.store.snapshots import snapshot, sources_at
from defirisk.store.verifications import last_checked


def load_book(connection: Connection, stored: Sequence[StoredDeployment], block: Block) -> Book:
    """The book of these deployments, all of one chain, at `block`."""
    chain_ids = {s.deployment.chain_id for s in stored}
    if len(chain_ids) != 1:
        raise UsageError("these deployments are on several chains: give --chain to choose one")
    return load_chain(connection, chain_ids.pop(), stored, block)


def load_chain(
    connection: Connection, chain_id: int, stored: Sequence[StoredDeployment], block: Block
) -> Book:
    """As `load_book`; there may be no deployment at all, only pools and feeds."""
    sources = sources_at(connection, chain_id, block)
    parts = [
        _Part(
            s,
            snapshot(connection, s, block, sources),
            last_checked(connection, s.id, block.number),
        )
        for s in stored
    ]
    return _Frames(parts, sources, chain_id, block).book()


class _Part:
    """One deployment of the book, exact."""

    def __init__(self, stored: StoredDeployment, snap: Snapshot, checked: Checked | None) -> None:
        market = adapter(stored.deployment.protocol)
        assert isinstance(market, MarketAdapter)
        self.snapshot = snap
        self.holdings: Holdings = market.holdings(snap)
        self.check: LiquidationCheck = market.liquidation_check(snap)
        self.liquidation: Liquidation | None = (
            market.liquidation(snap, self.holdings) if isinstance(market, Liquidates) else None
        )
        self.facts = DeploymentFacts(
            name=stored.deployment.name,
            protocol=stored.deployment.protocol,
            proof=market.proof,
            findings=tuple(market.findings(snap)),
            checked=checked,
            debt_of=cache(partial(market.debt, snap)) if isinstance(market, StatesDebt) else None,
            perps_of=cache(partial(market.perps, snap))
            if isinstance(market, StatesPerps)
            else None,
        )


class _ExactEdge:
    """Hands a unit near the edge to the adapter it belongs to. Implements `core.book.Edge`."""

    def __init__(self, units: Sequence[tuple[LiquidationCheck, str, int]]) -> None:
        self._units = units

    def liquidatable(self, unit: int, prices: Mapping[int, Fraction]) -> bool:
        """Decides by the contract's integers."""
        check, name, first_quote = self._units[unit]
        return check(name, {q - first_quote: factor for q, factor in prices.items()})


class _Frames:
    """Lays the parts side by side on common axes."""

    def __init__(
        self, parts: Sequence[_Part], sources: Sources, chain_id: int, block: Block
    ) -> None:
        self._parts = parts
        self._sources = sources
        self._chain_id = chain_id
        self._block = block
        axis = asset_axis(
            [quote for part in parts for quote in part.holdings.quotes],
            [part.snapshot for part in parts],
            virtual_assets([part.holdings for part in parts]),
        )
        self._assets, self._asset_price = axis.assets, axis.prices
        self._index = {asset.address: a for a, asset in enumerate(self._assets)}

    def book(self) -> Book:
        """The book."""
        quotes = [(d, q) for d, part in enumerate(self._parts) for q in part.holdings.quotes]
        prices = np.array([_value(q.program) for _, q in quotes], dtype=np.float64)
        first_quotes = [0, *accumulate(len(part.holdings.quotes) for part in self._parts)]
        units = [(d, u) for d, part in enumerate(self._parts) for u in part.holdings.units]
        owners, unit_owner = self._owners()
        exacts = [part.holdings for part in self._parts]
        holdings = holdings_of(exacts)
        sets = [p for part in self._parts for p in part.holdings.parameters]
        holding_unit = np.array([h.unit for h in holdings], dtype=np.int64)
        holding_quote = np.array([h.quote for h in holdings], dtype=np.int64)
        # What only earns does not decide on a liquidation, whatever it may be worth.
        staked = np.array([h.side is not Side.SUPPLY for h in holdings], dtype=np.bool_)
        required, systems = requirements(exacts), recovery(exacts)
        unknown = np.isnan(prices)
        unpriced = np.zeros(len(units), dtype=np.bool_)
        unpriced[holding_unit[staked & unknown[holding_quote]]] = True
        unpriced[required.unit[unknown[required.quote]]] = True
        for system in systems:
            unpriced[system.units] |= unknown[system.collateral] | unknown[system.debt]
        return Book(
            chain_id=self._chain_id,
            block=self._block,
            deployments=tuple(part.facts for part in self._parts),
            assets=self._assets,
            markets=tuple(self._markets()),
            units=tuple(name for _, name in units),
            unit_deployment=np.array([d for d, _ in units], dtype=np.int64),
            unpriced=unpriced,
            asset_price=np.array([_or_unknown(p) for p in self._asset_price], dtype=np.float64),
            quote_asset=np.array([self._index[q.asset] for _, q in quotes], dtype=np.int64),
            quote_deployment=np.array([d for d, _ in quotes], dtype=np.int64),
            quote_market=tuple(q.market for _, q in quotes),
            quote_program=tuple(q.program for _, q in quotes),
            quote_price=prices,
            quote_rate=np.array([float(rate_value(q.program)) for _, q in quotes]),
            quote_grain=np.array([_grain(q) for _, q in quotes], dtype=np.float64),
            ltv=np.array([float(p.ltv) for p in sets]),
            liquidation_threshold=np.array([float(p.liquidation_threshold) for p in sets]),
            liquidation_bonus=np.array([float(p.liquidation_bonus) for p in sets]),
            holding_unit=holding_unit,
            holding_quote=holding_quote,
            holding_side=np.array([h.side for h in holdings], dtype=np.int8),
            holding_amount=np.array(
                [_amount(h) / 10 ** quotes[h.quote][1].decimals for h in holdings],
                dtype=np.float64,
            ),
            holding_parameters=np.array([h.parameters for h in holdings], dtype=np.int64),
            resolution=np.array(
                [float(r) for part in self._parts for r in part.holdings.resolutions()]
            ),
            sources=self._sources,
            edge=_ExactEdge([(self._parts[d].check, name, first_quotes[d]) for d, name in units]),
            owners=owners,
            unit_owner=unit_owner,
            liquidation=side_by_side([(part.holdings, part.liquidation) for part in self._parts]),
            requirements=required,
            recovery=systems,
        )

    def _owners(self) -> tuple[tuple[str, ...], Ints]:
        """Every owner once, and whose each unit is.

        An address is the same account everywhere; another name means something in its own
        deployment only.
        """
        index: dict[tuple[str, int | None], int] = {}
        places = [
            index.setdefault((name, None if _is_address(name) else d), len(index))
            for d, part in enumerate(self._parts)
            for name in part.holdings.unit_owners()
        ]
        return tuple(name for name, _ in index), np.array(places, dtype=np.int64)

    def _markets(self) -> list[MarketFacts]:
        return [
            _market_facts(d, self._index[market.asset], market)
            for d, part in enumerate(self._parts)
            for market in part.holdings.markets
        ]


def holdings_of(parts: Sequence[Holdings]) -> list[Holding]:
    """All holdings by unit, with indexes into the common axes.

    Whatever reads the book finds a unit's rows in one run, however the adapter ordered them.
    """
    shifted: list[Holding] = []
    unit = quote = parameters = 0
    for part in parts:
        shifted += [
            replace(
                h,
                unit=h.unit + unit,
                quote=h.quote + quote,
                parameters=h.parameters + parameters,
            )
            for h in sorted(part.holdings, key=lambda h: h.unit)
        ]
        unit += len(part.units)
        quote += len(part.quotes)
        parameters += len(part.parameters)
    return shifted


def _amount(holding: Holding) -> int | Fraction:
    return holding.amount_raw + holding.remainder if holding.remainder else holding.amount_raw


def _value(program: Program) -> float:
    return _or_unknown(exact(program))


def _grain(quote: Quote) -> float:
    """A base unit of the asset as an amount of the quote; 0 where no amount is worth one."""
    rate = float(rate_value(quote.program))
    return 1 / 10**quote.decimals / rate if rate else 0.0


def _market_facts(deployment: int, asset: int, market: Market) -> MarketFacts:
    unit = 10**market.decimals
    return MarketFacts(
        deployment=deployment,
        market=market.market,
        asset=asset,
        supplied=market.supplied_raw / unit,
        borrowed=market.borrowed_raw / unit,
        cash=market.cash_raw / unit,
        deficit=market.deficit_raw / unit,
        price_usd=_or_unknown(market.price),
        supply_cap=market.supply_cap,
        borrow_cap=market.borrow_cap,
        supply_apr=_or_unknown(market.supply_apr),
        borrow_apr=_or_unknown(market.borrow_apr),
        ltv=float(market.parameters.ltv),
        liquidation_threshold=float(market.parameters.liquidation_threshold),
        liquidation_bonus=float(market.parameters.liquidation_bonus),
        reserve_factor=_or_unknown(market.reserve_factor),
        price_source=market.price_source,
        price_updated_ts=market.price_updated_ts,
        price_grade=market.price_grade,
        flags=market.flags,
        price_made_of=market.price_made_of,
    )


def _or_unknown(value: Fraction | None) -> float:
    return float("nan") if value is None else float(value)


def _is_address(text: str) -> bool:
    return len(text) == len(ZERO_ADDRESS) and text.startswith("0x")
