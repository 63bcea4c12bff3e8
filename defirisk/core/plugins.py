"""Finds plug-ins: every module in the plug-in folders, and those of other packages.

A protocol is a module or package in defirisk/protocols/<kind>/ that defines `ADAPTER`; a shock is a
module in defirisk/shocks/ that defines `SHOCK`; a report is one in defirisk/reports/ that defines
`REPORT`. Other packages register theirs as entry points of the groups `defirisk.adapters`,
`defirisk.shocks` and `defirisk.reports`. Nothing else needs to be edited.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, TypeVar

from defirisk.core.adapter import Adapter
from defirisk.core.errors import UsageError

if TYPE_CHECKING:  # keeps numpy out of the start-up of commands that only list protocols
    from defirisk.core.scenario import Shock

P = TypeVar("P")

KINDS = ("lending", "cdp", "perps", "amm", "oracles", "wrappers")


def _in_package(package: str, attribute: str) -> Iterator[Any]:
    try:
        root = importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        return
    for info in pkgutil.iter_modules(root.__path__):
        module = importlib.import_module(f"{package}.{info.name}")
        if hasattr(module, attribute):
            yield getattr(module, attribute)


def _from_entry_points(group: str) -> Iterator[Any]:
    for point in entry_points(group=group):
        yield point.load()


@cache
def adapters() -> dict[str, Adapter]:
    """Every protocol adapter by its name."""
    found: dict[str, Adapter] = {}
    for kind in KINDS:
        for adapter in _in_package(f"defirisk.protocols.{kind}", "ADAPTER"):
            _add(found, adapter)
    for adapter in _from_entry_points("defirisk.adapters"):
        _add(found, adapter)
    return found


@cache
def shocks() -> dict[str, Shock]:
    """Every kind of shock by the word that begins it."""
    found: dict[str, Shock] = {}
    for shock in (*_in_package("defirisk.shocks", "SHOCK"), *_from_entry_points("defirisk.shocks")):
        _add(found, shock)
    return found


@cache
def reports() -> dict[str, Any]:
    """Every report by its name."""
    found: dict[str, Any] = {}
    for report in (
        *_in_package("defirisk.reports", "REPORT"),
        *_from_entry_points("defirisk.reports"),
    ):
        _add(found, report)
    return found


def _add(found: dict[str, Any], plugin: Any) -> None:
    if plugin.name in found:
        raise UsageError(
            f"two plug-ins are called {plugin.name!r}: uninstall or rename one of them"
        )
    found[plugin.name] = plugin


def adapter(name: str) -> Adapter:
    """One adapter by name; `UsageError` names the nearest ones."""
    return choose(name, adapters(), "protocol")


def choose(name: str, among: dict[str, P], what: str) -> P:
    """The entry of this name, or a `UsageError` that offers the nearest names."""
    if name in among:
        return among[name]
    raise UsageError(f"unknown {what} {name!r}: {nearest(name, among)}")


def nearest(name: str, known: Iterable[str]) -> str:
    """'did you mean …' with the closest names, or all there are."""
    names = sorted(known)
    folded = {candidate.casefold(): candidate for candidate in names}
    close = difflib.get_close_matches(name.casefold(), folded, n=3, cutoff=0.5)
    if close:
        return "did you mean " + " or ".join(folded[match] for match in close) + "?"
    shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    return f"known are {shown}" if names else "none is known"
