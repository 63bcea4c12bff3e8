"""The book: everything that shocks, measures and reports compute on, in float64 arrays.

Axes in array docstrings: N units, O owners, H holdings, Q quotes, A assets, P parameter sets,
M markets, S scenarios; the scenario axis is last and contiguous.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Generic, NamedTuple, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from defirisk.core.adapter import Finding
from defirisk.core.debt_position import DebtSystem
from defirisk.core.evm import Address, Block
from defirisk.core.heartbeat import Heartbeats
from defirisk.core.liquidation import Liquidation
from defirisk.core.margin import Perps
from defirisk.core.quote import Program
from defirisk.core.sources import Sources
from defirisk.core.verdict import Checked

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """A token on the asset axis. `follows` is the index of the asset it wraps or is pegged to.

    `program` is the market price of what is a claim on other assets, over theirs. `virtual` assets
    are entries in a protocol's books: no pool buys them for anything else. A `unit` is such an
    entry that counts at a fixed price: nothing can move it.
    """

    address: Address
    symbol: str
    follows: int | None = None
    program: Program | None = None
    virtual: bool = False
    unit: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketFacts:
    """One market in whole tokens, units of account and fractions; NaN where unknown."""

    deployment: int
    market: str
    asset: int
    supplied: float
    borrowed: float
    cash: float
    deficit: float
    price_usd: float
    supply_cap: int
    borrow_cap: int
    supply_apr: float
    borrow_apr: float
    ltv: float
    liquidation_threshold: float
    liquidation_bonus: float
    reserve_factor: float
    price_source: Address
    price_updated_ts: int | None
    price_grade: str
    flags: tuple[str, ...]
    price_made_of: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True)
class Stated(Generic[T]):
    """What an adapter said, once it was asked."""

    value: T

    def __call__(self) -> T:
        """The value."""
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentFacts:
    """One deployment of the book and how its numbers were proven."""

    name: str
    protocol: str
    proof: str
    findings: tuple[Finding, ...]
    checked: Checked | None = None
    """The last comparison with the contracts up to the book's block."""
    debt_of: Callable[[], DebtSystem] | None = field(default=None, compare=False, repr=False)
    perps_of: Callable[[], Perps] | None = field(default=None, compare=False, repr=False)
    """What the adapter states of its collateralised debt or its perpetuals, if it has any: asked
    when somebody wants to know.
    """

    @property
    def debt(self) -> DebtSystem | None:
        """Its collateralised debt; None where it has no such thing."""
        return None if self.debt_of is None else self.debt_of()

    @property
    def perps(self) -> Perps | None:
        """Its perpetuals; None where it has none."""
        return None if self.perps_of is None else self.perps_of()


class Requirements(NamedTuple):
    """Margins that units must keep beyond their debts, by unit ascending: R rows.

    Each is `ratio` times the value of `amount` whole units of a quote less `offset`, not below
    `low` and not above `high` USD (-inf and inf: no limit). See `core.requirement.Requirement`.
    """

    unit: Ints = np.empty(0, dtype=np.int64)  # (R,)
    quote: Ints = np.empty(0, dtype=np.int64)  # (R,)
    amount: Floats = np.empty(0)  # (R,)
    ratio: Floats = np.empty(0)  # (R,)
    initial_ratio: Floats = np.empty(0)  # (R,)
    low: Floats = np.empty(0)  # (R,)
    high: Floats = np.empty(0)  # (R,)
    offset: Floats = np.empty(0)  # (R,)


class Recovery(NamedTuple):
    """A system whose units answer for its own collateral ratio: `core.requirement.RecoveryMode`.

    Amounts are whole units of the quotes `collateral` and `debt`; `absorbed` is inf where it does
    not matter. The minimum ratio is the threshold that the units' holdings have.
    """

    units: Ints  # ascending
    collateral: int
    debt: int
    collateral_amount: float
    debt_amount: float
    critical_ratio: float
    absorbed: float


class Edge(Protocol):
    """Decides a unit near the edge by the contract's own integers."""

    def liquidatable(self, unit: int, prices: Mapping[int, Fraction]) -> bool:
        """Whether unit number `unit` can be liquidated with the oracle prices of quotes scaled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """Positions of any number of deployments of one chain at one block.

    Amounts of holdings are in whole units of their quote (before its rates); `quote_price` is the
    quote's value in USD (N.B. the program's), `quote_rate` the product of its rates, so
    `quote_price / quote_rate` is the oracle's price of a whole token. `asset_price` is the market
    price in USD. NaN in any price means unknown: units that depend on it are in `unpriced`.
    Owners are accounts: one may have several units, of several deployments. A book that states none
    has one for every unit.
    """

    chain_id: int
    block: Block
    deployments: tuple[DeploymentFacts, ...]
    assets: tuple[Asset, ...]
    markets: tuple[MarketFacts, ...]
    units: tuple[str, ...]
    unit_deployment: Ints  # (N,)
    unpriced: npt.NDArray[np.bool_]  # (N,)
    asset_price: Floats  # (A,)
    quote_asset: Ints  # (Q,)
    quote_deployment: Ints  # (Q,)
    quote_market: tuple[str, ...]  # (Q,)
    quote_program: tuple[Program, ...]  # (Q,)
    quote_price: Floats  # (Q,)
    quote_rate: Floats  # (Q,)
    quote_grain: Floats  # (Q,), one base unit of the asset as an amount of the quote
    ltv: Floats  # (P,)
    liquidation_threshold: Floats  # (P,)
    liquidation_bonus: Floats  # (P,)
    holding_unit: Ints  # (H,), ascending
    holding_quote: Ints  # (H,)
    holding_side: npt.NDArray[np.int8]  # (H,), of core.holdings.Side
    holding_amount: Floats  # (H,)
    holding_parameters: Ints  # (H,)
    resolution: Floats  # (N,)
    edge: Edge
    sources: Sources = field(default_factory=Sources)
    """The pools, wrapped tokens and feeds of the chain, exact: for what is said of one of them."""
    heartbeats: Heartbeats = field(default_factory=Heartbeats)
    owners: tuple[str, ...] = ()  # (O,)
    unit_owner: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))  # (N,)
    liquidation: Liquidation = field(default_factory=Liquidation)
    """How every unit is liquidated, on the book's own axes; empty where nobody said."""
    requirements: Requirements = field(default_factory=Requirements)
    recovery: tuple[Recovery, ...] = ()

    def __post_init__(self) -> None:
        if not self.owners:
            object.__setattr__(self, "owners", self.units)
            object.__setattr__(self, "unit_owner", np.arange(len(self.units)))

    def symbol(self, asset: int) -> str:
        """The asset's own symbol: to be escaped where it is shown."""
        return self.assets[asset].symbol
