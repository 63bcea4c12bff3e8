"""The scenarios that a proposal is judged by where nobody names others: stated here, as data.

Two families: everything volatile falls at once, and one asset breaks away from the rest. `each`
says of which assets: `asset` those of the proposal; `volatile` all that stand for themselves and
cost something else than a dollar, `stable` those that cost about one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from defirisk.core.book import Book
from defirisk.core.evm import Address
from defirisk.shocks.grammar import parse

Texts = tuple[str, tuple[str, ...]]
"""A scenario's name and its shocks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One scenario: `kind:ASSET=value` for each asset that is meant."""

    name: str
    each: Literal["asset", "volatile", "stable"]
    kind: Literal["price", "market", "oracle"]
    value: str


DEFAULT = (
    Template(name="asset falls 10 %", each="asset", kind="price", value="-10%"),
    Template(name="asset falls 25 %", each="asset", kind="price", value="-25%"),
    Template(name="asset falls 50 %", each="asset", kind="price", value="-50%"),
    Template(name="market falls 20 %", each="volatile", kind="price", value="-20%"),
    Template(name="market falls 40 %", each="volatile", kind="price", value="-40%"),
    Template(name="market rises 30 %", each="volatile", kind="price", value="+30%"),
    Template(name="stablecoins fall 10 %", each="stable", kind="price", value="-10%"),
    Template(name="asset falls 30 %, oracle frozen", each="asset", kind="market", value="-30%"),
    Template(name="oracle 30 % too low", each="asset", kind="oracle", value="-30%"),
)
PARITY = 0.05
"""What costs a dollar up to this is called stable."""


def default_scenarios(book: Book, deployment: int, assets: Sequence[int]) -> list[Texts]:
    """`DEFAULT` for these assets of this book; templates that mean no asset are left out."""
    found = []
    for template in DEFAULT:
        meant = assets if template.each == "asset" else list(_priced(book, template.each))
        texts = tuple(_shocks(book, deployment, template, meant))
        if texts:
            found.append((template.name, texts))
    return found


def _priced(book: Book, which: str) -> Iterator[int]:
    """Quoted assets of known price that stand for themselves."""
    for asset in np.unique(book.quote_asset).tolist():
        price, facts = float(book.asset_price[asset]), book.assets[asset]
        if np.isnan(price) or facts.follows is not None or facts.program is not None:
            continue
        if (abs(price - 1) <= PARITY) == (which == "stable"):
            yield asset


def _shocks(
    book: Book, deployment: int, template: Template, assets: Iterable[int]
) -> Iterator[str]:
    """One shock for each asset. What a feed moves already is moved at market only: a feed that two
    assets share would move twice.
    """
    where = f"@{book.deployments[deployment].name}" if template.kind == "oracle" else ""
    moved: set[Address] = set()
    for asset in assets:
        name = asset_word(book, asset)
        text = f"{template.kind}:{name}{where}={template.value}"
        feeds = set(parse(text, book).feeds)
        if feeds & moved:
            text = f"market:{name}={template.value}"
        moved |= feeds
        yield text


def asset_places(book: Book, assets: Iterable[Address]) -> list[int]:
    """Where assets are on the asset axis, each once."""
    place = {asset.address: a for a, asset in enumerate(book.assets)}
    return [place[asset] for asset in dict.fromkeys(assets)]


def asset_word(book: Book, asset: int) -> str:
    """What to type for an asset: its symbol where that is plain and nobody else's."""
    symbol = book.symbol(asset)
    same = [one for one in book.assets if one.symbol.casefold() == symbol.casefold()]
    plain = symbol.isascii() and symbol.isalnum() and len(symbol) < 24
    plain = plain and not symbol.lower().startswith("0x")
    return symbol if plain and len(same) == 1 else book.assets[asset].address
