"""How a loss travels: steps from node to node, each with its channel and its dollars.

Every step is read off one settled scenario (`contagion.failure`), from what fails outwards: a step
comes after the one that caused it, and of those with one cause the largest is first. What a market
or a vault loses for other reasons, or has lost already, is left out (`flows.traced`): what comes
into it goes out again. Unit and NaN policy as in `flows`; None where unknown.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from defirisk.contagion.failure.settle import Settled
from defirisk.core.evm import Address
from defirisk.graph import ids
from defirisk.graph.build import Composition
from defirisk.graph.failure.flows import flows, traced
from defirisk.graph.failure.subjects import Subject
from defirisk.graph.names import token_label

Channel = Literal[
    "failure",  # protocol -> its market
    "claim",  # what fails -> what is a claim on it
    "collateral price",  # asset -> market that takes it
    "bad debt",  # market that takes it -> market that was borrowed from
    "allocation",  # market -> vault that lent to it
    "deposits",  # market -> all others who lent to it
    "share price",  # vault or market -> its share, aToken or cToken, where it is collateral
    "shares",  # vault -> those who hold its shares
    "equity",  # market -> those who borrowed against what fell
    # Where liquidations are played through (`sales`):
    "liquidation",  # market -> asset that is seized there
    "sale",  # asset -> asset that it is sold for
    "price after sales",  # asset -> market that takes it
    "bad debt after sales",  # market -> those who lent to it
]
SMALL = 0.005
"""USD: less is rounding."""
LENDERS, BORROWERS, HOLDERS = "lenders", "borrowers", "holders"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step; `source` and `target` are nodes of the graph, or people who stand for none."""

    source: str
    target: str
    channel: Channel
    value_usd: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """All steps, and the labels of their nodes."""

    steps: tuple[Step, ...]
    labels: dict[str, str]


def path(made: Composition, subject: Subject, settled: Settled, scenario: int = 0) -> Path:
    """The steps of the failure that scenario number `scenario` of `settled` is."""
    return _Walk(made, subject, settled, scenario).walk()


