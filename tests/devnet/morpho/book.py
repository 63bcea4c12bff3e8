"""What Morpho says about the accounts right now, read in batches."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..abi import view_data, words
from ..chain import Chain
from ..life import Call
from .market import IsolatedMarket, Morpho

VIRTUAL_ASSETS = 1
VIRTUAL_SHARES = 10**6
PRICE_UNIT = 10**36
WAD = 10**18

Place = tuple[str, str]
"""The id of a market, and an account in it."""


@dataclass(frozen=True)
class MarketState:
    """Totals as they were booked last, and the price now."""

    supply_assets: int
    supply_shares: int
    borrow_assets: int
    borrow_shares: int
    price: int

    @property
    def idle(self) -> int:
        """What is there to borrow or to withdraw."""
        return self.supply_assets - self.borrow_assets


@dataclass(frozen=True)
class Position:
    """One account in one market."""

    account: str
    market: IsolatedMarket
    state: MarketState
    supply_shares: int
    borrow_shares: int
    collateral: int

    @property
    def lent(self) -> int:
        """What its supply shares are worth, in the loan token."""
        state = self.state
        assets = self.supply_shares * (state.supply_assets + VIRTUAL_ASSETS)
        return assets // (state.supply_shares + VIRTUAL_SHARES)

    @property
    def owed(self) -> int:
        """What it owes by the last booking, rounded up."""
        state = self.state
        assets = self.borrow_shares * (state.borrow_assets + VIRTUAL_ASSETS)
        return -(-assets // (state.borrow_shares + VIRTUAL_SHARES))

    @property
    def limit(self) -> int:
        """The largest debt that is healthy."""
        value = self.collateral * self.state.price // PRICE_UNIT
        return value * self.market.lltv // WAD


def read_positions(chain: Chain, morpho: Morpho, places: Iterable[Place]) -> list[Position]:
    """Positions of accounts in markets, also where there is nothing."""
    markets, asked = {market.id: market for market in morpho.markets}, list(places)
    calls = [call for market in morpho.markets for call in market_questions(morpho, market)]
    calls += [position_question(morpho, place) for place in asked]
    answers = [words(answer or "0x") for answer in chain.calls(calls)]
    states = {
        # An oracle that fails leaves nobody anything to borrow.
        market: MarketState(*answers[2 * place][:4], *(answers[2 * place + 1] or [0]))
        for place, market in enumerate(markets)
    }
    return [
        Position(account, markets[market], states[market], *answer)
        for (market, account), answer in zip(asked, answers[2 * len(markets) :], strict=True)
    ]


def market_questions(morpho: Morpho, market: IsolatedMarket) -> list[Call]:
    """The totals of a market, and the price that it uses."""
    totals = (morpho.address, view_data("market(bytes32)", bytes.fromhex(market.id[2:])))
    return [totals, (market.oracle, view_data("price()"))]


def position_question(morpho: Morpho, place: Place) -> Call:
    """Shares and collateral of an account."""
    market = bytes.fromhex(place[0][2:])
    return (morpho.address, view_data("position(bytes32,address)", market, place[1]))
