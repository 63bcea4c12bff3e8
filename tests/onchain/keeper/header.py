"""The header of a scenario, out of the book that the prediction starts from."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from defirisk.core.book import Book
from defirisk.core.quote import Feed as FeedLeaf
from defirisk.core.quote import leaves
from defirisk.core.scenario import ExactMoves, Scenario

from .record import Asset, Branch, Feed, Header, Settings, Unit, Venue

KINDS = ("constant-product", "concentrated", "stableswap")


def header_of(book: Book, scene: Scenario, settings: Settings, tree: Sequence[Branch]) -> Header:
    """Everything that the keeper is told. `tree` is the engine's.

    Errors: `ValueError` where the scenario moves what no transaction can.
    """
    moves = scene.moves
    unplayable = (
        moves.quotes,
        moves.conversions,
        moves.recoveries,
        moves.depth,
        moves.halt_seconds,
    )
    if any(unplayable):
        raise ValueError(f"{scene.name}: only feeds and the pools of markets can be moved")
    return Header(
        scenario=scene.name,
        shocks=scene.shocks,
        chain_id=book.chain_id,
        block=book.block.number,
        block_hash=book.block.hash,
        timestamp=book.block.timestamp,
        settings=settings,
        units=tuple(
            Unit(deployment=book.deployments[place].name, unit=unit)
            for unit, place in zip(book.units, book.unit_deployment, strict=True)
        ),
        assets=_assets(book, scene),
        venues=tuple(
            Venue(address=venue.address, kind=venue.kind, tokens=venue.tokens)
            for venue in book.sources.venues.values()
            if venue.kind != "depth"
        ),
        tree=tuple(tree),
        feeds=_feeds(book, scene),
    )


def _assets(book: Book, scene: Scenario) -> tuple[Asset, ...]:
    moves = ExactMoves(book, scene)
    return tuple(
        Asset(
            address=asset.address,
            symbol=asset.symbol,
            decimals=_decimals(book, place),
            price_usd=None if np.isnan(price) else Fraction(float(price)),
            move=moves.market(place),
        )
        for place, (asset, price) in enumerate(zip(book.assets, book.asset_price, strict=True))
    )


def _decimals(book: Book, asset: int) -> int:
    quote = int(np.flatnonzero(book.quote_asset == asset)[0])
    return int(np.rint(-np.log10(book.quote_grain[quote] * book.quote_rate[quote])))


def _feeds(book: Book, scene: Scenario) -> tuple[Feed, ...]:
    """Every feed that a quote reads, with the asset that it prices: not a claim, if it can be."""
    read: dict[str, list[int]] = {}
    for quote, program in enumerate(book.quote_program):
        feeds = [leaf.address for leaf in leaves(program) if isinstance(leaf, FeedLeaf)]
        if len(feeds) == 1:
            read.setdefault(feeds[0], []).append(int(book.quote_asset[quote]))
    return tuple(
        Feed(
            address=address,
            move=scene.moves.feeds.get(address, Fraction(1)),
            asset=book.assets[_priced(book, assets)].address,
        )
        for address, assets in sorted(read.items())
    )


def _priced(book: Book, assets: Sequence[int]) -> int:
    plain = [asset for asset in assets if book.assets[asset].program is None]
    return (plain or list(assets))[0]
