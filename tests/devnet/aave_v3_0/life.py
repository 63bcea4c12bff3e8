"""The accounts of the v3.0 market, and what its owner does along the way."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from ..aave import Aave, settle_aave
from ..abi import ZERO_ADDRESS, view_data
from ..accounts import Account
from ..chain import Chain, Tx
from ..desk import Desk
from ..life import Call, Life, Pace
from ..market import Market
from ..protocol import ADMIN
from ..protocols import Protocols
from ..purse import Purse
from ..reserves import STABLECOINS

COLLATERAL = "configureReserveAsCollateral(address,uint256,uint256,uint256)"
FREEZE = "setReserveFreeze(address,bool)"
VIEWS = ("getReserveNormalizedIncome", "getReserveNormalizedVariableDebt", "getConfiguration")

# (part of the timeline, call of the configurator, asset, further arguments)
REFORMS: tuple[tuple[float, str, str, tuple[Any, ...]], ...] = (
    (0.14, "setSupplyCap(address,uint256)", "LINK", (3_000_000,)),
    (0.18, "setBorrowCap(address,uint256)", "LINK", (1_000_000,)),
    (0.22, COLLATERAL, "WBTC", (7000, 7500, 10650)),
    (0.28, "setReserveFactor(address,uint256)", "USDC", (1300,)),
    (0.33, FREEZE, "AAVE", (True,)),
    (0.35, COLLATERAL, "AAVE", (5500, 6700, 10750)),
    (0.44, FREEZE, "AAVE", (False,)),
    (0.55, "setReservePause(address,bool)", "LINK", (True,)),
    (0.57, "setReservePause(address,bool)", "LINK", (False,)),
    (0.60, "setAssetEModeCategory(address,uint8)", "DAI", (0,)),
    (0.62, "setLiquidationProtocolFee(address,uint256)", "WETH", (1500,)),
    (0.65, COLLATERAL, "USDT", (0, 7600, 10500)),
    (0.69, "setDebtCeiling(address,uint256)", "LINK", (2_500_000_000,)),
    (0.73, "setBorrowableInIsolation(address,bool)", "USDT", (False,)),
    (0.84, "setReserveFactor(address,uint256)", "WETH", (2000,)),
    (0.90, COLLATERAL, "DAI", (6300, 7600, 10500)),
)
E_MODE_EDIT = (0.52, "setEModeCategory(uint8,uint16,uint16,uint16,address,string)")
TREASURY_DATES = (0.31, 0.63, 0.91)


@dataclass(frozen=True)
class Governance:
    """Scheduled transactions of the admin."""

    market: Market
    steps: int

    def due(self, step: int) -> Sequence[Tx]:
        """Transactions of `step`."""
        market = self.market
        txs = [
            market.configure(signature, market.assets[symbol].token, *args)
            for date, signature, symbol, args in REFORMS
            if self._is(step, date)
        ]
        if self._is(step, E_MODE_EDIT[0]):
            limits = (STABLECOINS, 8900, 9250, 10150, ZERO_ADDRESS, "Stablecoins")
            txs.append(market.configure(E_MODE_EDIT[1], *limits))
        if any(self._is(step, date) for date in TREASURY_DATES):
            everything = [asset.token for asset in market.assets.values()]
            txs.append(Tx(ADMIN, market.pool, "mintToTreasury(address[])", (everything,)))
        return txs

    def _is(self, step: int, date: float) -> bool:
        return step == int(date * self.steps)


class AaveV30(Aave):
    """Its Pool counts no cash: that is what the aTokens hold."""

    def questions(self) -> Sequence[Call]:
        """Cash and totals in addition."""
        calls = list(super().questions())
        for asset in self.desk.market.assets.values():
            calls.append((asset.token, view_data("balanceOf(address)", asset.a_token)))
            tokens = (asset.a_token, asset.variable_debt_token)
            calls += [(token, view_data("totalSupply()")) for token in tokens]
        return calls


def settle_aave_v3_0(
    chain: Chain,
    protocols: Protocols,
    purse: Purse,
    rng: random.Random,
    accounts: list[Account],
    pace: Pace,
) -> Life:
    """The market of v3.0."""
    market = protocols.aave_v3_0
    due = Governance(market, pace.steps).due
    life = settle_aave(chain, Desk(market, purse), rng, accounts, pace, due, VIEWS)
    known = {field.name: getattr(life.customs, field.name) for field in fields(Aave)}
    return replace(life, customs=AaveV30(**known))
