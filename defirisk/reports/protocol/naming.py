"""What sections on perpetuals and debt call things, and how exact numbers get into tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction

from defirisk.core.book import Book
from defirisk.core.margin import Perps
from defirisk.metrics.perp_gap import unknown
from defirisk.reports.model import Block, Section
from defirisk.reports.value import listed, plural

DUST = Fraction(1, 10**12)


def sections_of(
    book: Book, id_: str, title: str, blocks: Callable[[Perps], Iterable[Block]]
) -> Iterator[Section]:
    """One for each deployment that states perpetuals and of which there is something to say."""
    several = len(book.deployments) > 1
    for facts in book.deployments:
        perps = facts.perps
        made = tuple(blocks(perps)) if perps is not None else ()
        if made:
            yield Section(
                f"{id_}-{facts.name}" if several else id_,
                f"{title} of {facts.name}" if several else title,
                made,
            )


def market_names(of: Perps) -> Mapping[str, str]:
    """Names of markets, and of their assets: that of its market, or of all of them."""
    names = {one.market: one.name for one in of.markets}
    by_asset: dict[str, list[str]] = {}
    for one in of.markets:
        by_asset.setdefault(one.base_asset, []).append(one.name)
    return {asset: listed(own) for asset, own in by_asset.items()} | names


def number(value: Fraction | None) -> float | None:
    """As a table has it."""
    return None if value is None else float(value)


def clean(value: Fraction, whole: Fraction) -> float:
    """As a table has it; what is left of amounts that cancel, where contracts round, is nothing."""
    return 0.0 if abs(value) < DUST * abs(whole) else float(value)


def yes_no(value: bool | None) -> str | None:
    """As a table has it."""
    return None if value is None else ("yes" if value else "no")


def left_out(of: Perps) -> str:
    """A sentence on accounts of which nothing is known; empty without any."""
    count = unknown(of)
    return f" Without {plural(count, 'account')} whose price is not known." if count else ""
