"""Aave v3.6 with its reserves, e-modes and price feeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from eth_abi.abi import encode

from .abi import ZERO_ADDRESS, address_in, derived_address
from .chain import Chain, Tx
from .feeds import ORACLES, Feeds
from .protocol import ADMIN, TREASURY, deploy_protocol
from .reserves import (
    E_MODES,
    FLASH_LOAN_PREMIUM,
    LIQUIDATION_PROTOCOL_FEE,
    PRUDENT_E_MODES,
    RESERVES,
    EMode,
    Reserve,
)
from .tokens import Tokens

KEEPERS = tuple(derived_address(f"devnet keeper {number}") for number in range(3))
INIT_RESERVES = "initReserves((address,address,address,string,string,string,string,bytes,bytes)[])"


@dataclass(frozen=True)
class Asset:
    """Addresses around one reserve."""

    symbol: str
    decimals: int
    token: str
    a_token: str
    variable_debt_token: str
    feed: str
    aggregator: str


@dataclass(frozen=True)
class Market:
    """Everything the population and the tests need to know of the deployment."""

    first_block: int
    addresses: dict[str, str]
    assets: dict[str, Asset]
    feeds: Feeds
    tokens: Tokens
    e_modes: Sequence[EMode] = E_MODES

    @property
    def pool(self) -> str:
        """The pool, where all users go."""
        return self.addresses["pool"]

    def configure(self, signature: str, *args: Any) -> Tx:
        """A governance transaction."""
        return Tx(ADMIN, self.addresses["pool_configurator"], signature, args)

    def describe(self) -> dict[str, Any]:
        """The part of `deployment.json` that the market knows."""
        return {
            "first_block": self.first_block,
            "addresses": self.addresses,
            "assets": {symbol: asdict(asset) for symbol, asset in self.assets.items()},
            "admin": ADMIN,
            "keepers": list(KEEPERS),
            "oracles": list(ORACLES),
        }

    @classmethod
    def load(cls, chain: Chain, description: dict[str, Any]) -> Market:
        """The market on a chain that was built before."""
        assets = {symbol: Asset(**asset) for symbol, asset in description["assets"].items()}
        tokens = Tokens(chain, ADMIN, {symbol: one.token for symbol, one in assets.items()})
        feeds = Feeds(chain, ADMIN, assets["LINK"].token)
        for symbol, asset in assets.items():
            feeds.attach(symbol, asset.aggregator, asset.feed)
        return cls(description["first_block"], description["addresses"], assets, feeds, tokens)


def deploy_market(
    chain: Chain, ready: Mapping[str, str] | None = None, planted: bool = True
) -> Market:
    """Deploy the whole market; `ready` names where tokens are, or where WETH has to be."""
    chain.fund((ADMIN, *ORACLES, *KEEPERS), wei=10**27)
    tokens = Tokens.deploy(chain, ADMIN, ready or {})
    protocol = deploy_protocol(chain)
    feeds = Feeds(chain, ADMIN, tokens.by_symbol["LINK"])
    e_modes = E_MODES if planted else PRUDENT_E_MODES
    market = Market(protocol.first_block, protocol.addresses, {}, feeds, tokens, e_modes)
    implementations = (
        chain.deploy("ATokenInstance", ADMIN, market.pool, ZERO_ADDRESS, TREASURY),
        chain.deploy("VariableDebtTokenInstance", ADMIN, market.pool, ZERO_ADDRESS),
    )
    for reserve in RESERVES:
        market.assets[reserve.symbol] = _list(chain, market, reserve, implementations)
    chain.must(market.configure("updateFlashloanPremium(uint128)", FLASH_LOAN_PREMIUM))
    for mode in e_modes:
        chain.must(*_e_mode(market, mode))
    return market


def _list(
    chain: Chain, market: Market, reserve: Reserve, implementations: tuple[str, str]
) -> Asset:
    symbol, token = reserve.symbol, market.tokens.by_symbol[reserve.symbol]
    feed = market.feeds.add(symbol)
    sources = ([token], [feed.proxy])
    curve = reserve.curve
    rates = encode(
        ["uint16", "uint32", "uint32", "uint32"],
        [curve.optimal, curve.base, curve.slope1, curve.slope2],
    )
    names = (f"Aave {symbol}", f"a{symbol}", f"Aave Variable Debt {symbol}", f"vd{symbol}")
    listing = (*implementations, token, *names, b"", rates)
    chain.must(
        *market.feeds.report(symbol, reserve.price),
        Tx(ADMIN, market.addresses["oracle"], "setAssetSources(address[],address[])", sources),
        market.configure(INIT_RESERVES, [listing]),
        *_parameters(market, reserve, token),
    )
    return Asset(
        symbol=symbol,
        decimals=reserve.decimals,
        token=token,
        a_token=address_in(chain.call(market.pool, "getReserveAToken(address)", token)),
        variable_debt_token=address_in(
            chain.call(market.pool, "getReserveVariableDebtToken(address)", token)
        ),
        feed=feed.proxy,
        aggregator=feed.aggregator,
    )


def _parameters(market: Market, reserve: Reserve, token: str) -> list[Tx]:
    """Governance calls of a listing; what is off by default is not called at all."""
    calls: list[tuple[str, Any]] = [
        ("setReserveFactor(address,uint256)", reserve.factor),
        ("setLiquidationProtocolFee(address,uint256)", LIQUIDATION_PROTOCOL_FEE),
        ("setReserveFlashLoaning(address,bool)", True),
    ]
    if reserve.borrowable:
        calls.append(("setReserveBorrowing(address,bool)", True))
    if reserve.debt_ceiling:
        calls.append(("setDebtCeiling(address,uint256)", reserve.debt_ceiling))
    if reserve.borrowable_in_isolation:
        calls.append(("setBorrowableInIsolation(address,bool)", True))
    if reserve.supply_cap:
        calls.append(("setSupplyCap(address,uint256)", reserve.supply_cap))
    if reserve.borrow_cap:
        calls.append(("setBorrowCap(address,uint256)", reserve.borrow_cap))
    txs = [market.configure(signature, token, value) for signature, value in calls]
    if reserve.threshold:
        limits = (reserve.ltv, reserve.threshold, reserve.bonus)
        setter = "configureReserveAsCollateral(address,uint256,uint256,uint256)"
        txs.insert(0, market.configure(setter, token, *limits))
    return txs


def _e_mode(market: Market, mode: EMode) -> list[Tx]:
    setter = "setEModeCategory(uint8,uint16,uint16,uint16,string)"
    limits = (mode.ltv, mode.threshold, mode.bonus)
    txs = [market.configure(setter, mode.category, *limits, mode.label)]
    for role, symbols in (("Collateral", mode.collateral), ("Borrowable", mode.borrowable)):
        for symbol in symbols:
            token = market.assets[symbol].token
            setter = f"setAsset{role}InEMode(address,uint8,bool)"
            txs.append(market.configure(setter, token, mode.category, True))
    return txs
