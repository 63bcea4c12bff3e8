"""`fail:` a protocol, a market or a vault pays back only a part of what is claimed from it."""

from __future__ import annotations

from fractions import Fraction

from defirisk.core.backing import MIN_ID, is_market
from defirisk.core.book import Book
from defirisk.core.errors import UsageError
from defirisk.core.evm import Address
from defirisk.core.plugins import nearest
from defirisk.core.quote import Conversion, leaves
from defirisk.core.scenario import Moves, Shock
from defirisk.shocks.target import MIN_PREFIX, shorten
from defirisk.shocks.value import price


class Fail:
    """Its aTokens, cTokens, shares of its vaults and of its pools are written down, and what vaults
    lent to it. Oracles that ask the token itself follow; a feed of its price does not.
    """

    name = "fail"
    grammar = "fail:aave-v3 fail:yWETH=0.4"
    summary = "claims on a protocol, market (USDC@aave-v3, an id) or vault fall to this part (0)"

    def moves(self, book: Book, target: str, value: str) -> Moves:
        """VALUE is the recovery, from 0 to 1, 0 where it is left out.

        TARGET is looked for among deployments and protocols, then ASSET@DEPLOYMENT, then markets by
        their name or the start of their id, then vaults and other claims by symbol or address.
        """
        recovery = _recovery(value)
        found = (
            _protocol(book, target, recovery)
            or _market(book, target, recovery)
            or _claim(book, target, recovery)
        )
        if found == Moves():
            raise UsageError(f"nobody in this book holds a claim on {target}")
        return found


def _recovery(text: str) -> Fraction:
    part = price(text or "0")
    if part is None or part > 1:
        raise UsageError(f"{text!r} is no part between 0 and 1: a recovery of 40 % is 0.4")
    return part


def _protocol(book: Book, name: str, recovery: Fraction) -> Moves | None:
    """All markets of the deployment or the protocol, its vaults and the shares of its pools."""
    deployments = {d for d, facts in enumerate(book.deployments) if facts.name == name} or {
        d for d, facts in enumerate(book.deployments) if facts.protocol == name
    }
    names = {book.deployments[d].name for d in deployments} | {name}
    markets = [m for m, facts in enumerate(book.markets) if facts.deployment in deployments]
    issued = [
        token
        for token, claim in book.sources.claims.items()
        # aTokens and cTokens fall with their markets.
        if claim.issuer in names and claim.kind in ("vault", "lp")
    ]
    if not markets and not issued:
        return None
    return _written_down(book, markets, issued, recovery)


def _market(book: Book, name: str, recovery: Fraction) -> Moves | None:
    symbol, at, place = name.rpartition("@")
    if at:
        found = [m for m, facts in enumerate(book.markets) if _is_at(book, m, symbol, place)]
    else:
        is_id = name.startswith("0x") and len(name) >= MIN_ID
        found = [
            m
            for m, facts in enumerate(book.markets)
            if is_market(facts, name)
            or (is_id and facts.market.rsplit(" ", 1)[-1].startswith(name))
        ]
    return _written_down(book, found, [], recovery) if found else None


def _is_at(book: Book, market: int, symbol: str, place: str) -> bool:
    facts = book.markets[market]
    deployment = book.deployments[facts.deployment]
    asset = book.assets[facts.asset]
    named = symbol.casefold() in (asset.symbol.casefold(), asset.address.casefold())
    return named and place in (deployment.name, deployment.protocol, facts.market)


def _claim(book: Book, name: str, recovery: Fraction) -> Moves:
    wanted = name.casefold()
    is_address = wanted.startswith("0x") and len(wanted) >= MIN_PREFIX
    symbols = _claims(book)
    found = [
        token
        for token, symbol in symbols.items()
        if wanted in (symbol.casefold(), token.casefold())
        or (is_address and token.casefold().startswith(wanted))
    ]
    if not found:
        raise UsageError(f"nothing that can fail is called {name!r}: {_nearest(book, name)}")
    if len(found) > 1:
        raise UsageError(
            f"{name!r} is {len(found)} tokens: {', '.join(map(shorten, found))}; "
            f"name one by its address, for example {found[0]}"
        )
    return _written_down(book, [], found, recovery)


def _claims(book: Book) -> dict[Address, str]:
    """The symbol of every token that converts to others or is a share of a pool."""
    found = dict.fromkeys(book.sources.claims, "")
    for token, known in book.sources.tokens.items():
        if token in found:
            found[token] = known.symbol
    for asset in book.assets:
        if asset.program is not None or asset.address in found:
            found[asset.address] = asset.symbol
    return found


def _nearest(book: Book, name: str) -> str:
    names = {facts.name for facts in book.deployments}
    names |= {facts.market for facts in book.markets}
    return nearest(name, names | set(filter(None, _claims(book).values())))


def _written_down(
    book: Book, markets: list[int], tokens: list[Address], recovery: Fraction
) -> Moves:
    """What converts is worth less wherever it is asked; a pool's share is worth less at market."""
    place = {asset.address: a for a, asset in enumerate(book.assets)}
    converts = [token for token in tokens if _converts(book, token, place)]
    others = [place[token] for token in tokens if token in place and token not in converts]
    return Moves(
        recoveries=dict.fromkeys(markets, recovery),
        conversions=dict.fromkeys(converts, recovery),
        market=dict.fromkeys(others, recovery),
    )


def _converts(book: Book, token: Address, place: dict[Address, int]) -> bool:
    claim = book.sources.claims.get(token)
    program = claim.program if claim is not None else book.assets[place[token]].program
    inner = () if program is None else leaves(program)
    return any(isinstance(leaf, Conversion) and leaf.token == token for leaf in inner)


SHOCK: Shock = Fail()
