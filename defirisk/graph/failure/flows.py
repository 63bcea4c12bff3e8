"""What one settled failure moves between markets, vaults and their shares, in dollars.

Unit: USD at the market prices of after; collateral falls from today's market price. NaN policy: a
flow of an unknown price is NaN, units that need one are taken to pay (`Settled.unknown`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from scipy.sparse import csr_array

from defirisk.contagion.failure.losses import lent_usd, vault_usd, whole_assets
from defirisk.contagion.failure.settle import Settled, paid_by_quote, row_of_quote
from defirisk.contagion.valuation import Positions, positions, times
from defirisk.core.book import Book, Floats
from defirisk.core.evm import Address
from defirisk.graph.build import Composition
from defirisk.graph.failure.subjects import Subject

K = TypeVar("K")
PASSES = 200
NEGLIGIBLE = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Flows:
    """`fallen` is what pledged collateral lost in value, by market and asset (M, A), `passed` what
    its borrowers do not pay, by the market of the collateral and that of the debt, `lent` what each
    market's lenders lose (M,), `allocated` what of it vaults lose, `vaults` what each vault's
    shares lose. `issued` are aTokens and cTokens on the asset axis, and their markets.
    """

    book: Book
    fallen: Floats
    passed: Mapping[int, Mapping[int, float]]
    lent: Floats
    allocated: Mapping[int, Mapping[Address, float]]
    vaults: Mapping[Address, float]
    nested: Mapping[Address, Mapping[Address, float]]
    issued: Mapping[Address, int]

    def pledged(self, token: Address) -> float:
        """What of a token's fall is collateral's."""
        places = [a for a, asset in enumerate(self.book.assets) if asset.address == token]
        return float(self.fallen[:, places].sum()) if places else 0.0


def flows(made: Composition, settled: Settled, s: int) -> Flows:
    """Those of scenario number `s`."""
    book = made.book
    lent = lent_usd(book, settled)[:, s]
    own = vault_usd(book, settled)[:, s].tolist()
    vaults = {
        token: usd
        for token, usd in zip(settled.claims, own, strict=True)
        if book.sources.claims[token].kind == "vault"
    }
    fallen, passed = _fallen_and_passed(book, settled, s)
    allocated = _allocated(made, settled, s)
    nested = _nested(book, vaults)
    return Flows(
        book=book,
        fallen=fallen,
        passed=passed,
        lent=lent,
        allocated=allocated,
        vaults=vaults,
        nested=nested,
        issued=dict(_issued(book)),
    )


def _issued(book: Book) -> Iterator[tuple[Address, int]]:
    listed = {asset.address for asset in book.assets}
    names = [facts.name for facts in book.deployments]
    for token, claim in book.sources.claims.items():
        if claim.kind in ("a-token", "c-token") and token in listed:
            for m, facts in enumerate(book.markets):
                here = names[facts.deployment] == claim.issuer
                if here and book.assets[facts.asset].address == claim.underlying:
                    yield token, m


def _allocated(made: Composition, settled: Settled, s: int) -> dict[int, dict[Address, float]]:
    places = {row.id: m for m, row in enumerate(made.rows)}
    found: dict[int, dict[Address, float]] = {}
    for edge in made.graph.edges:
        if edge.kind == "allocates":
            m = places[edge.target]
            asset = made.rows[m].facts.asset
            now, after = float(made.book.asset_price[asset]), float(settled.prices[asset, s])
            value = math.nan if edge.value_usd is None else edge.value_usd
            short = 1 - float(settled.recoveries[m, s])
            usd = 0.0 if short == 0 else value * short * (after / now if now > 0 else math.nan)
            found.setdefault(m, {})[edge.source.removeprefix("vault:")] = usd
    return found


def _nested(book: Book, vaults: dict[Address, float]) -> dict[Address, dict[Address, float]]:
    """What vaults lose through shares of other vaults; added to `vaults`, the inner ones first."""
    found: dict[Address, dict[Address, float]] = {}
    claims = book.sources.claims
    holders = [(t, c) for t, c in claims.items() if c.kind == "vault" and c.underlying in claims]
    for _ in holders:  # at most as deep as there are vaults
        for token, claim in holders:
            inner = claims[claim.underlying]
            assets = whole_assets(book, inner)
            known = inner.rate is not None and assets > 0
            part = whole_assets(book, claim) * float(inner.rate or 0) / assets if known else 0.0
            usd = vaults.get(inner.token, 0.0) * part
            before = found.setdefault(inner.token, {}).get(token, 0.0)
            found[inner.token][token] = usd
            vaults[token] = vaults.get(token, 0.0) + usd - before
    return found


def _fallen_and_passed(
    book: Book, settled: Settled, s: int
) -> tuple[Floats, dict[int, dict[int, float]]]:
    rows, row, count = positions(book), row_of_quote(book), len(book.markets)
    place = np.where(row >= 0, row, count)
    worth = settled.prices[book.quote_asset, s] * book.quote_rate
    now = book.asset_price[book.quote_asset] * book.quote_rate
    paid = paid_by_quote(settled.recoveries[:, s : s + 1], row)[:, 0]
    fall = np.maximum(np.nan_to_num(now - worth * paid), 0.0)
    fell = csr_array(rows.collateral.multiply(fall[None, :]))
    owed, pledged = times(rows.debt, worth), times(rows.collateral, worth * paid)
    short = np.zeros_like(owed)
    np.divide(owed - pledged, owed, out=short, where=np.isfinite(owed - pledged) & (owed > 0))
    fallen = np.zeros((count + 1, len(book.assets)))
    np.add.at(fallen, (place, book.quote_asset), np.asarray(fell.sum(axis=0)).reshape(-1))
    priced = csr_array(rows.debt.multiply(np.nan_to_num(worth)[None]))
    unpaid = priced.multiply(np.clip(short, 0, 1)[:, None])
    causes = _causes(rows, fell, np.nan_to_num(book.quote_price))
    by_quote = csr_array(causes.T @ csr_array(unpaid)).tocoo()
    passed: dict[int, dict[int, float]] = {}
    for c, d, usd in zip(place[by_quote.row], place[by_quote.col], by_quote.data, strict=True):
        if usd > 0 and c < count and d < count:
            into = passed.setdefault(int(c), {})
            into[int(d)] = into.get(int(d), 0.0) + float(usd)
    return fallen[:-1], passed


def _causes(rows: Positions, fell: csr_array[np.float64], oracle: Floats) -> csr_array[np.float64]:
    """To which collateral a unit's unpaid debts are put down, rows of parts that sum to 1, (N, Q).

    By what each fell; where nothing fell, it was worthless before: by what the oracle still says
    that it is worth, and where that is nothing, too, by what there is of it.
    """
    said = csr_array(rows.collateral.multiply(oracle[None, :]))
    total = np.zeros(rows.count)
    parts = csr_array(rows.collateral.shape, dtype=np.float64)
    for weights in (fell, said, rows.collateral):
        sums = np.asarray(weights.sum(axis=1)).reshape(-1)
        take = (total == 0) & (sums > 0)
        scale = np.divide(1.0, sums, out=np.zeros_like(sums), where=take)
        parts = csr_array(parts + weights.multiply(scale[:, None]))
        total = np.where(take, sums, total)
    return parts


@dataclass(slots=True)
class Traced:
    """Which part of each market's, vault's and token's loss comes from what fails, 0 to 1."""

    rows: dict[int, float]
    vaults: dict[Address, float]
    tokens: dict[Address, float]


