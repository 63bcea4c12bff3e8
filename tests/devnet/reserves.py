"""What the market lists, in the units of the protocol's own setters."""

from __future__ import annotations

from dataclasses import dataclass, replace

ETH_CORRELATED = 1
STABLECOINS = 2


@dataclass(frozen=True)
class Curve:
    """Parameters of the interest rate strategy, in basis points."""

    optimal: int
    base: int
    slope1: int
    slope2: int


@dataclass(frozen=True)
class Reserve:
    """One listing: rates in basis points, caps in whole tokens, the debt ceiling in cents.

    A threshold of 0 means that the asset is collateral only inside an e-mode, and a debt ceiling
    of 0 that it is not isolated.
    """

    symbol: str
    decimals: int
    price: float
    ltv: int
    threshold: int
    bonus: int
    curve: Curve
    factor: int = 1500
    supply_cap: int = 0
    borrow_cap: int = 0
    borrowable: bool = True
    debt_ceiling: int = 0
    borrowable_in_isolation: bool = False


@dataclass(frozen=True)
class EMode:
    """An e-mode category."""

    category: int
    label: str
    ltv: int
    threshold: int
    bonus: int
    collateral: tuple[str, ...]
    borrowable: tuple[str, ...]


STABLE = Curve(9200, 0, 550, 6000)
MAJOR = Curve(8000, 0, 270, 8000)
EXOTIC = Curve(4500, 0, 700, 30000)

RESERVES = (
    Reserve("WETH", 18, 2300.0, 8050, 8300, 10500, MAJOR, 1500, 400_000, 300_000),
    Reserve("yWETH", 18, 2300.0, 7500, 7900, 10600, EXOTIC, 2500, 200_000, 20_000),
    Reserve("WBTC", 8, 43000.0, 7300, 7800, 10600, MAJOR, 2000, 20_000, 8_000),
    Reserve(
        *("USDC", 6, 1.0, 7500, 7800, 10450, STABLE, 1000, 900_000_000, 800_000_000),
        borrowable_in_isolation=True,
    ),
    Reserve(
        *("USDT", 6, 1.0, 0, 0, 0, STABLE, 1000, 900_000_000, 800_000_000),
        borrowable_in_isolation=True,
    ),
    Reserve(
        *("DAI", 18, 1.0, 6300, 7700, 10500, STABLE, 2500, 300_000_000, 250_000_000),
        borrowable_in_isolation=True,
    ),
    Reserve("LINK", 18, 15.0, 6600, 7100, 10700, EXOTIC, 2000, debt_ceiling=2_000_000_000),
    Reserve("AAVE", 18, 105.0, 6000, 7000, 10750, EXOTIC, 2000, 900_000, borrowable=False),
)

E_MODES = (
    EMode(ETH_CORRELATED, "ETH correlated", 9300, 9500, 10100, ("WETH", "yWETH"), ("WETH",)),
    EMode(
        *(STABLECOINS, "Stablecoins", 9000, 9300, 10150),
        *(("USDC", "USDT", "DAI"), ("USDC", "USDT", "DAI")),
    ),
)
# In these nobody comes to hold five times their own in yWETH.
PRUDENT_E_MODES = (replace(E_MODES[0], ltv=7500, threshold=7800), E_MODES[1])

LIQUIDATION_PROTOCOL_FEE = 1000
FLASH_LOAN_PREMIUM = 9
