"""A folder of files that belong together, written and read at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from defirisk.core.errors import UsageError


def put_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Writes files by their path in the folder. Errors: `UsageError`."""
    try:
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error.strerror}") from error


def get_files(folder: Path, names: Iterable[str]) -> dict[str, bytes]:
    """Reads files by their path in the folder. Errors: `UsageError` names what is missing."""
    found = {}
    for name in names:
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise UsageError(f"{name!r} is no file of {folder}: the manifest was tampered with")
        try:
            found[name] = (folder / name).read_bytes()
        except OSError as error:
            raise UsageError(
                f"{name} cannot be read in {folder}: {error.strerror}; name the folder that "
                "defirisk propose wrote"
            ) from error
    return found
