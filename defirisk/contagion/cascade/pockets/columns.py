"""Which column of a pocket holds what."""

CASH, BORROWED, SUPPLIED, RESERVES, DEFICIT = range(5)
SUPPLY_GROWTH, DEBT_GROWTH, BORROW_RATE, SUPPLY_RATE = range(5, 9)
DEBT_SHARES, SUPPLY_SHARES = 9, 10
STORED_BORROWED, STORED_SUPPLIED, STORED_SUPPLY_GROWTH, STORED_DEBT_GROWTH = range(11, 15)
STORED_SUPPLY_SHARES, ELAPSED = 15, 16
MODEL, BASE, SLOPE1, SLOPE2, KINK, RESERVE_FACTOR = range(17, 23)
FIRST_DEBT_SHARE, FIRST_SUPPLY_SHARE = 23, 24
OUTDATED = 25
WIDTH = 26
"""Columns of a pocket. Totals are base units of the asset. Growths are factors on the rates of the
book's quotes. Rates are fractions per year; in `KINKED_BLOCKS` per block and in `LINEAR` per
second, times 1e18, where these contracts cut them. `ELAPSED` is since the totals were stored.
`OUTDATED`: 1 where the rates are to be renewed before anything accrues.
"""
