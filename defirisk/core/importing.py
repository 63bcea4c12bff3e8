"""What an import of files read, refused and stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from defirisk.core.evm import Block


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One row that was not taken. `line` counts from 1, the header of a CSV file being line 1;
    in a parquet file it is the number of the row.
    """

    file: str
    line: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedProtocol:
    """One protocol, pool or vault of the files, and how much of what passed."""

    protocol: str
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportSummary:
    """Everything that `defirisk import` says.

    `block` is where the import is stored, None where nothing was. `cut_amounts` counts amounts that
    had more digits than their asset has decimals.
    """

    files: tuple[str, ...]
    rows_read: int
    rows_written: int
    cut_amounts: int
    protocols: tuple[ImportedProtocol, ...]
    refused: tuple[Refusal, ...]
    block: Block | None
