"""What cascades did to a book."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from defirisk.contagion.cascade.settings import Settings
from defirisk.contagion.cascade.state import (
    ACCOUNTS,
    BAD,
    DONE,
    GAS,
    IN_POOLS,
    LIQUIDATED_COLLATERAL,
    LIQUIDATED_DEBT,
    LIQUIDATIONS,
    PENALTY,
    PROCEEDS,
    PROTOCOL_FEES,
    SEIZED,
    SOLD,
    SPENT,
    TOTALS,
    UNCOVERED,
    State,
)
from defirisk.core.book import Book, Floats, Ints
from defirisk.core.scenario import Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """One scenario's end, as in `state.State`; `path` (rounds + 1, A)."""

    rounds: int
    by_deployment: Floats
    by_asset: Floats
    totals: Floats
    conversion: Floats
    path: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class CascadeOutcome:
    """Totals by deployment (D, S) and by asset (A, S), in USD at the market prices of the round.

    `bad_debt` is `written_off` (deficits booked, losses of lenders) and `uncovered`: what units
    that were liquidatable still owe beyond their collateral at the end. `penalty` is what borrowers
    lost beyond what was repaid for them; of it `protocol_fees` went to the protocols, and `keepers`
    (S,) is what keepers kept after slippage and gas, negative where they lost. `depth_known` is the
    part of the seized value that was sold in indexed pools, NaN where nothing was seized. `ended`:
    within the rounds allowed. `paths` are market prices (rounds + 1, A) of each scenario.
    """

    scenarios: tuple[Scenario, ...]
    settings: Settings
    liquidatable_accounts: Ints  # (D, S)
    liquidated_debt_usd: Floats  # (D, S)
    liquidated_collateral_usd: Floats  # (D, S)
    written_off_usd: Floats  # (D, S)
    uncovered_usd: Floats  # (D, S)
    penalty_usd: Floats  # (D, S)
    protocol_fees_usd: Floats  # (D, S)
    asset_debt_usd: Floats  # (A, S)
    asset_collateral_usd: Floats  # (A, S)
    asset_bad_debt_usd: Floats  # (A, S)
    asset_in_pools_usd: Floats  # (A, S)
    liquidations: Ints  # (S,)
    keepers_usd: Floats  # (S,)
    gas_usd: Floats  # (S,)
    depth_known: Floats  # (S,)
    rounds: Ints  # (S,)
    ended: npt.NDArray[np.bool_]  # (S,)
    paths: tuple[Floats, ...]
    conversions: Floats  # (C, S), factors on what wrapped tokens convert to, beyond the shock's
    states: tuple[State, ...]
    """Everything as it was at the end of each scenario; empty where machine code played them."""

    @property
    def bad_debt_usd(self) -> Floats:
        """Shape (D, S)."""
        return self.written_off_usd + self.uncovered_usd


def gathered(
    book: Book,
    scenarios: Sequence[Scenario],
    settings: Settings,
    played: Sequence[Played],
    states: Sequence[State],
) -> CascadeOutcome:
    """The ends of all scenarios side by side."""

    def deployments(column: int) -> Floats:
        return _side_by_side(
            [one.by_deployment[:, column] for one in played], len(book.deployments)
        )

    def assets(column: int) -> Floats:
        return _side_by_side([one.by_asset[:, column] for one in played], len(book.assets))

    totals = _side_by_side([one.totals for one in played], TOTALS)
    with np.errstate(divide="ignore", invalid="ignore"):
        known = np.where(totals[SEIZED] > 0, totals[SOLD] / totals[SEIZED], np.nan)
    return CascadeOutcome(
        scenarios=tuple(scenarios),
        settings=settings,
        liquidatable_accounts=deployments(ACCOUNTS).astype(np.int64),
        liquidated_debt_usd=deployments(LIQUIDATED_DEBT),
        liquidated_collateral_usd=deployments(LIQUIDATED_COLLATERAL),
        written_off_usd=deployments(BAD),
        uncovered_usd=deployments(UNCOVERED),
        penalty_usd=deployments(PENALTY),
        protocol_fees_usd=deployments(PROTOCOL_FEES),
        asset_debt_usd=assets(LIQUIDATED_DEBT),
        asset_collateral_usd=assets(LIQUIDATED_COLLATERAL),
        asset_bad_debt_usd=assets(BAD) + assets(UNCOVERED),
        asset_in_pools_usd=assets(IN_POOLS),
        liquidations=totals[LIQUIDATIONS].astype(np.int64),
        keepers_usd=totals[PROCEEDS] - totals[SPENT] - totals[GAS],
        gas_usd=totals[GAS],
        depth_known=known,
        rounds=np.array([one.rounds for one in played], dtype=np.int64),
        ended=totals[DONE] > 0,
        paths=tuple(one.path for one in played),
        conversions=_side_by_side([one.conversion for one in played], 0),
        states=tuple(states),
    )


def _side_by_side(columns: Sequence[Floats], size: int) -> Floats:
    return np.stack(columns, axis=-1) if columns else np.empty((size, 0))
