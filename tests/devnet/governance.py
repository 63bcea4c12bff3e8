"""What the market's owner does along the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from eth_abi.abi import encode

from .abi import words
from .chain import Chain, Tx
from .desk import Desk
from .market import Market
from .protocol import ADMIN
from .reserves import ETH_CORRELATED, STABLECOINS

COLLATERAL = "configureReserveAsCollateral(address,uint256,uint256,uint256)"
FREEZE = "setReserveFreeze(address,bool)"
LTV_ZERO_IN_E_MODE = "setAssetLtvzeroInEMode(address,uint8,bool)"
LTV_ZERO = "setReserveLtvzero(address,bool)"
PAUSE = "setReservePause(address,bool,uint40)"
NEW_WETH_CURVE = encode(["uint16", "uint32", "uint32", "uint32"], [9000, 0, 290, 8000])

# (part of the timeline, call of the configurator, asset, further arguments)
REFORMS: tuple[tuple[float, str, str, tuple[Any, ...]], ...] = (
    (0.12, "setSupplyCap(address,uint256)", "LINK", (3_000_000,)),
    (0.15, "setBorrowCap(address,uint256)", "LINK", (1_000_000,)),
    (0.20, COLLATERAL, "WBTC", (7000, 7600, 10600)),
    (0.25, "setReserveFactor(address,uint256)", "USDC", (1200,)),
    (0.30, FREEZE, "AAVE", (True,)),
    (0.34, COLLATERAL, "AAVE", (5500, 6800, 10750)),  # kept pending while frozen
    (0.42, FREEZE, "AAVE", (False,)),
    # Thawing restores no loan-to-value, neither the reserve's nor that of its e-modes.
    (0.43, LTV_ZERO, "AAVE", (False,)),
    (0.46, LTV_ZERO_IN_E_MODE, "USDT", (STABLECOINS, True)),
    (0.52, "setReserveInterestRateData(address,bytes)", "WETH", (NEW_WETH_CURVE,)),
    (0.54, PAUSE, "LINK", (True, 0)),
    (0.56, LTV_ZERO_IN_E_MODE, "USDT", (STABLECOINS, False)),
    (0.57, PAUSE, "LINK", (False, 3600)),
    (0.58, "setAssetCollateralInEMode(address,uint8,bool)", "DAI", (STABLECOINS, False)),
    (0.61, "setLiquidationProtocolFee(address,uint256)", "WETH", (1500,)),
    (0.68, "setDebtCeiling(address,uint256)", "LINK", (2_500_000_000,)),
    (0.70, LTV_ZERO, "WBTC", (True,)),
    (0.72, "setBorrowableInIsolation(address,bool)", "USDT", (False,)),
    (0.80, LTV_ZERO, "WBTC", (False,)),
    (0.86, "setSupplyCap(address,uint256)", "WBTC", (25_000,)),
    (0.92, FREEZE, "yWETH", (True,)),
    (0.94, FREEZE, "yWETH", (False,)),
    (0.95, LTV_ZERO, "yWETH", (False,)),
    (0.95, LTV_ZERO_IN_E_MODE, "yWETH", (ETH_CORRELATED, False)),
)
E_MODE_EDIT = (0.50, "setEModeCategory(uint8,uint16,uint16,uint16,string)")
TIGHTER = 50  # basis points
TREASURY_DATES = (0.3, 0.6, 0.9)
FLASH_LOAN_DATES = (0.1, 0.36, 0.71)
COVER_DATE = 0.88
FLASH_LOAN = "flashLoanSimple(address,address,uint256,bytes,uint16)"


@dataclass(frozen=True)
class Governance:
    """Scheduled transactions of the admin."""

    chain: Chain
    desk: Desk
    steps: int
    flash_borrower: str

    @classmethod
    def start(cls, chain: Chain, desk: Desk, steps: int) -> Governance:
        """Deploy the flash borrower and let the admin cover deficits."""
        market = desk.market
        provider = market.addresses["pool_addresses_provider"]
        borrower = chain.deploy("MockSimpleFlashLoanReceiverWithoutMint", ADMIN, provider)
        premiums = market.tokens.grant("USDC", borrower, desk.units("USDC", 100_000))
        role = (b"UMBRELLA".ljust(32, b"\0"), ADMIN)
        chain.must(*premiums, Tx(ADMIN, provider, "setAddress(bytes32,address)", role))
        return cls(chain, desk, steps, borrower)

    def due(self, step: int) -> list[Tx]:
        """Transactions of `step`."""
        market = self.desk.market
        txs = [
            market.configure(signature, market.assets[symbol].token, *args)
            for date, signature, symbol, args in REFORMS
            if self._is(step, date)
        ]
        if self._is(step, E_MODE_EDIT[0]):
            mode = next(one for one in market.e_modes if one.category == ETH_CORRELATED)
            limits = (mode.ltv - TIGHTER, mode.threshold - TIGHTER, mode.bonus, mode.label)
            txs.append(market.configure(E_MODE_EDIT[1], mode.category, *limits))
        if any(self._is(step, date) for date in TREASURY_DATES):
            everything = [asset.token for asset in market.assets.values()]
            txs.append(Tx(ADMIN, market.pool, "mintToTreasury(address[])", (everything,)))
        if any(self._is(step, date) for date in FLASH_LOAN_DATES):
            loan = (self.flash_borrower, market.assets["USDC"].token, 10**9, b"", 0)
            txs.append(Tx(ADMIN, market.pool, FLASH_LOAN, loan))
        if self._is(step, COVER_DATE):
            txs += self._cover(market)
        return txs

    def _cover(self, market: Market) -> list[Tx]:
        """Pay a part of every deficit there is."""
        txs: list[Tx] = []
        for symbol, asset in market.assets.items():
            answer = self.chain.call(market.pool, "getReserveDeficit(address)", asset.token)
            amount = words(answer)[0] // 3
            if amount:
                txs += self.desk.fund(ADMIN, symbol, 2 * amount)
                txs.append(self.desk.supply(ADMIN, symbol, 2 * amount))
                cover = "eliminateReserveDeficit(address,uint256)"
                txs.append(Tx(ADMIN, market.pool, cover, (asset.token, amount)))
        return txs

    def _is(self, step: int, date: float) -> bool:
        return step == int(date * self.steps)
