"""DebtRank: relative losses of equity, passed on from debtors to creditors before any default.

h_i is the share of node i's equity that is lost. The losses of a debtor write its debts down in
the same proportion, whether or not it defaults.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from scipy.sparse import csr_array

from defirisk.contagion.clearing.fixed_point import Limits, Settled, settle
from defirisk.contagion.clearing.network import (
    Bools,
    Distress,
    Network,
    by_scenario,
    checked,
    checked_debts,
)
from defirisk.contagion.clearing.rules import relative_loss
from defirisk.contagion.valuation import times
from defirisk.core.book import Floats


class Passing(StrEnum):
    """How often a node passes its losses on."""

    EVERY_LOSS = "linear"  # Bardoscia et al., PLoS One 10(6) e0130406, 2015
    FIRST_LOSS = "one-shot"  # Battiston et al., Scientific Reports 2:541, 2012; for comparison


def book_equity(network: Network) -> Floats:
    """External assets plus claims at face value minus everything owed, (N,) or (N, S)."""
    net = network.owned_inside - network.owed
    assets = network.external_assets
    return assets + (net if assets.ndim == 1 else net[:, None])


def debt_rank(
    liabilities: csr_array[np.float64],
    equity: Floats,
    h0: Floats,
    *,
    passing: Passing = Passing.EVERY_LOSS,
    weights: Floats | None = None,
    limits: Limits | None = None,
) -> Distress:
    """Propagate initial losses `h0`, (N,) or (N, S), shares of `equity` between 0 and 1.

    `liabilities` (N, N) as in `Network`: row owes column. `equity` (N,) or (N, S), before the loss,
    in the same unit and not negative; a node without any loses all of it at its first loss.
    `weights` (N,) are shares of importance for `rank`; by default equity, which makes the rank the
    share of all equity that propagation destroys on top of h0 (0 where there is no equity).

    Linear: h(t+1) = min(1, h(t) + Lambda (h(t) - h(t-1))), Lambda_ij = A_ij / E_i(0). As h only
    grows and a node at 1 stays there, the increments add up to h = min(1, h0 + Lambda h), and this
    is iterated from h0 to its least solution. One-shot: node i passes its first loss on to j, times
    W_ij = min(1, A_ji / E_j), and is then silent. Raises ValueError for what is out of range.
    """
    limits = limits or Limits()
    debts = checked_debts(liabilities)
    start, own = _aligned(h0, equity, debts.shape[0])
    every = passing is Passing.EVERY_LOSS
    found = _linear(debts, own, start, limits) if every else _one_shot(debts, own, start)
    value = own if weights is None else checked("weights", weights, len(own))[:, None]
    total = value.sum(axis=0)
    gained = (value * (found.values - start)).sum(axis=0)
    rank = np.zeros(start.shape[1])
    if weights is None:
        np.divide(gained, total, out=rank, where=total > 0)
    else:
        rank = gained
    return Distress(
        h=found.values,
        rank=rank,
        rounds=found.rounds,
        converged=found.converged,
        residual=found.residual,
        tolerance=limits.tolerance,
    )


def _aligned(h0: Floats, equity: Floats, nodes: int) -> tuple[Floats, Floats]:
    """Initial losses and equity, both (N, S)."""
    start, own = checked("h0", h0, nodes), checked("equity", equity, nodes)
    if (start > 1).any():
        raise ValueError(f"h0 is a share of equity, at most 1, and reaches {start.max()}")
    widths = {part.shape[1] for part in (start, own) if part.ndim == 2}
    if len(widths - {1}) > 1:
        raise ValueError(f"h0 and equity have {sorted(widths)} scenarios")
    scenarios = min(widths - {1}, default=1)
    return by_scenario(start, scenarios), by_scenario(own, scenarios)


def _linear(debts: csr_array[np.float64], equity: Floats, start: Floats, limits: Limits) -> Settled:
    owing = csr_array(debts.T)

    def step(h: Floats, which: Bools) -> Floats:
        passed = relative_loss(times(owing, h), equity[:, which])
        return np.minimum(1.0, start[:, which] + passed)

    return settle(step, start, limits)


def _one_shot(debts: csr_array[np.float64], equity: Floats, start: Floats) -> Settled:
    """At most N rounds, as every node is distressed in one of them only."""
    edges = debts.tocoo()
    debtor, creditor = edges.coords
    h, rounds = np.array(start), np.zeros(start.shape[1], dtype=np.int64)
    distressed, silent = start > 0, np.zeros(start.shape, dtype=np.bool_)
    while distressed.any():
        rounds += distressed.any(axis=0)
        passing = np.where(distressed, h, 0.0)
        passed = np.zeros_like(h)
        share = relative_loss(edges.data[:, None], equity[creditor])
        np.add.at(passed, creditor, share * passing[debtor])
        silent |= distressed
        h = np.minimum(1.0, h + passed)
        distressed = (h > 0) & ~silent
    return Settled(
        values=h,
        rounds=rounds,
        converged=np.ones(len(rounds), dtype=np.bool_),
        residual=np.zeros(len(rounds)),
    )
