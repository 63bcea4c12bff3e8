"""Which part of each claim is lent to which market, before and after a run on the vaults."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from defirisk.contagion.valuation import indicator, times
from defirisk.core.backing import backing, underlying_decimals
from defirisk.core.book import Book, Floats, Ints
from defirisk.core.claim import Claim
from defirisk.core.evm import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Backed:
    """K claims that are backed by M markets of a book, E edges between them, S scenarios.

    Fractions of a claim's assets, and whole tokens; never NaN. Edges are in the order in which a
    vault withdraws.
    """

    tokens: tuple[Address, ...]  # (K,)
    claim: Ints  # (E,)
    row: Ints  # (E,), places in `Book.markets`
    part: Floats  # (E, S), of what a claim's assets are after the run
    paid: Floats  # (K, S), the part of its assets of before that left at the price of before
    withdrawn: Floats  # (M, S), whole tokens that vaults took out of each market

    def left(self, recoveries: Floats) -> Floats:
        """What is left of each claim for those who stay, (K, S), where markets pay (M, S)."""
        lost = self.part * (1 - recoveries[self.row])
        by_claim = indicator(self.claim, len(self.tokens))
        return np.maximum(1 - times(by_claim, lost), 0.0)


def backed(book: Book, run: Floats) -> Backed:
    """The claims of a book; a part `run` (S,) of each vault's assets is asked back beforehand."""
    found = {token: parts for token, parts in backing(book).items() if token in _known(book)}
    tokens = tuple(found)
    edges = [(k, m, part) for k, token in enumerate(tokens) for m, part in found[token].items()]
    claim = np.array([k for k, _, _ in edges], dtype=np.int64)
    row = np.array([m for _, m, _ in edges], dtype=np.int64)
    part = np.array([float(part) for _, _, part in edges], dtype=np.float64)
    claims = [book.sources.claims[token] for token in tokens]
    is_vault = np.array([one.kind == "vault" for one in claims], dtype=np.bool_)
    assets = np.array([_assets(book, one) for one in claims], dtype=np.float64)
    shape = (len(tokens), len(run))
    wanted = np.where(is_vault[:, None], np.broadcast_to(run, shape), 0.0)
    paid = np.minimum(wanted, np.array([_idle(one) for one in claims]).reshape(-1, 1))
    # Where assets cannot be counted, no cash is either: then nobody leaves through a market.
    lent = np.where(is_vault[claim], part * np.nan_to_num(assets[claim]), 0.0)
    cash = _cash(book, row, lent)
    taken = np.zeros((len(edges), len(run)))
    for e, k in enumerate(claim.tolist()):
        there = min(part[e], cash[e] / assets[k]) if lent[e] > 0 else 0.0
        taken[e] = np.minimum(wanted[k] - paid[k], there)
        paid[k] += taken[e]
    stays = (1 - paid)[claim]
    after = np.where(stays > 0, (part[:, None] - taken) / np.where(stays > 0, stays, 1), 0.0)
    whole = taken * np.nan_to_num(assets[claim])[:, None]
    withdrawn = times(indicator(row, len(book.markets)), whole)
    return Backed(tokens=tokens, claim=claim, row=row, part=after, paid=paid, withdrawn=withdrawn)


def _known(book: Book) -> set[Address]:
    """Tokens whose rate anything is known of: another would be worth nothing to start with."""
    return {token for token, claim in book.sources.claims.items() if claim.rate is not None}


def _assets(book: Book, claim: Claim) -> float:
    """Whole tokens; NaN where the decimals are unknown."""
    return claim.total_assets_raw / math.pow(10, underlying_decimals(book, claim))


def _idle(claim: Claim) -> float:
    """The part of a vault's assets that it has not lent, to whatever market."""
    if claim.kind != "vault" or not claim.total_assets_raw:
        return 0.0
    lent = sum(one.assets_raw for one in claim.allocations)
    return max(1 - lent / claim.total_assets_raw, 0.0)


def _cash(book: Book, row: Ints, lent: Floats) -> Floats:
    """Each edge's share of its market's cash, pro rata to what vaults lent, (E,), whole tokens."""
    cash = np.nan_to_num(np.array([facts.cash for facts in book.markets], dtype=np.float64))
    all_lent = np.bincount(row, weights=lent, minlength=len(book.markets))
    share = np.divide(lent, all_lent[row], out=np.zeros_like(lent), where=all_lent[row] > 0)
    return np.asarray(np.maximum(cash[row], 0) * share, dtype=np.float64)
