"""Owners as nodes: the large and the remarkable by themselves, those who are alike as one.

Owners are alike if they have the same sides of the same assets in the same deployments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from defirisk.core.book import Book, Floats
from defirisk.core.holdings import Side
from defirisk.graph import ids
from defirisk.graph.model import Node
from defirisk.graph.standing import Positions, Row

SHARE = 1e-3
"""Owners with less than this part of all that is deposited and owed may be one of a cluster."""
WORDS = {Side.COLLATERAL: "collateral", Side.SUPPLY: "supply", Side.DEBT: "debt"}
_LISTED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Owners:
    """`node_of` is the id of every owner's node, that of the vault for a vault that lends. Owners
    without any holding have none.
    """

    nodes: tuple[Node, ...]
    node_of: dict[int, str]


def owners(
    book: Book, rows: Sequence[Row], held: Positions, apart: set[int], share: float = SHARE
) -> Owners:
    """Nodes of all owners who hold something; those in `apart` are never clustered."""
    gross = _by_owner(book, held, None)
    small = gross < share * gross.sum()
    alike: dict[tuple[tuple[int, int, int], ...], list[int]] = {}
    for owner, signature in _signatures(rows, held).items():
        alike.setdefault(signature, []).append(owner)
    deposited = _by_owner(book, held, Side.DEBT)
    nodes: list[Node] = []
    node_of: dict[int, str] = {}
    for signature, members in alike.items():
        joined = [
            owner
            for owner in members
            if small[owner] and owner not in apart and not _is_vault(book, owner)
        ]
        if len(joined) < 2:
            joined = []
        for owner in members:
            if _is_vault(book, owner):
                # A vault that lends is a node already.
                node_of[owner] = ids.vault(book.owners[owner])
            elif owner not in joined:
                node_of[owner] = ids.owner(book.owners[owner])
                nodes.append(_node(book, owner, float(deposited[owner])))
        if joined:
            words = _words(book, signature)
            node = Node(
                id=ids.cluster(_stable(book, signature)),
                kind="owner",
                label=f"{len(joined)} owners alike: {_short(words)}",
                value_usd=float(deposited[joined].sum()),
                members=tuple(book.owners[owner] for owner in joined),
            )
            nodes.append(node)
            node_of |= dict.fromkeys(joined, node.id)
    return Owners(nodes=tuple(nodes), node_of=node_of)


def _by_owner(book: Book, held: Positions, without: Side | None) -> Floats:
    """Dollars of each owner, shape (O,); unknown ones are left out."""
    values = np.nan_to_num(held.value, nan=0.0)
    if without is not None:
        values = np.where(held.side == without, 0.0, values)
    return np.asarray(
        np.bincount(held.owner, weights=values, minlength=len(book.owners)), dtype=np.float64
    )


def _signatures(
    rows: Sequence[Row], held: Positions
) -> dict[int, tuple[tuple[int, int, int], ...]]:
    found: dict[int, set[tuple[int, int, int]]] = {}
    for owner, row, side in zip(
        held.owner.tolist(), held.row.tolist(), held.side.tolist(), strict=True
    ):
        facts = rows[row].facts
        found.setdefault(owner, set()).add((facts.deployment, facts.asset, side))
    return {owner: tuple(sorted(what)) for owner, what in found.items()}


def _is_vault(book: Book, owner: int) -> bool:
    claim = book.sources.claims.get(book.owners[owner])
    return claim is not None and claim.kind == "vault"


def _node(book: Book, owner: int, deposited: float) -> Node:
    account = book.owners[owner]
    return Node(id=ids.owner(account), kind="owner", label=ids.short(account), value_usd=deposited)


def _words(book: Book, signature: Sequence[tuple[int, int, int]]) -> list[str]:
    return [
        f"{book.symbol(asset)} {WORDS[Side(side)]} on {book.deployments[deployment].name}"
        for deployment, asset, side in signature
    ]


def _stable(book: Book, signature: Sequence[tuple[int, int, int]]) -> list[str]:
    """By names and addresses: numbers change from one book to another."""
    return sorted(
        f"{book.deployments[deployment].name}/{book.assets[asset].address}/{side}"
        for deployment, asset, side in signature
    )


def _short(words: list[str]) -> str:
    more = [f"{len(words) - _LISTED} more"] if len(words) > _LISTED else []
    return ", ".join([*words[:_LISTED], *more])
