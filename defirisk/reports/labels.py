"""Names for assets that a reader can trust: short, inert, and different where tokens differ."""

from __future__ import annotations

from functools import lru_cache

from defirisk.core.book import Asset, Book
from defirisk.core.evm import Address
from defirisk.reports import escape
from defirisk.reports.value import short_address


def asset_label(book: Book, asset: int) -> str:
    """The symbol, with the address beside it where another token shows the same symbol."""
    return _labels(book.assets)[asset]


def token_label(book: Book, address: Address) -> str:
    """As `asset_label` for any token of the chain, on the book's axis or not."""
    for index, asset in enumerate(book.assets):
        if asset.address == address:
            return asset_label(book, index)
    token = book.sources.tokens.get(address)
    shown = escape.clean(token.symbol, escape.SYMBOL_LIMIT) if token else ""
    return f"{shown} ({short_address(address)})" if shown else short_address(address)


@lru_cache(maxsize=4)
def _labels(assets: tuple[Asset, ...]) -> tuple[str, ...]:
    shown = [escape.clean(asset.symbol, escape.SYMBOL_LIMIT) for asset in assets]
    folded = [name.casefold() for name in shown]
    return tuple(
        name if name and folded.count(name.casefold()) == 1 else _with_address(name, asset)
        for name, asset in zip(shown, assets, strict=True)
    )


def _with_address(name: str, asset: Asset) -> str:
    return f"{name} ({short_address(asset.address)})" if name else short_address(asset.address)
