"""Whether the contracts would allow a liquidation, and with which words they refuse one."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import isqrt

from defirisk.core.adapter import Snapshot
from defirisk.core.evm import Address
from defirisk.protocols.perps.perp_curie.account_value import (
    Prices,
    Worth,
    present_prices,
    worth,
)
from defirisk.protocols.perps.perp_curie.arithmetic import (
    from_settlement,
    of_ratio,
    to_settlement,
    value_at,
)
from defirisk.protocols.perps.perp_curie.perp_now import AccountNow, PerpNow, perp_now
from defirisk.protocols.perps.perp_curie.rows import OPEN

NO_RATIO = "SafeCast: value doesn't fit in 24 bits"
"""What is said of a position that is tiny beside the account's others."""
CONSTANT_QUOTES = 2
"""After the quotes of the markets, those of the quote and of the settlement token."""


class Liquidatable:
    """Whether an account is worth less than its positions demand, with marks scaled.

    The pool of a market is taken to have moved as its mark did, so that the orders of makers hold
    what they hold at that price: a plain price shock means so. `at` says marks and pools apart.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._now = perp_now(snapshot)
        self._prices = present_prices(self._now)
        self._markets = list(self._now.markets)
        self._tokens = list(self._now.collateral)

    def __call__(self, unit: str, prices: Mapping[int, Fraction]) -> bool:
        return self.at(unit, self._shocked(prices) if prices else self._prices)

    def at(self, unit: str, prices: Prices) -> bool:
        """The same at given prices; an account without a price is left alone."""
        account = self._now.accounts.get(unit)
        value = worth(account, self._now, prices) if account else None
        return value is not None and value.liquidatable

    def _shocked(self, factors: Mapping[int, Fraction]) -> Prices:
        marks, roots = dict(self._prices.marks), dict(self._prices.roots)
        collateral = dict(self._prices.collateral)
        for place, token in enumerate(self._markets):
            factor = factors.get(place, Fraction(1))
            if factor != 1 and token in marks:
                marks[token] = round(marks[token] * factor)
                roots[token] = _scaled_root(roots[token], factor)
        for place, token in enumerate(self._tokens, len(self._markets) + CONSTANT_QUOTES):
            factor = factors.get(place, Fraction(1))
            if factor != 1 and token in collateral:
                collateral[token] = round(collateral[token] * factor)
        return Prices(marks=marks, roots=roots, collateral=collateral)


def _scaled_root(root: int, factor: Fraction) -> int:
    return isqrt(root * root * factor.numerator // factor.denominator)


def capacity_raw(now: PerpNow) -> int:
    """InsuranceFund.getInsuranceFundCapacity; the fund's own tokens as they were read last."""
    fund = now.insurance_fund
    in_vault = from_settlement(fund.balance_raw) + fund.owed_realized_pnl
    return to_settlement(in_vault) + now.wallet.balance_raw


def refusal(account: AccountNow, value: Worth, now: PerpNow, base_token: Address) -> str:
    """With which words ClearingHouse.liquidate, for as much as possible, refuses a liquidator who
    can afford it; empty where it does not. Without a position in the market it is `CH_PSZ`.
    """
    if now.markets[base_token].market.status != OPEN:
        return "CH_MNO"
    opened = (token for token, held in account.held.items() if held.orders)
    if any(now.markets[token].market.status == OPEN for token in opened):
        return "CH_CLWTISO"
    if not value.liquidatable:
        return "CH_EAV"
    if base_token not in account.held or account.held[base_token].taker_size == 0:
        return "CH_PSZ"
    size = value.liquidatable_size(base_token, from_settlement(value.account_value_raw))
    if size is None:
        return NO_RATIO
    return "CH_IIC" if _is_uninsured(value, now, base_token, size) else ""


def _is_uninsured(value: Worth, now: PerpNow, base_token: Address, size: int) -> bool:
    """Whether what the account owes after it, is more than the insurance fund has."""
    before = from_settlement(value.account_value_raw)
    mark = now.markets[base_token].mark or 0
    penalty = of_ratio(abs(value_at(size, mark)), now.config.liquidation_penalty_ratio)
    after = from_settlement(to_settlement(value.account_value - penalty))
    capacity = from_settlement(capacity_raw(now))
    if before >= 0:
        # The fund gets the other half of the penalty before it is asked.
        capacity += penalty - penalty // 2
    return after < 0 and capacity < -after
