"""Who loses how much where everything is settled, in dollars."""

from __future__ import annotations

import math

import numpy as np

from defirisk.contagion.failure.settle import Settled
from defirisk.core.backing import underlying_decimals
from defirisk.core.book import Book, Floats
from defirisk.core.claim import Claim


def lent_usd(book: Book, found: Settled) -> Floats:
    """What the lenders of each market lose because it cannot pay, (M, S), at the market price of
    after; NaN where something is lost of an unknown price. What vaults took out beforehand is not
    theirs any more.
    """
    supplied = np.array([facts.supplied for facts in book.markets], dtype=np.float64)
    deposits = np.maximum(supplied[:, None] - found.withdrawn, 0.0)
    asset = [facts.asset for facts in book.markets]
    return _priced(deposits * (1 - found.recoveries), found.prices[asset])


def vault_usd(book: Book, found: Settled) -> Floats:
    """What the holders of each claim in `found.claims` lose because its markets cannot pay, (K, S).

    The same dollars as those of the markets, as they reach who stays; NaN likewise.
    """
    place = {asset.address: a for a, asset in enumerate(book.assets)}
    prices = np.full((len(found.claims), len(found.scenarios)), math.nan)
    assets = np.empty(len(found.claims))
    for k, token in enumerate(found.claims):
        claim = book.sources.claims[token]
        assets[k] = whole_assets(book, claim)
        if claim.underlying in place:
            prices[k] = found.prices[place[claim.underlying]]
    return _priced(assets[:, None] * (1 - found.paid) * (1 - found.left), prices)


def written_down_usd(book: Book, found: Settled) -> Floats:
    """What holders of claims lose because the scenario itself writes them down, (S,)."""
    place = {asset.address: a for a, asset in enumerate(book.assets)}
    left = dict(zip(found.claims, found.left, strict=True))
    total = np.zeros(len(found.scenarios))
    for s, scenario in enumerate(found.scenarios):
        for token, factor in scenario.moves.conversions.items():
            claim = book.sources.claims.get(token)
            if claim is not None and factor < 1:
                asset = place.get(claim.underlying)
                price = math.nan if asset is None else found.prices[asset, s]
                part = left[token][s] if token in left else 1.0
                total[s] += whole_assets(book, claim) * price * part * (1 - float(factor))
    return total


def lost_usd(book: Book, scenarios: Settled) -> Floats:
    """What is lost because somebody does not pay what he owes, (S,): by lenders of markets, and by
    holders of claims that fail. What holders lose by a price alone is not in it; NaN if unknown.
    """
    return np.asarray(lent_usd(book, scenarios).sum(axis=0) + written_down_usd(book, scenarios))


def whole_assets(book: Book, claim: Claim) -> float:
    """Whole tokens of a claim's underlying; NaN where the decimals are unknown."""
    return claim.total_assets_raw / math.pow(10, underlying_decimals(book, claim))


def _priced(tokens: Floats, prices: Floats) -> Floats:
    """Nothing of an unknown price is worth nothing; something of it stays unknown."""
    return np.where(tokens == 0, 0.0, tokens * prices)
