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

from defirisk.core.evm import Address
from defirisk.core.quote import Constant, Feed, Product, Program, Ratio, anchored, exact
from defirisk.protocols.lending.morpho_blue.oracle_price import (
    ORACLE_PRICE_SCALE,
    PriceNow,
    program_of,
)
from defirisk.protocols.lending.morpho_blue.rows import Market

USD = "USD"
UNPRICED = Feed("", None)
ONE = Constant(Fraction(1))


@dataclass(frozen=True, slots=True)
class Worth:
    """The prices in USD of a whole collateral token and of a whole loan token, as products.

    `apart`: each has feeds of its own that move with nothing else.
    """

    collateral: tuple[Program, ...]
    loan: tuple[Program, ...]
    apart: bool = False

    @property
    def known(self) -> bool:
        """Whether both have a value."""
        return None not in (value(self.collateral), value(self.loan))


def value(factors: tuple[Program, ...]) -> Fraction | None:
    """The product of programs today; None where one of them is unknown."""
    return exact(Product(factors))


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
        self._feeds: dict[str, Program] = {}
        self._tokens: dict[Address, tuple[Program, ...]] = {}
        known = list(markets)
        for _, price in known:
            for feed, answer in (*price.base.feeds, *price.quote.feeds):
                words = [word.strip().upper() for word in descriptions.get(feed, "").split("/")]
                if len(words) == 2 and words[1] == USD:
                    self._feeds.setdefault(words[0], program_of(feed, answer))
        for market, price in known:
            if self._unit(price) == USD:
                sides = ((market.loan_token, price.quote), (market.collateral_token, price.base))
                for token, side in sides:
                    if side.feeds:
                        self._tokens.setdefault(token, side.programs)

    def worth(self, market: Market, price: PriceNow, decimals: tuple[int, int]) -> Worth:
        """The programs of one market; `decimals` of its collateral and loan token."""
        unit, base, quote = self._unit(price), price.base.programs, price.quote.programs
        if unit == USD:
            return Worth(base or (ONE,), quote or (ONE,), apart=True)
        common = self._feeds.get(unit)
        if unit and common is not None:
            return Worth((*base, common), (*quote, common))
        loan = self._tokens.get(market.loan_token, (UNPRICED,))
        return Worth((self._of_loan(price, loan, decimals),), loan)

    def _of_loan(
        self, price: PriceNow, loan: tuple[Program, ...], decimals: tuple[int, int]
    ) -> Program:
        """What the oracle says of the collateral, in USD. It moves with the loan token and with
        what the oracle is made of; where that is not known, with nothing but itself.
        """
        whole, worth = whole_price(price.price, *decimals), value(loan)
        said = None if whole is None or worth is None else whole * worth
        factors = price.base.programs
        if said is None or not price.of_feeds:
            return Feed(price.oracle, said)
        if price.quote.programs == loan:
            # What the loan token is compared with is what it is worth: nothing of it is left.
            return anchored(Product(factors), said)
        if price.quote.programs:
            factors = (*factors, Ratio(ONE, Product(price.quote.programs)))
        return anchored(Product((*factors, *loan)), said)

    def _unit(self, price: PriceNow) -> str:
        """What both sides of an oracle are in; empty where it is not known, or not one."""
        if not price.of_feeds:
            return ""
        units = {
            unit_of(self._descriptions.get(side.feeds[-1][0], ""))
            for side in (price.base, price.quote)
            if side.feeds
        }
        return units.pop() if len(units) == 1 else ""


def whole_price(price: int | None, collateral_decimals: int, loan_decimals: int) -> Fraction | None:
    """Whole loan tokens per whole collateral token."""
    if price is None:
        return None
    return Fraction(price * 10**collateral_decimals, ORACLE_PRICE_SCALE * 10**loan_decimals)
