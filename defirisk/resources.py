"""Finds abis/, migrations/ and fixtures/, in a checkout beside the package, in a wheel inside.

Other packages bring their own: "package:name.json" is that file in that package.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from defirisk.core.errors import UsageError

_PACKAGE = Path(__file__).resolve().parent


def resource(kind: str, *parts: str) -> Path:
    """The path of a shipped file or folder; `kind` is abis, migrations or fixtures."""
    for path in _places(kind, parts):
        if path.exists():
            return path
    raise UsageError(
        f"{'/'.join((kind, *parts))} is missing from this installation: reinstall defirisk"
    )


def _places(kind: str, parts: tuple[str, ...]) -> list[Path]:
    package, colon, name = parts[-1].partition(":") if parts else ("", "", "")
    if colon:
        return [Path(str(files(package).joinpath(name)))]
    return [root.joinpath(kind, *parts) for root in (_PACKAGE / "_resources", _PACKAGE.parent)]


def read_text(kind: str, name: str) -> str:
    """The text of one shipped file."""
    return resource(kind, name).read_text(encoding="utf-8")
