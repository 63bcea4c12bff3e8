"""Step 5: market prices, which hang on each other in the tree that the header states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt

from tests.devnet.chain import Tx

from .fork import Block, Outcome
from .pools import Pool
from .record import Asset, Header, Spot

Said = dict[str, list[Outcome]]


@dataclass(frozen=True)
class MarketPrices:
    """`opening` is what the pools said right after the shock, `said` what they say now."""

    header: Header
    pools: Mapping[str, Pool]
    opening: Said
    said: Said

    def of(self, asset: str) -> Fraction | None:
        """Dollars per whole token; None where it is unknown."""
        one = self._asset(asset)
        return None if one.price_usd is None else one.price_usd * one.move * self.moved(asset)

    def known(self, asset: str) -> Fraction:
        """The same. Errors: `ValueError` where it is unknown."""
        price = self.of(asset)
        if price is None:
            raise ValueError(f"nobody knows the price of {asset}")
        return price

    def unit(self, asset: str) -> int:
        """Base units of a whole token."""
        return int(10 ** self._asset(asset).decimals)

    def amount(self, asset: str, dollars: Fraction) -> Fraction:
        """Base units for that many dollars."""
        return dollars / self.known(asset) * self.unit(asset)

    def __call__(self, sold: str, bought: str, amount: int) -> int:
        """What an amount of one token is worth in another, rounded down; 0 where nobody knows."""
        price = self.of(sold)
        if price is None or self.of(bought) is None:
            return 0
        return int(self.amount(bought, amount * price / self.unit(sold)))

    def _asset(self, asset: str) -> Asset:
        return next(one for one in self.header.assets if one.address == asset)

    def moved(self, asset: str) -> Fraction:
        """By how much the price moved since the start."""
        branch = next((one for one in self.header.tree if one.asset == asset), None)
        if branch is None:
            return self._share(self.pools[asset]) if asset in self.pools else Fraction(1)
        above = self.moved(branch.parent)
        if branch.venue is None:
            return above
        pool = self.pools[branch.venue]
        base, quote = (pool.venue.tokens.index(token) for token in (asset, branch.parent))
        before = pool.price(self.opening[branch.venue], base, quote)
        return above * pool.price(self.said[branch.venue], base, quote) / before

    def _share(self, pair: Pool) -> Fraction:
        """Of a share of a pair: twice the root of both reserves' values."""
        first, second = pair.venue.tokens
        squared = self.moved(first) * self.moved(second)
        for said, power in ((self.said, 1), (self.opening, -1)):
            reserves = said[pair.venue.address][0].words
            squared *= Fraction(reserves[0] * reserves[1]) ** power
        return Fraction(sqrt(squared))


def asked(pools: Mapping[str, Pool], block: Block) -> Said:
    """What all pools say."""
    questions = [(address, one) for address, pool in pools.items() for one in pool.questions()]
    said: Said = {address: [] for address in pools}
    outcomes = block.asked([one for _, one in questions])
    for (address, _), outcome in zip(questions, outcomes, strict=True):
        said[address].append(outcome)
    return said


def spots(pools: Mapping[str, Pool], said: Said) -> tuple[Spot, ...]:
    """The prices in all pools."""
    return tuple(spot for address, pool in pools.items() for spot in pool.spots(said[address]))


def arbitrage(header: Header, pools: Mapping[str, Pool], said: Said) -> list[Tx]:
    """Trades that take every pool of two priced tokens to where the shock takes its price."""
    move = {one.address: one.move for one in header.assets if one.price_usd is not None}
    trades: list[Tx] = []
    for address, pool in pools.items():
        tokens = pool.venue.tokens
        if len(tokens) == 2 and move.keys() >= set(tokens):
            trades += pool.pushed(said[address], move[tokens[0]] / move[tokens[1]])
    return trades
