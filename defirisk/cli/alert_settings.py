"""The [alerts] table of defirisk.toml."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from defirisk.core.errors import UsageError

_LIMITS = {"lag_seconds", "reorg_depth"}


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertSettings:
    """Whom to tell, and from when on. `urls` are apprise addresses, and secrets."""

    urls: tuple[str, ...] = field(default=(), repr=False)
    lag_seconds: int = 3_600
    reorg_depth: int = 5


def parse(table: Any, where: str, expanded: Callable[[Any], str]) -> AlertSettings:
    """The settings; `expanded` replaces ${VAR}. Errors: `UsageError` names what is wrong."""
    if not isinstance(table, dict):
        raise UsageError(f'{where}: write alerts as [alerts] with urls = ["…"]')
    if unknown := sorted(set(table) - _LIMITS - {"urls"}):
        known = ", ".join(sorted(_LIMITS | {"urls"}))
        raise UsageError(f"{where}, [alerts]: unknown setting {unknown[0]!r}: known are {known}")
    limits = {name: table[name] for name in _LIMITS if name in table}
    for name, value in limits.items():
        if type(value) is not int or value < 0:
            raise UsageError(f"{where}, [alerts]: {name} must be a number, not below 0")
    urls = table.get("urls", [])
    if not isinstance(urls, list):
        raise UsageError(f'{where}, [alerts]: write urls as a list, such as urls = ["${{ALERTS}}"]')
    # A variable that is not set is a machine on which nobody is to be told.
    return AlertSettings(urls=tuple(u for u in map(expanded, urls) if u), **limits)
