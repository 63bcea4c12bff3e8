"""The debts between nodes, what they own and owe besides, and what a clearing says of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from defirisk.core.book import Floats

Bools = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Network:
    """Nodes that owe each other, in one unit of account (USD as a rule). N nodes, S scenarios.

    Everything is finite and not negative, and nobody owes itself; anything else is a ValueError
    that names the first offender. Arrays are copied and cannot be written. With external assets
    per scenario, `clear` answers for each of them.
    """

    liabilities: csr_array[np.float64]  # (N, N), what row i owes column j, nominal
    external_assets: Floats  # (N,) or (N, S)
    external_liabilities: Floats | None = None  # (N,), owed to nobody in the network; None: nothing

    def __post_init__(self) -> None:
        debts = checked_debts(self.liabilities)
        nodes = debts.shape[0]
        owed = np.zeros(nodes) if self.external_liabilities is None else self.external_liabilities
        assets = checked("external assets", self.external_assets, nodes)
        external = checked("external liabilities", owed, nodes)
        if external.ndim != 1:
            raise ValueError(f"external liabilities have shape {external.shape}, not ({nodes},)")
        object.__setattr__(self, "liabilities", debts)
        object.__setattr__(self, "external_assets", assets)
        object.__setattr__(self, "external_liabilities", external)
        with np.errstate(over="ignore"):
            sizes = (self.owed_inside + external).sum() + self.owned_inside.sum() + assets.sum(0)
        if not np.isfinite(sizes).all():
            raise ValueError("the network's debts and assets are too large to be added up")

    @property
    def nodes(self) -> int:
        """N."""
        return int(self.liabilities.shape[0])

    @property
    def owed_outside(self) -> Floats:
        """What each node owes to others than the nodes, (N,)."""
        outside = self.external_liabilities
        return np.zeros(self.nodes) if outside is None else outside

    @property
    def owed_inside(self) -> Floats:
        """What each node owes to nodes, (N,), nominal."""
        return np.asarray(self.liabilities.sum(axis=1), dtype=np.float64)

    @property
    def owned_inside(self) -> Floats:
        """What nodes owe each node, (N,), nominal."""
        return np.asarray(self.liabilities.sum(axis=0), dtype=np.float64)

    @property
    def owed(self) -> Floats:
        """Everything each node owes, (N,): Eisenberg and Noe's p-bar."""
        return self.owed_inside + self.owed_outside


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Clearing:
    """Debts and equities in agreement with each other. N nodes, S scenarios; never NaN.

    Units are the network's. A scenario that has not converged keeps its last iterate, which bounds
    the fixed point from the side where it began (above: no smaller; below: no larger).
    """

    payments: Floats  # (N, S), value of all that a node owes, to nodes and others
    recovery: Floats  # (N, S), value of 1 of its debt to nodes, 0 to 1; 1 where it owes none
    equity: Floats  # (N, S), external assets + claims at value - all owed; below 0: a shortfall
    rounds: Counts  # (S,), evaluations of the map
    converged: Bools  # (S,)
    residual: Floats  # (S,), what the last round still moved: the largest change of `recovery`
    tolerance: float  # what `residual` had to reach


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Distress:
    """Relative losses of equity after propagation. N nodes, S scenarios; never NaN."""

    h: Floats  # (N, S), lost share of equity, 0 to 1; without convergence a lower bound
    rank: Floats  # (S,), DebtRank: weighted sum of h at the end minus that at the beginning
    rounds: Counts  # (S,)
    converged: Bools  # (S,)
    residual: Floats  # (S,), the largest change of h in the last round
    tolerance: float


def checked_debts(liabilities: csr_array[np.float64]) -> csr_array[np.float64]:
    """A read-only, canonical copy of debts (N, N): sorted, duplicates added, no stored 0."""
    debts: csr_array[np.float64] = csr_array(liabilities).astype(np.float64, copy=True)
    if debts.ndim != 2 or debts.shape[0] != debts.shape[1]:
        raise ValueError(f"liabilities have shape {debts.shape}, which is not square")
    wrong = ~(np.isfinite(debts.data) & (debts.data >= 0))
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        row = int(np.searchsorted(debts.indptr, first, side="right")) - 1
        raise ValueError(
            f"liabilities[{row}, {debts.indices[first]}] is {debts.data[first]}: "
            "a debt is finite and not negative"
        )
    debts.sum_duplicates()
    debts.eliminate_zeros()
    own = np.flatnonzero(debts.diagonal())
    if own.size:
        raise ValueError(f"node {own[0]} owes itself; net that out first")
    for part in (debts.data, debts.indices, debts.indptr):
        part.setflags(write=False)
    return debts


def checked(name: str, values: Floats, nodes: int) -> Floats:
    """A read-only copy of finite, non-negative values of shape (N,) or (N, S)."""
    copy = np.array(values, dtype=np.float64, order="C")
    if copy.ndim not in (1, 2) or copy.shape[0] != nodes:
        raise ValueError(f"{name} have shape {copy.shape}, not ({nodes},) or ({nodes}, S)")
    wrong = np.argwhere(~(np.isfinite(copy) & (copy >= 0)))
    if wrong.size:
        where = tuple(int(i) for i in wrong[0])
        raise ValueError(f"{name}{list(where)} is {copy[where]}: finite and not negative, please")
    copy.setflags(write=False)
    return copy


def by_scenario(values: Floats, scenarios: int) -> Floats:
    """Values (N,) or (N, S or 1) on the scenario axis: (N, S), possibly a read-only view."""
    columns = values[:, None] if values.ndim == 1 else values
    return np.broadcast_to(columns, (len(values), scenarios))
