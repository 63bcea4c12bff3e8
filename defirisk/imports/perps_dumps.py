"""What APIs of exchanges answer, as rows of the files of perpetuals.

A dump is one JSON object: "venue", and the answers of that venue's API under the names that
docs/import-perps.md lists. Numbers stay text; what has to be computed is computed in fractions.
Sources: Hyperliquid, info endpoint `clearinghouseState` and `metaAndAssetCtxs`; Binance USDⓈ-M
futures, `/fapi/v3/positionRisk`, `/fapi/v3/account`, `/fapi/v1/leverageBracket`,
`/fapi/v1/assetIndex`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import orjson

from defirisk.core.errors import UsageError
from defirisk.imports.perps_binance import binance
from defirisk.imports.perps_dump_rows import Dumped, Malformed, Record
from defirisk.imports.perps_hyperliquid import hyperliquid
from defirisk.imports.reading import Sheet

VENUES: Mapping[str, Callable[[Record, Dumped], None]] = {
    "binance": binance,
    "hyperliquid": hyperliquid,
}


def dumped(path: str, file: str) -> list[Sheet]:
    """The sheets of one dump, called `file`; lines count its records. Errors: `UsageError`."""
    try:
        text = Path(path).read_bytes()
        orjson.loads(text)  # refuses what is nested so deeply that the other would crash
        whole = json.loads(text, parse_float=str, parse_int=str)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{file} is no JSON: {str(error)[:200]}") from error
    try:
        record = Record(whole, "the dump")
        venue = record.text("venue")
        if venue not in VENUES:
            raise Malformed(f"venue {venue[:60]!r} is unknown: write {' or '.join(VENUES)}")
        rows = Dumped(protocol=record.text("protocol", venue))
        VENUES[venue](record, rows)
    except Malformed as error:
        raise UsageError(f"{file}: {error}") from error
    return rows.sheets(file)
