"""Price series from files: times, assets, prices in US dollars, and who said so."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from defirisk.imports.judging import (
    ImportKind,
    Line,
    Refused,
    Statements,
    first,
    identity,
    name,
    price_usd,
    shown,
    stated,
)
from defirisk.imports.reading import Layout, Sheet
from defirisk.protocols.oracles.imported_prices import ImportedPrice

PRICES = Layout(
    name="prices",
    columns=("ts", "asset", "price_usd", "source"),
    optional=frozenset({"source"}),
)
SOURCE = "imported"
"""Whose prices they are where a file does not say."""
MAX_TS = 2**40
_SECONDS = re.compile(r"[0-9]{1,13}")


def read_prices(sheets: Sequence[Sheet]) -> Statements:
    """Every row of the files, judged; each source is a deployment of its own."""
    found = Statements.of(sheets, {ImportedPrice: "prices"})
    seen: dict[tuple[str, str, int], Line] = {}
    for where, cells in stated(sheets, PRICES):
        try:
            source = name("source", cells["source"] or SOURCE)
            asset = identity(name("asset", cells["asset"]))
            ts = time(cells["ts"])
            price_usd("price_usd", cells["price_usd"])
            first(seen, (source, asset, ts), where)
        except Refused as reason:
            found.refuse(where, reason)
            continue
        found.add(
            source, ImportedPrice(source=source, asset=asset, ts=ts, price_usd=cells["price_usd"])
        )
    return found.sorted(sheets)


def time(text: str) -> int:
    """UTC seconds of ISO 8601 text (UTC where it names no zone) or of a number of seconds."""
    if _SECONDS.fullmatch(text):
        seconds = int(text)
    else:
        try:
            stamp = datetime.fromisoformat(text)
        except ValueError as error:
            raise Refused(
                f"ts {shown(text)} is no time: write 2024-03-01T12:00:00Z or UTC seconds"
            ) from error
        seconds = int((stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)).timestamp())
    if not 0 <= seconds < MAX_TS:
        raise Refused(f"ts {shown(text)} is beyond any chain: are these milliseconds?")
    return seconds


KIND = ImportKind(
    adapter="imported-prices", layouts=(PRICES,), row_types=(ImportedPrice,), read=read_prices
)
