"""Clearing a network: what claims are worth when equities and values agree with each other."""

from __future__ import annotations

import warnings
from enum import StrEnum

import numpy as np
from scipy.sparse import csc_array, csr_array, eye_array
from scipy.sparse.linalg import MatrixRankWarning, spsolve

from defirisk.contagion.clearing.fixed_point import Leap, Limits, settle
from defirisk.contagion.clearing.network import Bools, Clearing, Network, by_scenario, checked
from defirisk.contagion.clearing.rules import Books, Terms, Valuation, books, paid, recovery
from defirisk.contagion.valuation import times
from defirisk.core.book import Floats

CASH = (Valuation.EISENBERG_NOE, Valuation.ROGERS_VERAART)  # models of payments, not of prices
SLACK = 1e-9  # how far an exact solve may land on the wrong side and still be rounding


class Start(StrEnum):
    """Where rounds begin, and so which fixed point they find."""

    ABOVE = "above"  # all debts at face value: the greatest
    BELOW = "below"  # all debts worth nothing: the least


def clear(
    network: Network,
    shock: Floats | None = None,
    *,
    valuation: Valuation = Valuation.EISENBERG_NOE,
    terms: Terms | None = None,
    start: Start = Start.ABOVE,
    limits: Limits | None = None,
) -> Clearing:
    """The network's debts at value after `shock`, a loss of external assets, (N,) or (N, S).

    Eisenberg-Noe: p_i = min(pbar_i, e_i + sum_j Pi_ji p_j) (Management Science 47(2), 2001).
    Rogers-Veraart: who cannot pay all pays alpha e_i + beta sum_j Pi_ji p_j (ibid. 59(4), 2013).
    Furfine: debts of nodes without equity are worth `recovery_rate`. Linear DebtRank: a debt loses
    the share of its debtor's equity before the shock that is lost (PLoS One 10(6), 2015), always
    each debtor's own. Equity counts claims and debts at face value there, so that an unshocked,
    solvent network loses nothing.

    Scenarios are those of the shock or of the external assets; both may have S columns. Raises
    ValueError for a shock that is negative, not finite, or larger than the assets it falls on.
    """
    terms, limits = terms or Terms(), limits or Limits()
    before, after = _external(network, shock)
    owing = csr_array(network.liabilities.T)
    face = times(owing, np.ones_like(after))
    of = books(network, before, after, face, terms)

    def step(values: Floats, which: Bools) -> Floats:
        return recovery(valuation, terms, of.taken(which), times(owing, values))

    leap = _leap(of, owing, valuation, terms) if start is Start.ABOVE else None
    first = np.full(after.shape, 1.0 if start is Start.ABOVE else 0.0)
    found = settle(step, first, limits, leap)
    claims = times(owing, found.values)
    cash = valuation in CASH
    return Clearing(
        payments=paid(valuation, terms, of, claims) if cash else found.values * of.owed,
        recovery=found.values,
        equity=after + claims - of.owed,
        rounds=found.rounds,
        converged=found.converged,
        residual=found.residual,
        tolerance=limits.tolerance,
    )


def band(
    network: Network,
    shock: Floats | None = None,
    *,
    valuation: Valuation = Valuation.ROGERS_VERAART,
    terms: Terms | None = None,
    limits: Limits | None = None,
) -> tuple[Clearing, Clearing]:
    """The least and the greatest fixed point: every other one lies between them.

    They differ where a default can be its own cause, as with default costs; a wide band means that
    who believes in whom decides. Arguments, units and errors as in `clear`.
    """
    least, greatest = (
        clear(network, shock, valuation=valuation, terms=terms, start=start, limits=limits)
        for start in (Start.BELOW, Start.ABOVE)
    )
    return least, greatest


def _external(network: Network, shock: Floats | None) -> tuple[Floats, Floats]:
    """External assets before and after the shock, both (N, S)."""
    assets = network.external_assets
    loss = checked("shock", np.zeros(network.nodes) if shock is None else shock, network.nodes)
    widths = {part.shape[1] for part in (assets, loss) if part.ndim == 2}
    if len(widths - {1}) > 1:
        raise ValueError(f"external assets and shock have {sorted(widths)} scenarios")
    scenarios = min(widths - {1}, default=1)
    before = by_scenario(assets, scenarios)
    after = before - by_scenario(loss, scenarios)
    if (after < 0).any():
        node, scenario = (int(i) for i in np.argwhere(after < 0)[0])
        raise ValueError(
            f"node {node} is to lose {before[node, scenario] - after[node, scenario]} "
            f"of external assets of {before[node, scenario]} (scenario {scenario})"
        )
    return before, after


def _leap(of: Books, owing: csr_array[np.float64], rule: Valuation, terms: Terms) -> Leap | None:
    """Fictitious defaults: with the defaults of a round held fixed, payments solve a linear system.

    From above this stays above the greatest fixed point and ends in at most N solves (Eisenberg and
    Noe, section 3.1; Rogers and Veraart's greatest clearing vector algorithm), however slowly
    rounds creep where debts go round in circles. None where nobody defaults in part.
    """
    if rule not in CASH:
        return None
    costly = rule is Valuation.ROGERS_VERAART
    alpha, beta = (terms.alpha, terms.beta) if costly else (1.0, 1.0)

    def leap(column: Floats, scenario: int) -> Floats | None:
        one = of.taken(slice(scenario, scenario + 1))
        values = recovery(rule, terms, one, times(owing, column[:, None]))[:, 0]
        partly = (values > 0) & (values < 1)
        while partly.any():
            rows, junior, held = owing[partly], one.junior[partly, 0], np.where(partly, 0.0, values)
            own = alpha * one.external[partly, 0] - one.senior[partly, 0]
            spill = rows[:, partly].multiply((beta / junior)[:, None])
            system = csc_array(eye_array(len(junior)) - spill)
            solved = _solved(system, (own + beta * times(rows, held)) / junior)
            if not np.all(solved <= column[partly] + SLACK):  # NaN too: the system is singular
                return None
            if (solved >= 0).all():
                held[partly] = np.minimum(solved, column[partly])
                return held
            # Who would pay nodes far less than nothing, as others come first, keeps what it has
            # for now: taking it as 0 could put the others below the fixed point.
            partly[np.flatnonzero(partly)[solved <= solved.min() / 2]] = False
        return None

    return leap


def _solved(system: csc_array[np.float64], right: Floats) -> Floats:
    """The solution of a sparse system, NaN where it is singular."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MatrixRankWarning)
        return np.asarray(spsolve(system, right), dtype=np.float64)
