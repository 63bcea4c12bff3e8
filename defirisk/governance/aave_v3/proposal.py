"""From what was asked for to a case: which reserve is meant, and what it would then be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from defirisk.core.adapter import MarketAdapter, Snapshot
from defirisk.core.book import Book
from defirisk.core.errors import UsageError
from defirisk.core.plugins import adapter, nearest
from defirisk.core.row import Row
from defirisk.governance.aave_v3.rules import changed, terms
from defirisk.governance.case import Case
from defirisk.governance.change import Change
from defirisk.governance.decisions import Recording
from defirisk.governance.losses import Engine
from defirisk.governance.parameters import ChangedEdge, Parameters, parameters
from defirisk.governance.request import Wanted
from defirisk.governance.rows import HeldRows, held
from defirisk.governance.scenarios import Texts
from defirisk.protocols.lending.aave_v3.market_now import market_now
from defirisk.protocols.lending.aave_v3.rows import Reserve
from defirisk.shocks.target import MIN_PREFIX

PROTOCOL = "aave-v3"


class Market:
    """One Aave v3 deployment of a book, with its rows in memory: what it is, and what it would be.

    `snapshot` is of the same block as the book. Errors: `UsageError` where it is no Aave v3.
    """

    def __init__(self, book: Book, deployment: int, snapshot: Snapshot) -> None:
        its = adapter(snapshot.deployment.protocol)
        if its.name != PROTOCOL or not isinstance(its, MarketAdapter):
            raise UsageError(
                f"{snapshot.deployment.name} is {its.name}: only parameters of aave-v3 can be "
                "proposed so far"
            )
        self.book, self.deployment, self._adapter = book, deployment, its
        rows: HeldRows = held(snapshot.rows, its.rows)
        self._rows = rows
        self.snapshot = replace(snapshot, rows=rows)
        self.now = market_now(self.snapshot)

    def reserve(self, text: str) -> Reserve:
        """The listed asset of this symbol, address or start of an address. Errors: `UsageError`."""
        wanted = text.casefold()
        is_address = wanted.startswith("0x") and len(wanted) >= MIN_PREFIX
        symbols = {asset: self.symbol(asset) for asset in self.now.reserves}
        found = [
            asset
            for asset, symbol in symbols.items()
            if symbol.casefold() == wanted or (is_address and asset.startswith(wanted))
        ]
        name = self.snapshot.deployment.name
        if not found:
            raise UsageError(f"{name} lists no {text!r}: {nearest(text, symbols.values())}")
        if len(found) > 1:
            raise UsageError(
                f"{text!r} is {len(found)} assets of {name}: name one by its address, for example "
                f"{found[0]}"
            )
        return self.now.reserves[found[0]].reserve

    def symbol(self, asset: str) -> str:
        """The token's own word, or its address."""
        token = self.snapshot.tokens.get(asset)
        return token.symbol if token and token.symbol else asset

    def changes(self, wanted: Sequence[Wanted]) -> tuple[tuple[Change, ...], tuple[Row, ...]]:
        """What changes, and the rows that say so. Errors: `UsageError` cites a contract's rule."""
        changes: list[Change] = []
        rows: list[Row] = []
        for one in wanted:
            reserve = self.reserve(one.asset)
            if any(change.asset == reserve.asset for change in changes):
                raise UsageError(f"--asset {one.asset} is named twice: put all of it in one --set")
            symbol = self.symbol(reserve.asset)
            after = changed(reserve, one, self.now.generation, symbol)
            rows.append(after)
            changes.append(
                Change(
                    asset=reserve.asset, symbol=symbol, before=terms(reserve), after=terms(after)
                )
            )
        return tuple(changes), tuple(rows)

    def under(self, rows: Sequence[Row]) -> Snapshot:
        """The snapshot as it would be with these rows."""
        return replace(self.snapshot, rows=self._rows.replaced(rows))

    def parameters(self, rows: Sequence[Row]) -> Parameters:
        """The book's parameters with these rows, as the adapter itself derives them."""
        return parameters(self.book, self.deployment, self._adapter.holdings(self.under(rows)))

    def edge(self, rows: Sequence[Row]) -> ChangedEdge:
        """Decides by the contract's integers under these rows."""
        check = self._adapter.liquidation_check
        return ChangedEdge(self.book, self.deployment, lambda: check(self.under(rows)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A case, with what both edges say written down while it is computed."""

    case: Case
    market: Market
    rows: tuple[Row, ...]
    before: Recording
    after: Recording


def proposal(
    market: Market,
    changes: tuple[Change, ...],
    rows: tuple[Row, ...],
    scenarios: Sequence[Texts],
    command: str = "",
    engine: Engine = "static",
) -> Proposal:
    """The proposal of changes and the rows that say them, as `Market.changes` gives both."""
    before, after = Recording(market.book.edge), Recording(market.edge(rows))
    case = Case(
        book=replace(market.book, edge=before),
        deployment=market.deployment,
        changes=changes,
        new=market.parameters(rows),
        new_edge=after,
        scenarios=tuple(scenarios),
        engine=engine,
        command=command,
    )
    return Proposal(case=case, market=market, rows=rows, before=before, after=after)


def deployment_of(book: Book, name: str) -> int:
    """The deployment that a name means. Errors: `UsageError` where it means none, or several."""
    named = np.array([facts.name == name for facts in book.deployments])
    if not named.any():
        named = np.array([facts.protocol == name for facts in book.deployments])
    found = np.flatnonzero(named)
    if len(found) > 1:
        names = ", ".join(book.deployments[int(d)].name for d in found)
        raise UsageError(f"{name} is {len(found)} deployments: name one of {names}")
    if not len(found):
        known = [facts.name for facts in book.deployments]
        raise UsageError(f"nothing called {name!r} is indexed: {nearest(name, known)}")
    return int(found[0])
