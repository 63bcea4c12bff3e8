"""What can fail in a book, and what its failure moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np

from defirisk.core import plugins
from defirisk.core.book import Book
from defirisk.core.errors import UsageError
from defirisk.core.evm import Address
from defirisk.core.holdings import Side
from defirisk.core.scenario import Moves, Scenario, combine
from defirisk.graph import ids
from defirisk.graph.build import Composition
from defirisk.graph.claims import behind
from defirisk.graph.names import token_label
from defirisk.shocks.target import find_asset, market_moves, price_moves

Kind = Literal["protocol", "market", "asset", "vault", "several"]
AND = ","
"""Between the names of what fails together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One thing that fails. `tokens` are it and all that is a claim on it, `rows` the markets that
    fail themselves, `node` is its node in the graph. `name` is what to type for it.
    """

    node: str
    kind: Kind
    name: str
    scenario: Scenario
    tokens: frozenset[Address]
    rows: tuple[int, ...] = ()


def subjects(made: Composition) -> tuple[Subject, ...]:
    """Every deployment, every vault, every asset that backs a debt, every market vaults lend to."""
    book = made.book
    found = [_protocol(made, d) for d in range(len(book.deployments))]
    found += [_vault(made, token) for token, one in book.sources.claims.items() if _lends(one.kind)]
    found += [_asset(made, asset) for asset in _pledged(book)]
    lent = {one.target for one in made.graph.edges if one.kind == "allocates"}
    found += [_market(made, m) for m, row in enumerate(made.rows) if row.id in lent]
    return tuple({one.node: one for one in found}.values())


def find(made: Composition, name: str) -> Subject:
    """The one that `name` means: an asset or a vault, else a deployment, a protocol or a market as
    in the shock `fail:`; several names, such as "xUSD,deUSD", fail together. Errors: `UsageError`.
    """
    book = made.book
    every = subjects(made)
    exact = [one for one in every if name in (one.node, one.name)]
    if len(exact) == 1:
        return exact[0]
    if AND in name:
        return _together([find(made, part.strip()) for part in name.split(AND)])
    try:
        asset = find_asset(book, name)
    except UsageError:  # it is none, or several
        if any(one.symbol.casefold() == name.casefold() for one in book.assets):
            raise
        return _failing(made, name, every)
    token = book.assets[asset].address
    claim = book.sources.claims.get(token)
    return _vault(made, token) if claim and _lends(claim.kind) else _asset(made, asset)


def _together(parts: Sequence[Subject]) -> Subject:
    """Nothing is worth less than nothing: what fails twice fails once."""
    name = AND.join(one.name for one in parts)
    moves = combine(one.scenario.moves for one in parts)
    return Subject(
        node=f"several:{name}",
        kind="several",
        name=name,
        scenario=_scenario(name, moves),
        tokens=frozenset().union(*(one.tokens for one in parts)),
        rows=tuple(dict.fromkeys(row for one in parts for row in one.rows)),
    )


def _failing(made: Composition, name: str, every: tuple[Subject, ...]) -> Subject:
    try:
        moves = plugins.shocks()["fail"].moves(made.book, name, "")
    except UsageError as error:
        near = plugins.nearest(name, {one.name for one in every})
        raise UsageError(f"nothing that can fail is called {name!r}: {near}") from error
    rows, tokens = tuple(moves.recoveries), set(moves.conversions)
    tokens |= {made.book.assets[asset].address for asset in moves.market}
    places = {(made.rows[m].facts.deployment, made.rows[m].facts.market) for m in rows}
    kind: Kind = "vault" if not rows else "market" if len(places) == 1 else "protocol"
    node = made.rows[rows[0]].id if kind == "market" else _node(made, rows, tokens)
    return Subject(
        node=node,
        kind=kind,
        name=name,
        scenario=_scenario(name, moves),
        tokens=_claims_on(made, tokens | _issued(made, rows)),
        rows=rows,
    )


def _node(made: Composition, rows: tuple[int, ...], tokens: set[Address]) -> str:
    """Of several markets their deployment, of a claim itself."""
    if rows:
        facts = made.rows[rows[0]].facts
        return ids.protocol(made.book.deployments[facts.deployment].name)
    token = min(tokens)
    claim = made.book.sources.claims.get(token)
    return ids.vault(token) if claim and _lends(claim.kind) else ids.asset(token)


def _protocol(made: Composition, deployment: int) -> Subject:
    name = made.book.deployments[deployment].name
    rows = tuple(m for m, row in enumerate(made.rows) if row.facts.deployment == deployment)
    return Subject(
        node=ids.protocol(name),
        kind="protocol",
        name=name,
        scenario=_scenario(name, Moves(recoveries=dict.fromkeys(rows, Fraction(0)))),
        tokens=_claims_on(made, _issued(made, rows)),
        rows=rows,
    )


def _market(made: Composition, market: int) -> Subject:
    row = made.rows[market]
    return Subject(
        node=row.id,
        kind="market",
        name=row.label,
        scenario=_scenario(row.label, Moves(recoveries={market: Fraction(0)})),
        tokens=_claims_on(made, _issued(made, (market,))),
        rows=(market,),
    )


def _vault(made: Composition, token: Address) -> Subject:
    name = token_label(made.book, token)
    return Subject(
        node=ids.vault(token),
        kind="vault",
        name=name,
        scenario=_scenario(name, Moves(conversions={token: Fraction(0)})),
        tokens=_claims_on(made, {token}),
    )


def _asset(made: Composition, asset: int) -> Subject:
    """The asset is worth nothing, with all that follows it and all that is a claim on it.

    The feeds that report it say so. What is a claim itself, or follows another asset, leaves the
    feeds alone: they are those of what it is a claim on.
    """
    book = made.book
    token, facts = book.assets[asset].address, book.assets[asset]
    own = facts.program is None and facts.follows is None
    moves = (price_moves if own else market_moves)(book, asset, Fraction(0))
    return Subject(
        node=ids.asset(token),
        kind="asset",
        name=book.symbol(asset),
        scenario=_scenario(book.symbol(asset), moves),
        tokens=_claims_on(made, {token}),
    )


def _scenario(name: str, moves: Moves) -> Scenario:
    return Scenario(name=f"{name} fails", shocks=(), moves=moves)


def _lends(kind: str) -> bool:
    return kind == "vault"


def _pledged(book: Book) -> list[int]:
    """Assets that back a debt somewhere, ascending. What a position in perpetuals is counted in is
    nobody's asset, and cannot fail.
    """
    owing = np.zeros(len(book.units), dtype=np.bool_)
    owing[book.holding_unit[(book.holding_side == Side.DEBT) & (book.holding_amount > 0)]] = True
    own = (book.holding_side == Side.COLLATERAL) & (book.holding_amount > 0)
    own &= owing[book.holding_unit]
    vaults = {token for token, claim in book.sources.claims.items() if _lends(claim.kind)}
    required, held = book.requirements, np.flatnonzero(own)
    sizes = set(zip(required.unit.tolist(), book.quote_asset[required.quote].tolist(), strict=True))
    assets = book.quote_asset[book.holding_quote[held]].tolist()
    holders = book.holding_unit[held].tolist()
    found = sorted({a for unit, a in zip(holders, assets, strict=True) if (unit, a) not in sizes})
    return [a for a in found if book.assets[a].address not in vaults]


def _issued(made: Composition, rows: tuple[int, ...]) -> set[Address]:
    """The aTokens and cTokens of these markets."""
    places = {(row.facts.deployment, row.facts.asset) for row in (made.rows[m] for m in rows)}
    names = [one.name for one in made.book.deployments]
    index = {asset.address: a for a, asset in enumerate(made.book.assets)}
    return {
        token
        for token, claim in made.book.sources.claims.items()
        if claim.kind in ("a-token", "c-token")
        and claim.issuer in names
        and (names.index(claim.issuer), index.get(claim.underlying)) in places
    }


def _claims_on(made: Composition, tokens: set[Address]) -> frozenset[Address]:
    followed = made.claims.followed
    return frozenset(tokens | {one for one in followed if behind(followed, one) & tokens})
