"""An import from its files to its summary: read all, judge all, then store all or nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from defirisk.core.errors import UsageError
from defirisk.core.evm import Block
from defirisk.core.importing import ImportSummary
from defirisk.core.plugins import adapter
from defirisk.imports.lending import LAYOUTS, Lending, read_lending
from defirisk.imports.reading import read_sheet
from defirisk.imports.storing import digest, store_import
from defirisk.protocols.lending.imported_lending.rows import ImportedMarket, ImportedPosition
from defirisk.store.database import Store

LENDING = "imported-lending"

Progress = Callable[[str, int, int | None], None]


def read(files: Sequence[str], progress: Progress) -> Lending:
    """Every row of lending files. Errors: `UsageError` where a file is not what it should be."""
    sheets = []
    for done, (path, name) in enumerate(zip(files, file_names(files), strict=True)):
        progress("read files", done, len(files))
        sheets.append(read_sheet(path, LAYOUTS, name))
    progress("read files", len(files), len(files))
    return read_lending(sheets)


def store(into: Store, lending: Lending, files: Sequence[str]) -> ImportSummary:
    """Stores what passed. Errors: `UsageError` where nothing did, or a name is taken."""
    if not lending.markets:
        raise UsageError("there is nothing to store: no market passed")
    protocols = {
        name: {ImportedMarket: rows, ImportedPosition: lending.positions.get(name, ())}
        for name, rows in lending.markets.items()
    }
    block, written = store_import(into, adapter(LENDING), protocols, digest(files))
    return summary(lending, files, block, written)


def summary(
    lending: Lending, files: Sequence[str], block: Block | None = None, written: int = 0
) -> ImportSummary:
    """What is to be said; without a block, nothing was stored."""
    return ImportSummary(
        files=tuple(file_names(files)),
        rows_read=lending.rows_read,
        rows_written=written,
        cut_amounts=lending.cut_amounts,
        protocols=lending.protocols(),
        refused=tuple(lending.refused),
        block=block,
    )


def file_names(files: Sequence[str]) -> list[str]:
    """The files' names, or the whole of what was typed where two have the same."""
    names = [Path(path).name for path in files]
    return names if len(set(names)) == len(names) else list(files)
