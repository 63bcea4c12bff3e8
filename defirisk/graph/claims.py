"""What tokens are claims on, through any number of wrappers, in dollars.

Unit: USD at market prices; a weight is the part of a claim's worth that is in a token. NaN policy:
what has no known price or decimals is worth NaN, and a claim without weights is on nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property

import numpy as np

from defirisk.core.backing import underlying_decimals
from defirisk.core.book import Book, Floats
from defirisk.core.claim import Claim
from defirisk.core.evaluation import evaluate
from defirisk.core.evm import Address
from defirisk.core.quote import Leaf, Market, leaves

_STEP = 1e-3
LP_DECIMALS = 18
"""UniswapV2ERC20.decimals and those of Curve's pool tokens, which are not read for each."""


class Claims:
    """The claims of a book's chain, and the worth of each."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.prices = {
            asset.address: float(price)
            for asset, price in zip(book.assets, book.asset_price, strict=True)
        }

    @cached_property
    def direct(self) -> dict[Address, dict[Address, float]]:
        """Of every claim, the tokens it is made of and their weights, which sum to 1."""
        found = {token: self._weights(claim) for token, claim in self.book.sources.claims.items()}
        return {token: weights for token, weights in found.items() if weights}

    @cached_property
    def followed(self) -> dict[Address, dict[Address, float]]:
        """As `direct`, and with those tokens that are only said to wrap or follow another."""
        assets = self.book.assets
        said = {
            asset.address: {assets[asset.follows].address: 1.0}
            for asset in assets
            if asset.follows is not None
        }
        return said | self.direct

    def worth(self, claim: Claim) -> float:
        """Of all there is of it, in USD."""
        if claim.underlying:
            tokens = claim.total_assets_raw / math.pow(10, underlying_decimals(self.book, claim))
            return tokens * self.prices.get(claim.underlying, math.nan)
        decimals = self.decimals(claim.token)
        if claim.kind == "lp" and math.isnan(decimals):
            decimals = LP_DECIMALS
        return claim.supply_raw / math.pow(10, decimals) * float(self._values(claim, {}, 1)[0])

    def decimals(self, token: Address) -> float:
        """NaN where unknown."""
        found = self.book.sources.tokens.get(token)
        return math.nan if found is None else float(found.decimals)

    def _weights(self, claim: Claim) -> dict[Address, float]:
        """Of a claim on several tokens: by how much its worth moves with each price."""
        if claim.underlying:
            return {claim.underlying: 1.0}
        tokens = list(
            dict.fromkeys(one.asset for one in leaves(claim.program) if isinstance(one, Market))
        )
        moved = {token: 2 * i for i, token in enumerate(tokens)}
        values = self._values(claim, moved, 2 * len(tokens))
        if not np.all(values > 0):
            return {}
        slopes = np.log(values[0::2] / values[1::2]) / (2 * _STEP)
        return {token: float(slope) for token, slope in zip(tokens, slopes, strict=True)}

    def _values(self, claim: Claim, moved: Mapping[Address, int], count: int) -> Floats:
        """The worth of one whole token, shape (count,); prices of tokens are moved up in scenario
        `moved` and down in the next one.
        """

        def read(leaf: Leaf) -> Floats:
            value = math.nan if leaf.value is None else float(leaf.value)
            if not isinstance(leaf, Market):
                return np.full(count, value)
            prices = np.full(count, self.prices.get(leaf.asset, value))
            if leaf.asset in moved:
                up = moved[leaf.asset]
                prices[up : up + 2] *= np.exp([_STEP, -_STEP])
            return prices

        return evaluate(claim.program, read)


def bases(
    direct: Mapping[Address, Mapping[Address, float]],
    token: Address,
    above: frozenset[Address] = frozenset(),
) -> dict[Address, float]:
    """What a token is a claim on in the end, and the weights; itself where it is no claim."""
    # Wrappers are anybody's code: two of them may name each other.
    inner = {one: part for one, part in direct.get(token, {}).items() if one not in above}
    if not inner or token in above:
        return {token: 1.0}
    found: dict[Address, float] = {}
    for one, part in inner.items():
        for base, weight in bases(direct, one, above | {token}).items():
            found[base] = found.get(base, 0.0) + part * weight
    return found


def behind(direct: Mapping[Address, Mapping[Address, float]], token: Address) -> set[Address]:
    """Every token that it is a claim on, directly or through others; not itself."""
    found: set[Address] = set()
    pending = list(direct.get(token, ()))
    while pending:
        one = pending.pop()
        if one not in found:
            found.add(one)
            pending += direct.get(one, ())
    return found - {token}
