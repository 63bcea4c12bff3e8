"""Who pays whom when not everybody can: clearing and DebtRank, over many scenarios at once.

`network.Network` is the debts, `clear.clear` values them (Eisenberg-Noe, Rogers-Veraart, Furfine,
linear DebtRank), `clear.band` gives both ends where default costs leave several answers, and
`debt_rank.debt_rank` propagates relative losses of equity. Axes: N nodes, S scenarios (last).
"""
