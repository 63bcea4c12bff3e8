"""A change of one asset's parameters, in the integers that contracts store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

from defirisk.core.evm import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Risk parameters of one asset. `_bps` are 1/10,000, caps whole tokens with 0 for none.

    `liquidation_bonus_bps` is what a liquidator gets on top: 5 % is 500 (Aave stores 10,500).
    `pending_ltv_bps` is what a frozen reserve's LTV becomes once it is thawed; 0 for none.
    """

    ltv_bps: int
    liquidation_threshold_bps: int
    liquidation_bonus_bps: int
    supply_cap: int
    borrow_cap: int
    pending_ltv_bps: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One asset of a market, today and as proposed. `symbol` is the token's own: to be escaped."""

    asset: Address
    symbol: str
    before: Terms
    after: Terms

    def changed(self) -> Iterator[tuple[str, int, int]]:
        """(name of a term, today, proposed) of those that differ."""
        for field in fields(Terms):
            today, proposed = getattr(self.before, field.name), getattr(self.after, field.name)
            if today != proposed:
                yield field.name, today, proposed

    def is_any(self, *names: str) -> bool:
        """Whether one of these terms differs."""
        return any(name in names for name, _, _ in self.changed())