class _Walk:
    """One settled scenario of a composition, walked breadth first: causes before effects."""

    def __init__(self, made: Composition, subject: Subject, settled: Settled, s: int) -> None:
        self._made, self._subject = made, subject
        self._its = flows(made, settled, s)
        self._from = traced(subject, self._its)
        self._nodes = {one.id: one.label for one in made.graph.nodes}
        self._steps: list[Step] = []
        self._labels: dict[str, str] = {}
        self._pending: deque[tuple[str, Address | int]] = deque()
        self._seen: set[tuple[str, Address | int]] = set()

    def walk(self) -> Path:
        """All steps."""
        subject = self._subject
        self._labels[subject.node] = self._nodes.get(subject.node, subject.name)
        self._sorted(self._begin)
        while self._pending:
            kind, what = self._pending.popleft()
            if isinstance(what, int):
                self._sorted(partial(self._from_market, what))
            elif kind == "vault":
                self._sorted(partial(self._from_vault, what))
            else:
                self._from_token(what)
        return Path(steps=tuple(self._steps), labels=self._labels)

    def _begin(self) -> None:
        node = self._subject.node
        for m in self._subject.rows:
            self._step(node, self._made.rows[m].id, "failure", float(self._its.lent[m]))
            self._visit("row", m)
        several = self._subject.kind == "several"
        if self._subject.rows and not several:
            return
        claims = self._made.book.sources.claims
        for token in sorted(self._subject.tokens):
            claim, pledged = claims.get(token), self._its.pledged(token)
            worth = pledged if claim is None else self._made.claims.worth(claim)
            if ids.vault(token) == node:
                self._step(node, ids.asset(token), "share price", pledged)
                self._people(
                    node, HOLDERS, f"holders of {self._token(token)}", "shares", worth - pledged
                )
            elif ids.asset(token) != node and (pledged or (claim and claim.kind == "vault")):
                self._step(node, ids.asset(token), "failure" if several else "claim", worth)
            self._visit("token", token)

    def _from_token(self, token: Address) -> None:
        """Its markets: what fell there, what of it was passed on, and what borrowers lost."""
        book, part = self._made.book, self._from.tokens.get(token, 0.0)
        own = [
            c
            for c, row in enumerate(self._made.rows)
            if book.assets[row.facts.asset].address == token
        ]
        fell = {c: float(self._its.fallen[c, self._made.rows[c].facts.asset]) * part for c in own}
        # A market that fails itself has lost everything to that already.
        lost = set(self._subject.rows)
        passed = {
            c: {d: usd * part for d, usd in self._its.passed.get(c, {}).items() if d not in lost}
            for c in own
        }
        for c in sorted(own, key=lambda c: -max(fell[c], sum(passed[c].values()))):
            row = self._made.rows[c]
            # What was worthless before falls by nothing, and its debts are not paid all the same.
            some = sum(passed[c].values()) > SMALL
            self._step(ids.asset(token), row.id, "collateral price", fell[c], always=some)
            for d, usd in sorted(passed[c].items(), key=lambda one: -one[1]):
                self._step(row.id, self._made.rows[d].id, "bad debt", usd)
                self._visit("row", d)
            who = f"borrowers against {row.label}"
            self._people(row.id, BORROWERS, who, "equity", fell[c] - sum(passed[c].values()))

    def _from_market(self, market: int) -> None:
        """Its lenders: vaults, pledged aTokens or cTokens, and all others."""
        row, part = self._made.rows[market], self._from.rows.get(market, 0.0)
        rest = float(self._its.lent[market]) * part
        for token, usd in self._its.allocated.get(market, {}).items():
            self._step(row.id, ids.vault(token), "allocation", usd * part)
            self._visit("vault", token)
            rest -= usd * part
        for token, issuer in self._its.issued.items():
            if issuer == market:
                usd = self._its.pledged(token) * part
                self._step(row.id, ids.asset(token), "share price", usd)
                self._visit("token", token)
                rest -= usd
        self._people(row.id, LENDERS, f"lenders of {row.label}", "deposits", rest)

    def _from_vault(self, token: Address) -> None:
        """Its shares: pledged in markets, held by other vaults, and all others."""
        node, part = ids.vault(token), self._from.vaults.get(token, 0.0)
        pledged = self._its.pledged(token) * part
        self._step(node, ids.asset(token), "share price", pledged)
        self._visit("token", token)
        rest = self._its.vaults.get(token, math.nan) * part - pledged
        for other, usd in self._its.nested.get(token, {}).items():
            self._step(node, ids.vault(other), "shares", usd * part)
            self._visit("vault", other)
            rest -= usd * part
        self._people(node, HOLDERS, f"holders of {self._token(token)}", "shares", rest)

    def _visit(self, kind: str, what: Address | int) -> None:
        if (kind, what) not in self._seen:
            self._seen.add((kind, what))
            self._pending.append((kind, what))

    def _people(self, node: str, who: str, label: str, channel: Channel, usd: float) -> None:
        """What is left for people; rounding leaves nobody less than nothing."""
        if math.isnan(usd) or usd > SMALL:
            self._labels[f"{node}/{who}"] = label
            self._step(node, f"{node}/{who}", channel, usd)

    def _step(
        self, source: str, target: str, channel: Channel, usd: float, *, always: bool = False
    ) -> None:
        if source == target or (abs(usd) <= SMALL and not always):
            return
        for node in (source, target):
            self._labels.setdefault(node, self._label(node))
        known = None if math.isnan(usd) else usd
        self._steps.append(Step(source=source, target=target, channel=channel, value_usd=known))

    def _sorted(self, walk: Callable[[], None]) -> None:
        before = len(self._steps)
        walk()
        self._steps[before:] = sorted(self._steps[before:], key=_largest)

    def _label(self, node: str) -> str:
        return self._nodes.get(node) or self._token(node.partition(":")[2])

    def _token(self, token: Address) -> str:
        return token_label(self._made.book, token)


def _largest(step: Step) -> float:
    return -(math.inf if step.value_usd is None else step.value_usd)
