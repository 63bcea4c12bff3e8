"""The cascade: liquidations that move prices that cause liquidations, round by round.

This is the specification. It is written so that a keeper who knows only the contracts and this text
does the same by transactions; `tests/onchain/test_cascade_executed.py` is that keeper.

**Start.** The scenario's moves are applied at the book's block. Arbitrageurs trade every pool of
two priced tokens until its marginal price has moved by the quotient of what the market prices of
its two tokens moved by; depth shocks then shrink the pools. Everything that was accrued is accrued.

**Round** r = 0, 1, 2, … happens `round_seconds` after the one before (the first, as long after the
book's block) and one block later; a halt of the keepers comes before the first, with its blocks. In
a round everybody decides on what was so when it began.

1. *Clock.* Every market accrues interest by its own model, from its last interaction on. Markets
   that decide on what is stored (Compound v2) are accrued by keepers. `round_seconds = 0` freezes
   it.
2. *Screen.* A unit is liquidatable where its collateral times liquidation threshold is worth less
   than its debt, at the oracles' prices of this moment. No unit with an unknown price is.
3. *Settle.* Each liquidatable unit is taken once, in index order. The keeper repays the debt of
   most value at oracle prices and takes the collateral of most value (of equal ones, the first
   holding); as much as the protocol's rule allows, or as that collateral is worth with its bonus.
   Where the protocol refuses to leave so little, he repays less: so much that debt and collateral
   are both left worth what it asks for. A liquidation that the protocol still refuses, or whose
   collateral the market cannot pay out in cash, does not happen. He acts where what he would
   receive for the seized collateral alone, at the pools as they are when the round begins, by the
   best route, is at least what he repays plus the gas (`gas_usd`, at the market price of the debt
   asset): it is the same question for everybody, so keepers may together sell more than the pools
   bear. In index order, at most `keeper_capacity_usd` is repaid a round; who does not fit waits.
   Bad debt is booked as the protocol books it.
4. *Sell.* What was seized is sold for what was repaid, pair by pair in the order of the assets
   (collateral first, debt second), in `slices` equal parts (the last takes what the division
   leaves), each by the route that then pays most: at most two pools in a row, of equal ones the
   first. Nothing is sold where collateral and debt are one asset. What no indexed pool trades is
   sold elsewhere at the market price without moving it (`unknown_depth`), or not at all: then
   nobody liquidates it. `depth_known` is the part of the seized value that was sold in indexed
   pools.
5. *Prices.* Market prices hang on each other in the widest tree: from the dollar that pools trade
   most, each asset through the pool that pays most for a fall by 2 %. An asset's price has moved by
   the product of the moves of these pools since the start. Claims follow what they are claims on.
6. *Oracles.* Each by its own rule: what reads a pool reads it; a mean over a window counts each
   round for its seconds; a reporting network posts its answer at the start times what its asset's
   market price has moved by since, in its own decimals and rounded down, once it is off by
   `feed_deviation` or more; a cap rises with the clock; a share of a pair gains the fees; a vault's
   share is worth what its markets left it. A price that the scenario holds apart from its market
   stays where it is.
7. *Recovery.* Pools come back by `recovery` of the way to where they were at the start.

It ends with the first round in which nobody was liquidated and no oracle moved, or after
`max_rounds`, which the outcome then says.

Axes: N units, H holdings, Q quotes, A assets, V venues, K pockets, S scenarios. Amounts inside are
base units as floats; integers below 2**53 are exact, and where a contract cuts to whole base units,
so does this.
"""
