"""From what an oracle compares to US dollars: the quotes of a market as programs over feeds.

A market's oracle only compares collateral with loan token, in whatever its feeds are in. The test
for liquidation does not change when both sides are multiplied by one number, so both are put into
dollars: what the base feeds say, and what the quote feeds say, times a feed for their common unit.

Names of units are the feeds' own words ("ETH / USD"). Markets can be made by anybody, so of several
sources that of the oldest market counts: an older one cannot be made later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from defirisk.core.adapter import Answer
from defirisk.core.evm import Address
from defirisk.core.quote import Constant, Feed, Leaf
from defirisk.protocols.lending.morpho_blue.oracle_price import ORACLE_PRICE_SCALE, PriceNow
from defirisk.protocols.lending.morpho_blue.rows import Market

USD = "USD"
UNPRICED = Feed("", None)
ONE = Constant(Fraction(1))


@dataclass(frozen=True, slots=True)
class Leaves:
    """The prices in USD of a whole collateral token and of a whole loan token, as products.

    `apart`: each has feeds of its own that move with nothing else.
    """

    collateral: tuple[Leaf, ...]
    loan: tuple[Leaf, ...]
    apart: bool = False


def unit_of(description: str) -> str:
    """What a feed's answers are in, by its own words: "USD" of "ETH / USD"; empty if unsaid."""
    before, slash, after = description.rpartition("/")
    return after.strip().upper() if slash and before.strip() else ""


class Dollars:
    """Prices of the tokens of all markets in USD, as their oracles see them."""

    def __init__(
        self,
        markets: Iterable[tuple[Market, PriceNow]],
        descriptions: Mapping[Address, str],
    ) -> None:
        self._descriptions = descriptions
        self._feeds: dict[str, Leaf] = {}
        self._tokens: dict[Address, tuple[Leaf, ...]] = {}
        known = list(markets)
        for _, price in known:
            for feed, answer in (*price.base, *price.quote):
                words = [word.strip().upper() for word in descriptions.get(feed, "").split("/")]
                if len(words) == 2 and words[1] == USD:
                    self._feeds.setdefault(words[0], leaf(feed, answer))
        for market, price in known:
            if self._unit(price) == USD:
                sides = ((market.loan_token, price.quote), (market.collateral_token, price.base))
                for token, feeds in sides:
                    if feeds:
                        self._tokens.setdefault(token, _leaves(feeds))

    def leaves(self, market: Market, price: PriceNow, decimals: tuple[int, int]) -> Leaves:
        """The programs' leaves of one market; `decimals` of its collateral and loan token."""
        unit = self._unit(price)
        if unit == USD:
            return Leaves(_leaves(price.base) or (ONE,), _leaves(price.quote) or (ONE,), apart=True)
        common = self._feeds.get(unit)
        if unit and common is not None:
            return Leaves((*_leaves(price.base), common), (*_leaves(price.quote), common))
        loan = self._tokens.get(market.loan_token, (UNPRICED,))
        return Leaves((self._of_loan(price, loan, decimals),), loan)

    def _of_loan(self, price: PriceNow, loan: tuple[Leaf, ...], decimals: tuple[int, int]) -> Leaf:
        """What the oracle says of the collateral, in USD: it moves with nothing but itself."""
        value = whole_price(price.price, *decimals)
        for part in loan:
            value = None if value is None or part.value is None else value * part.value
        return Feed(price.oracle, value)

    def _unit(self, price: PriceNow) -> str:
        """What both sides of an oracle are in; empty where it is not known, or not one."""
        if not price.of_feeds:
            return ""
        units = {
            unit_of(self._descriptions.get(side[-1][0], ""))
            for side in (price.base, price.quote)
            if side
        }
        return units.pop() if len(units) == 1 else ""


def whole_price(price: int | None, collateral_decimals: int, loan_decimals: int) -> Fraction | None:
    """Whole loan tokens per whole collateral token."""
    if price is None:
        return None
    return Fraction(price * 10**collateral_decimals, ORACLE_PRICE_SCALE * 10**loan_decimals)


def leaf(feed: Address, answer: Answer) -> Leaf:
    """A feed's answer per whole token; None where the oracle would not take it."""
    usable = answer.price >= 0
    return Feed(feed, Fraction(answer.price, 10**answer.decimals) if usable else None)


def _leaves(feeds: tuple[tuple[Address, Answer], ...]) -> tuple[Leaf, ...]:
    return tuple(leaf(feed, answer) for feed, answer in feeds)
