"""What is lost where a protocol, a market, a vault or an asset fails, and by whom.

Static: nobody trades, everything is settled at once. Each round, until nothing moves:

1. Claims are worth what their markets leave of them: an aToken or cToken R_m, a vault's share
   1 - sum_j a_j (1 - R_j), where a_j is the part of its assets that it lent to market j.
2. Assets are worth their market prices with these claims: vaults of vaults by their own programs.
3. A unit pays its debts as far as its collateral is worth them, at market prices and not the
   oracle's: what an oracle calls healthy may be lost already. Deposits that back a debt are worth
   R of their market. What a unit cannot pay falls on its debts pro rata.
4. A market pays R_m = 1 - (uncovered + deficit) / deposits, times the recovery of the scenario.
   What a protocol has set aside is not drawn on.

From R = 1 downwards this finds the greatest fixed point, the smallest loss, also where a vault
lends against its own shares.

A run: before the loss is known, depositors of every vault want a part phi of its assets back, at
the price of before. They are paid from what is idle, then market by market in the vault's own order
as far as there is cash; vaults share a market's cash pro rata. Who stays bears all of the loss:
a_j(phi) = left in j / (assets - paid), a multiplier of assets / (assets - paid).
Source: our own definition; payments of claims are those of Eisenberg and Noe (Management Science
47(2), 2001), with seniority by time.
"""
