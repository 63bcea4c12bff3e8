"""What must be said wherever numbers of Perps V2 are shown."""

from __future__ import annotations

from collections.abc import Iterator

from defirisk.core.adapter import Finding, Snapshot
from defirisk.protocols.perps.synthetix_perps_v2.arithmetic import divide
from defirisk.protocols.perps.synthetix_perps_v2.fold import WARNING_FLAGS
from defirisk.protocols.perps.synthetix_perps_v2.market_now import (
    MarketNow,
    system_now,
)
from defirisk.protocols.perps.synthetix_perps_v2.rows import UNIT


def findings(snapshot: Snapshot) -> Iterator[Finding]:
    """Markets without a usable price, suspended or removed; what liquidations cannot do."""
    system = system_now(snapshot)
    for now in system.markets.values():
        name = now.market.market_key or now.market.market
        for code, text in _of_market(now):
            yield Finding(code=code, text=f"{name} {text}")
    if system.other_code:
        yield Finding(
            code="other-generation",
            text=f"{len(system.other_code)} of the manager's markets are not of Perps V2 but of "
            "another generation: what they hold is left out",
        )
    factor = system.everywhere.get("priceDeviationThresholdFactor", 0)
    if factor and system.listed:
        yield Finding(
            code="circuit-breaker",
            text=f"a rate that moves by a factor of {factor / UNIT:g} between two trades stops the "
            "market until its owner steps in: larger shocks are taken to come in smaller steps",
        )
    if system.everywhere.get(WARNING_FLAGS):
        yield Finding(
            code="warning-flags",
            text="a contract of warning flags may make any rate invalid: it is not read",
        )


def _of_market(now: MarketNow) -> Iterator[tuple[str, str]]:
    held = sum(1 for position in now.positions if position.size_wad)
    if not now.market.listed:
        yield (
            "removed-market",
            f"was removed: {_positions(held)} stay in it, which nobody can close or liquidate, and "
            "which are left out",
        )
        return
    if now.funding is None:
        yield "no-parameters", "has no parameters yet: what it holds is left out"
    if now.rate.invalid or not now.rate.known:
        why = "the market takes none" if now.rate.known else "nobody knows what its feed says"
        yield (
            "no-price",
            f"has no usable price at this block, {why}: its {_positions(held)} cannot be "
            "liquidated and are left out of shocks",
        )
    if now.suspended:
        yield (
            "suspended",
            f"is suspended ({', '.join(now.suspended)}): until it resumes nobody can trade or "
            "liquidate, which shocks leave out",
        )
    yield from _blocked(now)


def _blocked(now: MarketNow) -> Iterator[tuple[str, str]]:
    """`liquidatePosition` refuses large positions, and all while the skew is large."""
    scale = now.settings.skew_scale
    if scale == 0:
        return
    most, skew = now.parameters.get("maxLiquidationDelta", 0), now.parameters.get("maxPD", 0)
    large = sum(1 for p in now.positions if p.size_wad and divide(abs(p.size_wad), scale) >= most)
    if large:
        yield (
            "large-positions",
            f"has {_positions(large)} that can be flagged, but that only endorsed keepers can "
            "liquidate since they are too large",
        )
    if divide(abs(now.market.market_skew_wad), scale) >= skew:
        yield (
            "large-skew",
            "has so much skew that only endorsed keepers can liquidate what is flagged",
        )


def _positions(count: int) -> str:
    return "1 position" if count == 1 else f"{count} positions"
