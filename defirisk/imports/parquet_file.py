"""Parquet files as rows of text, exactly."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from defirisk.core.errors import UsageError

_MAGIC = b"PAR1"
_BATCH = 65_536


def is_parquet(path: str) -> bool:
    """Whether the file begins as parquet files do, whatever its name is. Errors: `OSError`."""
    with Path(path).open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def parquet_rows(
    path: str, exact: Collection[str], name: str
) -> Iterator[tuple[int, list[str] | str]]:
    """The header as row 0, then each row as text; nothing for a missing value.

    Errors: `UsageError` where the file is broken, or where a column of `exact` holds floating
    point numbers, which have lost digits already.
    """
    # Loaded only here: no other command needs it.
    import pyarrow
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(path)
        header = list(file.schema_arrow.names)
        for field in file.schema_arrow:
            if field.name in exact and pyarrow.types.is_floating(field.type):
                raise UsageError(
                    f"{name}: column {field.name!r} holds floating point numbers ({field.type}), "
                    "which are not exact: store it as text or as decimals"
                )
        yield 0, header
        row = 0
        for batch in file.iter_batches(batch_size=_BATCH):
            columns = [column.to_pylist() for column in batch.columns]
            for values in zip(*columns, strict=True):
                row += 1
                yield row, [_text(value) for value in values]
    except pyarrow.ArrowException as error:
        raise UsageError(f"{name} is no parquet file that can be read: {error}") from error


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    # repr of a float is the shortest text that means it; a Decimal must not become 1E-18.
    return format(value, "f") if isinstance(value, Decimal) else repr(value)
