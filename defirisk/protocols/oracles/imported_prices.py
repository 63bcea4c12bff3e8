"""Price series that the user imported, for shocks along them and for return models."""

from __future__ import annotations

from dataclasses import dataclass

from defirisk.core.adapter import Kind
from defirisk.core.imported import ImportedAdapter
from defirisk.core.row import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedPrice(Row, table="imported_prices_series", key=("source", "asset", "ts")):
    """What one source says of one asset at one time: US dollars of a whole token, as decimal
    text. `ts` is UTC seconds.
    """

    source: str
    asset: str
    ts: int
    price_usd: str = "0"


class ImportedPrices(ImportedAdapter):
    """The adapter."""

    name = "imported-prices"
    kind: Kind = "oracles"
    source = "files of the user (defirisk import prices)"
    rows: tuple[type[Row], ...] = (ImportedPrice,)


ADAPTER = ImportedPrices()
