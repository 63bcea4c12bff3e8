"""An import from its files to its summary: read all, judge all, then store all or nothing."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from pathlib import Path

from defirisk.core.errors import UsageError
from defirisk.core.evm import Block
from defirisk.core.importing import ImportSummary
from defirisk.core.plugins import adapter
from defirisk.imports.judging import Found, ImportKind
from defirisk.imports.reading import Sheet, read_sheet
from defirisk.imports.storing import Part, digest, store_import
from defirisk.store.database import Store

Progress = Callable[[str, int, int | None], None]
ENDINGS = (".csv", ".csv.gz", ".parquet")
DUMP = ".json"
"""What an API answered: read where it is named, never as a part of a folder."""


def kind_of(name: str) -> ImportKind:
    """The kind of import of this name: the module of that name defines it."""
    kind: ImportKind = importlib.import_module(f"defirisk.imports.{name}").KIND
    return kind


def files_of(paths: Sequence[str]) -> tuple[str, ...]:
    """Files, with folders replaced by the CSV and parquet files in them, by name.

    Errors: `UsageError` for a folder without any.
    """
    found: list[str] = []
    for path in map(Path, paths):
        inside = sorted(path.iterdir()) if path.is_dir() else [path]
        taken = [str(one) for one in inside if one is path or one.name.endswith(ENDINGS)]
        if not taken:
            raise UsageError(f"{path} has no file that ends in {', '.join(ENDINGS)}")
        found += taken
    return tuple(found)


def read(kind: ImportKind, files: Sequence[str], progress: Progress) -> Found:
    """Every row of the files, judged. Errors: `UsageError` where a file is not what it should
    be.
    """
    sheets: list[Sheet] = []
    for done, (path, name) in enumerate(zip(files, file_names(files), strict=True)):
        progress("read files", done, len(files))
        if kind.dump and path.endswith(DUMP):
            sheets += kind.dump(path, name)
        else:
            sheets.append(read_sheet(path, kind.layouts, name))
    progress("read files", len(files), len(files))
    return kind.read(sheets)


def store(into: Store, kind: ImportKind, found: Found, files: Sequence[str]) -> ImportSummary:
    """Stores what passed. Errors: `UsageError` where nothing did, or a name is taken."""
    rows = found.rows()
    if not rows:
        raise UsageError("there is nothing to store: no row passed")
    parts = []
    for name, row_types in {kind.adapter: kind.row_types, **kind.also}.items():
        own = {one: of for one, of in rows.items() if not kind.also or set(of) & set(row_types)}
        parts.append(Part(adapter=adapter(name), row_types=row_types, protocols=own))
    block, written = store_import(into, parts, digest(files))
    return summary(found, files, block, written)


def summary(
    found: Found, files: Sequence[str], block: Block | None = None, written: int = 0
) -> ImportSummary:
    """What is to be said; without a block, nothing was stored."""
    return ImportSummary(
        files=tuple(file_names(files)),
        rows_read=found.rows_read,
        rows_written=written,
        cut_amounts=found.cut_amounts,
        protocols=found.protocols(),
        refused=tuple(found.refused),
        block=block,
    )


def file_names(files: Sequence[str]) -> list[str]:
    """The files' names, or the whole of what was typed where two have the same."""
    names = [Path(path).name for path in files]
    return names if len(set(names)) == len(names) else list(files)
