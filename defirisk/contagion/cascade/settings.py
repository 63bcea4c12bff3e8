"""What the cascade assumes besides the book and the shock."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The assumptions of one run; see the specification in `contagion.cascade`.

    `round_seconds` between rounds; 0 freezes interest. `gas_usd` for one liquidation.
    `keeper_capacity_usd` is what all keepers can repay a round. `recovery` is the part of the way
    back that pools come each round. `unknown_depth`: what no indexed pool trades is sold elsewhere
    at the market price. `feed_deviation` is the fraction at which a network of reporters posts.
    """

    round_seconds: int = 12
    gas_usd: float = 5.0
    keeper_capacity_usd: float = float("inf")
    slices: int = 4
    recovery: float = 0.0
    unknown_depth: bool = True
    feed_deviation: float = 0.005
    max_rounds: int = 200


BASE = Settings()
"""Keepers who lack nothing, pools that nobody refills."""

LOW = replace(BASE, keeper_capacity_usd=1_000_000.0, unknown_depth=False)
"""Keepers with a million dollars a round, who only sell where it is known what they get."""

HIGH = replace(BASE, recovery=0.5)
"""Pools that come half of the way back each round."""

CASES = {"low": LOW, "base": BASE, "high": HIGH}
