"""What a set of scenarios did to a book."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from defirisk.core.book import Floats
from defirisk.core.scenario import Scenario

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Totals by deployment (D, S) and by asset (A, S); amounts in USD at shocked market prices.

    `at risk` is what the liquidatable units owe and have pledged. `bad_debt` is the part of their
    debt that their pledged collateral does not cover at market prices. `edge_units` counts the
    decisions that were made again in the contract's integers (S,).
    """

    scenarios: tuple[Scenario, ...]
    liquidatable_accounts: Counts  # (D, S)
    debt_at_risk_usd: Floats  # (D, S)
    collateral_at_risk_usd: Floats  # (D, S)
    bad_debt_usd: Floats  # (D, S)
    asset_debt_at_risk_usd: Floats  # (A, S)
    asset_collateral_at_risk_usd: Floats  # (A, S)
    edge_units: Counts  # (S,)
