"""What is assumed about attackers, blocks and lenders of capital: nothing of it is on the chain."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """Every number that the verdicts depend on besides the book.

    `flash_loan_fee` is a fraction of what is lent for one transaction (5 basis points is the
    default of Aave v3; some lend for nothing). `slippage` is what an attacker pays above the market
    price for the collateral that is given up. `capital_usd` is the most that can be brought
    together, own or lent. `controlled_blocks` is the number of consecutive blocks of which the
    attacker decides the order: a price that is pushed in the first of them stays until the last,
    and nobody trades in between. With `slot_share` of all slots, that many in a row begin at a
    given slot with a chance of slot_share ** controlled_blocks, and proposers know it an epoch
    ahead. `block_seconds` is the time between blocks. `largest_move` of a pool's price ends the
    search for the best one. A price that is read as it is needs one transaction only.
    """

    flash_loan_fee: Fraction = Fraction(5, 10_000)
    slippage: Fraction = Fraction(0)
    capital_usd: float = 1e8
    controlled_blocks: int = 2
    slot_share: Fraction = Fraction(1, 20)
    block_seconds: int = 12
    gas_usd: float = 20.0
    largest_move: float = 1e9

    @property
    def controlled_seconds(self) -> int:
        """For how long a price stays where the attacker put it; 0 with a single block."""
        return (self.controlled_blocks - 1) * self.block_seconds

    @property
    def chance(self) -> Fraction:
        """That the blocks from a given one on are all the attacker's."""
        return self.slot_share**self.controlled_blocks
