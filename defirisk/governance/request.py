"""What was asked for: `lt=79%,ltv=74%,bonus=5%,supply_cap=20000,borrow_cap=5000`, read exactly."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from defirisk.core.errors import UsageError
from defirisk.core.plugins import nearest

RATIOS = {"ltv": "ltv_bps", "lt": "liquidation_threshold_bps", "bonus": "liquidation_bonus_bps"}
CAPS = {"supply_cap": "supply_cap", "borrow_cap": "borrow_cap"}
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)")
_MODES = ("emode", "e-mode", "e_mode", "mode", "category")
_EXAMPLE = "--set lt=79%,ltv=74%"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """New values for one asset; None keeps today's. See `change.Terms` for the units."""

    asset: str
    ltv_bps: int | None = None
    liquidation_threshold_bps: int | None = None
    liquidation_bonus_bps: int | None = None
    supply_cap: int | None = None
    borrow_cap: int | None = None


def parse(asset: str, text: str) -> Wanted:
    """What `--asset ASSET --set TEXT` asks for. Errors: `UsageError` says what to type instead."""
    found: dict[str, int] = {}
    for part in text.split(","):
        name, equals, value = (word.strip() for word in part.partition("="))
        if not equals or not value:
            raise UsageError(f"--set {part.strip()!r} has no value: type for example {_EXAMPLE}")
        field = _field(name.lower())
        if field in found:
            raise UsageError(f"--set names {name} twice: keep one of them")
        found[field] = _ratio(name, value) if name.lower() in RATIOS else _cap(name, value)
    return Wanted(asset=asset, **found)


def pairs(assets: tuple[str, ...], settings: tuple[str, ...]) -> list[Wanted]:
    """The n-th --set is of the n-th --asset."""
    if not assets or len(assets) != len(settings):
        raise UsageError(
            f"{len(assets)} --asset and {len(settings)} --set: give each asset its own, such as "
            f"--asset WETH {_EXAMPLE}"
        )
    return [parse(asset, text) for asset, text in zip(assets, settings, strict=True)]


def percent(name: str, text: str) -> int:
    """Basis points of `79%`, `79` or `0.79`. Errors: `UsageError`."""
    return _ratio(name, text)


def _field(name: str) -> str:
    if name in RATIOS:
        return RATIOS[name]
    if name in CAPS:
        return CAPS[name]
    if name in _MODES:
        raise UsageError(
            "--set is for a reserve's own parameters; those of an e-mode are set by "
            "PoolConfigurator.setEModeCategory, which propose does not write"
        )
    raise UsageError(f"--set {name!r} is no parameter: {nearest(name, [*RATIOS, *CAPS])}")


def _ratio(name: str, text: str) -> int:
    plain = text.removesuffix("%").strip()
    if not _NUMBER.fullmatch(plain):
        raise UsageError(f"{name}={text} is no percentage: type for example {name}=7.5%")
    value = Decimal(plain)
    if not text.endswith("%"):
        if value == 1:
            raise UsageError(f"{name}={text} is either 1 % or 100 %: type {name}=1% or {name}=100%")
        value = value * 100 if abs(value) < 1 else value
    bps = value * 100
    if bps != int(bps):
        raise UsageError(f"{name}={text} is finer than the contract's 0.01 %: round it")
    return int(bps)


def _cap(name: str, text: str) -> int:
    plain = text.replace("_", "")
    if not re.fullmatch(r"[0-9]+", plain):
        raise UsageError(
            f"{name}={text} is no number of whole tokens: type for example {name}=20000 (0: no cap)"
        )
    return int(plain)
