"""What traders and arbitrageurs of every exchange have in common."""

from __future__ import annotations

import random
from collections.abc import Sequence

from .abi import derived_address
from .accounts import Account, Role
from .chain import Chain, Tx
from .purse import Plan, Purse

ARBITRAGEURS = tuple(derived_address(f"devnet arbitrageur {number}") for number in range(3))
STOCK = 30_000_000.0  # dollars of every token
PROVIDERS = {Role.ANCHOR, Role.SUPPLIER, Role.LOOPER, Role.STABLE_LOOPER, Role.DUST}
THIN_WATCHED = 0.15  # part of the steps in which somebody looks at a thin pool


def equip(chain: Chain, purse: Purse, symbols: Sequence[str], spender: str) -> Plan:
    """What the arbitrageurs of one exchange start with."""
    chain.fund(ARBITRAGEURS, wei=10**27)
    txs: list[Tx] = []
    for who in ARBITRAGEURS:
        for symbol in symbols:
            txs += purse.fund(who, symbol, purse.units(symbol, STOCK), spender)
    return txs


def provides(account: Account) -> bool:
    """Whether an account joins an exchange to provide liquidity, rather than to trade."""
    return account.role in PROVIDERS


def ticket(rng: random.Random, middle: float) -> float:
    """Dollars of a trade: most are small, and a few are not."""
    return middle * rng.lognormvariate(0.0, 1.4)


def fair(purse: Purse, sold: str, bought: str) -> float:
    """Units of `bought` that a unit of `sold` is worth at the feeds' prices."""
    return purse.dollars(sold, 1) / purse.dollars(bought, 1)
