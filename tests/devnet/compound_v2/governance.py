"""What the owner of the comptroller and the cTokens does along the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..abi import words
from ..chain import Chain, Tx
from ..protocol import ADMIN
from ..purse import DECIMALS
from .desk import Desk
from .market import BASE_RATE, KINK, MANTISSA, PERCENT, SLOPE, STEEP_SLOPE

Reform = Callable[["Governance"], Sequence[Tx]]
DEPRECATED = "USDT"  # never a collateral
DEPRECATION = (0.66, 0.69)


@dataclass(frozen=True)
class Governance:
    """Scheduled transactions of the admin."""

    chain: Chain
    desk: Desk
    steps: int

    def due(self, step: int) -> list[Tx]:
        """Transactions of `step`."""
        return [
            tx for date, reform in REFORMS if step == int(date * self.steps) for tx in reform(self)
        ]

    def deprecated(self, step: int) -> str | None:
        """The market that the comptroller takes for deprecated."""
        start, end = (int(date * self.steps) for date in DEPRECATION)
        return DEPRECATED if start <= step < end else None

    def collateral_factor(self, symbol: str, per_cent: int) -> Tx:
        """How much may be borrowed on a token."""
        factor = (self.desk.ctoken(symbol), per_cent * PERCENT)
        return self._comptroller("_setCollateralFactor(address,uint256)", *factor)

    def close_factor(self, per_cent: int) -> Tx:
        """How much of a debt a liquidator may repay."""
        return self._comptroller("_setCloseFactor(uint256)", per_cent * PERCENT)

    def incentive(self, per_cent: int) -> Tx:
        """What a liquidator gets for what it repays."""
        return self._comptroller("_setLiquidationIncentive(uint256)", per_cent * PERCENT)

    def borrow_cap(self, symbol: str, tokens: int) -> Tx:
        """The cap of a market, in whole tokens."""
        caps = ([self.desk.ctoken(symbol)], [tokens * 10 ** DECIMALS[symbol]])
        return self._comptroller("_setMarketBorrowCaps(address[],uint256[])", *caps)

    def pause_borrowing(self, symbol: str, paused: bool) -> Tx:
        """No new debt in a market."""
        return self._comptroller("_setBorrowPaused(address,bool)", self.desk.ctoken(symbol), paused)

    def pause_minting(self, symbol: str, paused: bool) -> Tx:
        """No new supply in a market."""
        return self._comptroller("_setMintPaused(address,bool)", self.desk.ctoken(symbol), paused)

    def reserve_factor(self, symbol: str, per_cent: int) -> Tx:
        """The protocol's part of the interest."""
        factor = per_cent * PERCENT
        return Tx(ADMIN, self.desk.ctoken(symbol), "_setReserveFactor(uint256)", (factor,))

    def add_reserves(self, symbol: str, dollars: float) -> Sequence[Tx]:
        """A present to a market."""
        amount = self.desk.purse.units(symbol, dollars)
        present = Tx(ADMIN, self.desk.ctoken(symbol), "_addReserves(uint256)", (amount,))
        return [*self.desk.fund(ADMIN, symbol, amount), present]

    def reduce_reserves(self, symbol: str) -> Tx:
        """A third of a market's reserves goes to the owner."""
        ctoken = self.desk.ctoken(symbol)
        amount = words(self.chain.call(ctoken, "totalReserves()"))[0] // 3
        return Tx(ADMIN, ctoken, "_reduceReserves(uint256)", (amount,))

    def rates(self, symbol: str) -> Tx:
        """Another curve, in the model that the market shares with others."""
        model = self.chain.call(self.desk.ctoken(symbol), "interestRateModel()")
        signature = "updateJumpRateModel(uint256,uint256,uint256,uint256)"
        curve = (2 * BASE_RATE, SLOPE * 3 // 4, STEEP_SLOPE, KINK * 9 // 8)
        return Tx(ADMIN, "0x" + model[-40:], signature, curve)

    def _comptroller(self, signature: str, *args: object) -> Tx:
        return Tx(ADMIN, self.desk.compound.comptroller, signature, args)


# (part of the timeline, what is done)
REFORMS: tuple[tuple[float, Reform], ...] = (
    (0.15, lambda its: [its.collateral_factor("WBTC", 72)]),
    (0.20, lambda its: [its.reserve_factor("USDC", 12)]),
    (0.25, lambda its: its.add_reserves("USDC", 25_000.0)),
    (0.30, lambda its: [its.close_factor(60)]),
    (0.35, lambda its: [its.borrow_cap("WETH", 30_000), its.borrow_cap("WBTC", 0)]),
    (0.41, lambda its: [its.incentive(110)]),
    (0.45, lambda its: [its.rates("WETH")]),
    (0.50, lambda its: [its.pause_borrowing("DAI", True), its.pause_minting("USDT", True)]),
    (0.53, lambda its: [its.pause_borrowing("DAI", False), its.pause_minting("USDT", False)]),
    (0.60, lambda its: [its.reduce_reserves("USDC"), its.reduce_reserves("DAI")]),
    # A market without collateral factor, without new debt and whose interest all goes to the
    # protocol is deprecated: its debts can be liquidated whole, also those of sound accounts.
    (
        DEPRECATION[0],
        lambda its: [
            its.pause_borrowing(DEPRECATED, True),
            its.reserve_factor(DEPRECATED, MANTISSA // PERCENT),
        ],
    ),
    (
        DEPRECATION[1],
        lambda its: [
            its.pause_borrowing(DEPRECATED, False),
            its.reserve_factor(DEPRECATED, 8),
        ],
    ),
    (0.81, lambda its: [its.incentive(108), its.close_factor(50)]),
    (0.87, lambda its: [its.collateral_factor("WBTC", 68)]),
    (0.90, lambda its: its.add_reserves("WETH", 40_000.0)),
    (0.93, lambda its: [its.reduce_reserves("WETH"), its.collateral_factor("DAI", 76)]),
)
