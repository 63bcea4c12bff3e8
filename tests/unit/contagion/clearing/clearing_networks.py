"""Networks to clear, drawn or published, and the slow ways of clearing them."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse import csr_array, diags_array

from defirisk.contagion.clearing.network import Network
from defirisk.core.book import Floats


def network(debts: object, assets: object, outside: object = None) -> Network:
    """A network from dense numbers."""
    matrix = np.asarray(debts, dtype=np.float64)
    return Network(
        liabilities=csr_array(matrix),
        external_assets=np.asarray(assets, dtype=np.float64),
        external_liabilities=None if outside is None else np.asarray(outside, dtype=np.float64),
    )


def chain() -> Network:
    """NEVA's data/shock_chain.json: A has lent 0.5 to B, and B to C."""
    return network([[0, 0, 0], [0.5, 0, 0], [0, 0.5, 0]], [10, 5, 3], [9, 4, 2])


def cycle() -> Network:
    """NEVA's data/shock_cycle.json: A has lent 0.5 to B, B to C, C to A; each has equity 1."""
    return network([[0, 0, 0.5], [0.5, 0, 0], [0, 0.5, 0]], [10, 5, 3], [9, 4, 2])


def tree() -> Network:
    """NEVA's data/shock_tree.json: A has lent 0.5 to B and to C."""
    return network([[0, 0, 0], [0.5, 0, 0], [0.5, 0, 0]], [10, 5, 3], [9, 4, 2])


def ring(nodes: int, debt: float) -> csr_array[np.float64]:
    """Node i owes node i + 1, the last one the first."""
    first = np.arange(nodes)
    return csr_array((np.full(nodes, debt), (first, (first + 1) % nodes)), shape=(nodes, nodes))


def drawn(seed: int) -> Network:
    """One of many networks: dense, sparse, rings, isolated nodes, no cash, no other creditors."""
    random = np.random.default_rng([seed, 2001])
    nodes = int(random.integers(2, 40))
    density = random.choice([0.05, 0.2, 0.6])
    debts = random.exponential(10.0, (nodes, nodes)) * (random.random((nodes, nodes)) < density)
    kind = seed % 5
    if kind == 1:
        debts = debts * 0.1 + ring(nodes, 20.0).toarray()
    if kind == 2:
        alone = random.random(nodes) < 0.4
        debts[alone], debts[:, alone] = 0.0, 0.0
    np.fill_diagonal(debts, 0.0)
    assets = random.exponential(8.0, nodes) * (random.random(nodes) < 0.7)
    if kind == 3:
        assets[:] = 0.0
    if kind == 4:
        assets[1:] = 0.0
    outside = random.exponential(5.0, nodes) * (random.random(nodes) < random.choice([0.0, 0.5]))
    return network(debts, assets, outside)


def shares(net: Network) -> csr_array[np.float64]:
    """Eisenberg and Noe's Pi (N, N): what of row i's payments goes to column j."""
    owed = net.owed
    return csr_array(
        diags_array(np.where(owed > 0, 1 / np.where(owed > 0, owed, 1), 0)) @ net.liabilities
    )


def by_linear_program(net: Network) -> Floats:
    """Eisenberg-Noe payments (N,): the largest feasible total (their lemma 4)."""
    solved = linprog(
        -np.ones(net.nodes),
        A_ub=np.eye(net.nodes) - shares(net).toarray().T,
        b_ub=net.external_assets,
        bounds=[(0.0, float(most)) for most in net.owed],
        method="highs",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    assert solved.status == 0, solved.message
    return np.asarray(solved.x, dtype=np.float64)


def by_fictitious_defaults(net: Network) -> Floats:
    """Eisenberg-Noe payments (N,) by their section 3.1, dense, one default set after the other."""
    owed, cash, flow = net.owed, net.external_assets, shares(net).toarray().T
    failed = np.zeros(net.nodes, dtype=np.bool_)
    while True:
        paid = owed.copy()
        inside = flow[np.ix_(failed, failed)]
        known = cash[failed] + flow[np.ix_(failed, ~failed)] @ owed[~failed]
        paid[failed] = np.linalg.solve(np.eye(int(failed.sum())) - inside, known)
        now = failed | (cash + flow @ paid < owed - 1e-12 * np.maximum(owed, 1))
        if (now == failed).all():
            return paid
        failed = now


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Small networks of amounts that are 0 or between 1e-6 and 1e6."""
    nodes = draw(st.integers(1, 6))
    amount = st.one_of(st.just(0.0), st.floats(1e-6, 1e6))

    def amounts(count: int) -> Floats:
        return np.array(draw(st.lists(amount, min_size=count, max_size=count)), dtype=np.float64)

    debts = amounts(nodes * nodes).reshape(nodes, nodes)
    np.fill_diagonal(debts, 0.0)
    return network(debts, amounts(nodes), amounts(nodes))
