"""One reserve of an Aave v3 market, turned to any terms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from defirisk.core.book import Edge
from defirisk.core.errors import UsageError
from defirisk.governance.aave_v3.proposal import Market
from defirisk.governance.aave_v3.rules import BPS, terms
from defirisk.governance.change import Terms
from defirisk.governance.parameters import Parameters
from defirisk.governance.tuning import Dial
from defirisk.protocols.lending.aave_v3.rows import Reserve

_PROBE = 1
"""Basis points by which terms are moved to see which parameter sets follow them."""


def dial(market: Market, asset: str) -> Dial:
    """Which sets follow the reserve's own terms is found by asking the adapter about two rows; from
    then on a point is a replacement of numbers in arrays. Errors: `UsageError` for an asset that is
    no collateral outside an e-mode.
    """
    reserve = market.reserve(asset)
    today = terms(reserve)
    if not today.liquidation_threshold_bps:
        raise UsageError(f"{asset} is no collateral of its own here: there is nothing to tune")
    if reserve.frozen:
        raise UsageError(f"{asset} is frozen: its LTV is 0 until it is thawed")
    low, high = (
        market.parameters([_row(reserve, _moved(today, step))]) for step in (-_PROBE, _PROBE)
    )
    follow = np.flatnonzero(low.liquidation_threshold != high.liquidation_threshold)
    rounding = np.maximum(np.maximum(low.resolution, high.resolution), market.book.resolution)

    def parameters(at: Terms) -> Parameters:
        if at.ltv_bps == 0:  # which older Pools take for a reserve that backs no e-mode either
            return market.parameters([_row(reserve, at)])
        made = replace(
            low,
            ltv=low.ltv.copy(),
            liquidation_threshold=low.liquidation_threshold.copy(),
            liquidation_bonus=low.liquidation_bonus.copy(),
            resolution=rounding,
        )
        made.ltv[follow] = at.ltv_bps / BPS
        made.liquidation_threshold[follow] = at.liquidation_threshold_bps / BPS
        made.liquidation_bonus[follow] = at.liquidation_bonus_bps / BPS
        return made

    def edge(at: Terms) -> Edge:
        return market.edge([_row(reserve, at)])

    return Dial(
        book=market.book,
        deployment=market.deployment,
        today=today,
        parameters=parameters,
        edge=edge,
    )


def _moved(today: Terms, step: int) -> Terms:
    return replace(today, liquidation_threshold_bps=today.liquidation_threshold_bps + step)


def _row(reserve: Reserve, at: Terms) -> Reserve:
    return replace(
        reserve,
        ltv_bps=at.ltv_bps,
        liquidation_threshold_bps=at.liquidation_threshold_bps,
        liquidation_bonus_bps=BPS + at.liquidation_bonus_bps,
    )