def traced(subject: Subject, its: Flows) -> Traced:
    """From what fails outwards, until nothing changes: the rest was lost already, or by others."""
    found = Traced(dict.fromkeys(subject.rows, 1.0), {}, {})
    if not subject.rows or subject.kind == "several":
        found.tokens = dict.fromkeys(subject.tokens, 1.0)
    asset = [its.book.assets[facts.asset].address for facts in its.book.markets]
    fixed = set(found.rows), set(found.tokens)
    for _ in range(PASSES):
        moved = _row_pass(found, its, asset, fixed[0])
        moved = max(moved, _vault_pass(found, its), _token_pass(found, its, fixed[1]))
        if moved <= NEGLIGIBLE:
            break
    return found


def _row_pass(found: Traced, its: Flows, asset: list[Address], fixed: set[int]) -> float:
    come: dict[int, float] = {}
    for c, into in its.passed.items():
        for d, usd in into.items():
            come[d] = come.get(d, 0.0) + usd * found.tokens.get(asset[c], 0.0)
    return max(
        (_put(found.rows, d, usd, float(its.lent[d])) for d, usd in come.items() if d not in fixed),
        default=0.0,
    )


def _vault_pass(found: Traced, its: Flows) -> float:
    come: dict[Address, float] = {}
    for m, part in found.rows.items():
        for token, usd in its.allocated.get(m, {}).items():
            come[token] = come.get(token, 0.0) + usd * part
    for inner, outer in its.nested.items():
        for token, usd in outer.items():
            come[token] = come.get(token, 0.0) + usd * found.vaults.get(inner, 0.0)
    return max(
        (_put(found.vaults, t, usd, its.vaults.get(t, math.nan)) for t, usd in come.items()),
        default=0.0,
    )


def _token_pass(found: Traced, its: Flows, fixed: set[Address]) -> float:
    moved = 0.0
    shares = {**found.vaults, **{t: found.rows.get(m, 0.0) for t, m in its.issued.items()}}
    for token, part in shares.items():
        if token not in fixed and part > 0:
            moved = max(moved, _put(found.tokens, token, part, 1.0))
    return moved


def _put(parts: dict[K, float], key: K, come: float, whole: float) -> float:
    """The part that came, of the whole: all of it where the whole is unknown."""
    part = min(come / whole, 1.0) if whole > 0 else 1.0 if come != 0 else 0.0
    before = parts.get(key, 0.0)
    if part > 0 or math.isnan(part):
        parts[key] = 1.0 if math.isnan(part) else part
    return abs(parts.get(key, 0.0) - before)
