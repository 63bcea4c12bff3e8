"""Finds abis/, migrations/ and fixtures/, in a checkout beside the package, in a wheel inside."""

from __future__ import annotations

from pathlib import Path

from defirisk.core.errors import UsageError

_PACKAGE = Path(__file__).resolve().parent


def resource(kind: str, *parts: str) -> Path:
    """The path of a shipped file or folder; `kind` is abis, migrations or fixtures."""
    for root in (_PACKAGE / "_resources", _PACKAGE.parent):
        path = root.joinpath(kind, *parts)
        if path.exists():
            return path
    raise UsageError(
        f"{'/'.join((kind, *parts))} is missing from this installation: reinstall defirisk"
    )


def read_text(kind: str, name: str) -> str:
    """The text of one shipped file."""
    return resource(kind, name).read_text(encoding="utf-8")
