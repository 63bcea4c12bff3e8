"""What differs between the versions of Aave v3, by the revision of the Pool's code.

The Pool and its tokens are of one generation: since v3.5 the Pool hands its tokens scaled amounts,
so that all were upgraded together. Proven against running contracts: v3.0 and v3.6. Those between
were read from the tags of github aave-dao/aave-v3-origin, and were never compared with a contract.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from defirisk.protocols.lending.aave_v3 import ratios, scaled_balance
from defirisk.protocols.lending.aave_v3.accrual import Compounding, binomial, exponential


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One set of rules, from `since_revision` (`POOL_REVISION`) up to the next one's."""

    version: str
    since_revision: int
    balances: scaled_balance.Balances
    ratios: ratios.Ratios
    compounding: Compounding
    emode_of_reserve: bool
    """A reserve is in one efficiency mode at most, which its configuration names."""
    own_parameters_first: bool
    """In an efficiency mode, too: a reserve's own LTV of 0 counts, and without a liquidation
    threshold of its own it is no collateral.
    """
    virtual_balance: bool
    """The Pool counts its cash. Else that is what the aToken holds of the asset."""
    deficits: bool
    """Bad debt is booked."""
    updates_received: bool
    """A liquidation also stores the indexes of collateral that is paid out as aTokens."""

    @property
    def role(self) -> str:
        """The role in which the addresses provider is watched from this generation's first day."""
        return f"pool_addresses_provider_v{self.version}"


V3_0 = Generation(
    version="3.0",
    since_revision=1,
    balances=scaled_balance.HALF_UP,
    ratios=ratios.HALF_UP,
    compounding=binomial,
    emode_of_reserve=True,
    own_parameters_first=True,
    virtual_balance=False,
    deficits=False,
    updates_received=False,
)
V3_1 = replace(V3_0, version="3.1", since_revision=4, virtual_balance=True)
V3_2 = replace(V3_1, version="3.2", since_revision=5, emode_of_reserve=False)
V3_3 = replace(V3_2, version="3.3", since_revision=6, deficits=True)
V3_4 = replace(V3_3, version="3.4", since_revision=8, compounding=exponential)
V3_5 = replace(
    V3_4,
    version="3.5",
    since_revision=9,
    balances=scaled_balance.DIRECTED,
    ratios=ratios.DIRECTED,
    updates_received=True,
)
V3_6 = replace(V3_5, version="3.6", since_revision=10, own_parameters_first=False)
GENERATIONS = (V3_0, V3_1, V3_2, V3_3, V3_4, V3_5, V3_6)


def generation_of(revision: int) -> Generation:
    """The generation of a `POOL_REVISION`; of one that is not known (0 or below), the last one."""
    if revision <= 0:
        return GENERATIONS[-1]
    return [one for one in GENERATIONS if one.since_revision <= revision][-1]
