"""The arrays of pools, and which column holds what."""

from __future__ import annotations

from typing import NamedTuple

from defirisk.core.book import Floats, Ints


class Pools(NamedTuple):
    """What no sale changes: V pools of at most T tokens, and the rows of all their ranges."""

    facts: Ints  # (V, 4)
    numbers: Floats  # (V, 5 + T)
    ranges: Floats  # (K, 8)


# Kinds of pools.
PRODUCT, RANGES, STABLE, LEVELS = 0, 1, 2, 3

# `facts`, int64: the kind, how many tokens, and its rows of `ranges` (first, behind the last).
KIND, TOKENS, FIRST, BEHIND = 0, 1, 2, 3
FACTS = 4

# `numbers`, float64: the fee is FEE / WHOLE. LEAVES: 1 where the fee leaves a product pool. ADMIN:
# parts of WHOLE of the fee that leave a StableSwap. ANN: A times the number of coins. SCALE and on:
# what each coin's base units are multiplied with to have them in 18 decimals.
FEE, WHOLE, LEAVES, ADMIN, ANN, SCALE = 0, 1, 2, 3, 4, 5

# `ranges`, float64, of a pool of ranges, ascending: square roots of prices (base units of token 1
# per base unit of token 0) at both ends, how far these are apart, and the liquidity. A swap's step
# may end only where the contract ends one: DOWN and UP are the rows whose lower and upper ends
# these are, BELOW and ABOVE how far they are beyond this row's own.
LOWER, UPPER, WIDTH, LIQUIDITY, DOWN, UP, BELOW, ABOVE = 0, 1, 2, 3, 4, 5, 6, 7
COLUMNS = 8

# `ranges` of a table of bids, the best first: the price in base units, and what is taken of token 0
# at this price or a better one.
PRICE, UNTIL = 0, 1

# `state`, float64. A product pool: both reserves; a StableSwap: its balances. Ranges: the square
# root of the price, the row it is in, how far it is above that row's lower end (what is computed
# with: the root alone would be too coarse in a narrow range), and what liquidity is multiplied
# with. Bids: what is taken, and what amounts and prices are multiplied with.
ROOT, RANGE, OFFSET, DEPTH = 0, 1, 2, 3
TAKEN, THICKNESS, QUOTED = 0, 1, 2
STATE = 4

INTEGERS = 9007199254740992.0
"""From 2**53 on every float is an integer, and their differences are coarse."""
