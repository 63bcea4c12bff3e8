"""Aave v3.0 (@aave/core-v3 1.19.3) with its reserves and e-modes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..abi import ZERO_ADDRESS, address_in
from ..chain import Chain, Tx
from ..feeds import Feeds
from ..market import Asset, Market
from ..protocol import ADMIN, BASE_CURRENCY_UNIT, TREASURY
from ..reserves import (
    E_MODES,
    FLASH_LOAN_PREMIUM,
    LIQUIDATION_PROTOCOL_FEE,
    PRUDENT_E_MODES,
    RESERVES,
    EMode,
    Reserve,
)
from ..tokens import Tokens

ARTIFACTS = "v3.0:"
LIBRARIES = (
    *("SupplyLogic", "BorrowLogic", "LiquidationLogic", "EModeLogic", "BridgeLogic"),
    *("ConfiguratorLogic", "PoolLogic", "FlashLoanLogic"),  # the last links BorrowLogic
)
BPS = 10**23  # a basis point in rays
STABLE_RATES = (500 * BPS, 6000 * BPS, 100 * BPS, 800 * BPS, 2000 * BPS)  # nobody borrows at them
INIT_RESERVES = (
    "initReserves((address,address,address,uint8,address,address,address,address,"
    "string,string,string,string,string,string,bytes)[])"
)
# Here nothing is collateral in an e-mode alone, so USDT needs parameters of its own.
LISTED = tuple(
    replace(reserve, ltv=7400, threshold=7600, bonus=10500) if reserve.symbol == "USDT" else reserve
    for reserve in RESERVES
)


def deploy_aave_v3_0(chain: Chain, tokens: Tokens, feeds: Feeds, planted: bool = True) -> Market:
    """Deploy the whole market, which `ADMIN` governs in every role; no stable rates anywhere."""
    # Here an e-mode may not be stricter than its assets are outside it.
    e_modes = E_MODES if planted else PRUDENT_E_MODES[1:]
    for name in LIBRARIES:
        chain.libraries[ARTIFACTS + name] = _deploy(chain, name)
    provider = _deploy(chain, "PoolAddressesProvider", "Devnet Market v3.0", ADMIN)
    first_block = chain.head
    addresses = _singletons(chain, provider)
    market = Market(first_block, addresses, {}, feeds, tokens, e_modes)
    implementations = tuple(
        _deploy(chain, name, market.pool)
        for name in ("AToken", "StableDebtToken", "VariableDebtToken")
    )
    for reserve in LISTED:
        market.assets[reserve.symbol] = _list(chain, market, reserve, implementations)
    chain.must(market.configure("updateFlashloanPremiumTotal(uint128)", FLASH_LOAN_PREMIUM))
    for mode in e_modes:
        chain.must(*_e_mode(market, mode))
    return market


def _singletons(chain: Chain, provider: str) -> dict[str, str]:
    chain.must(_set(provider, "setACLAdmin", ADMIN))
    manager = _deploy(chain, "ACLManager", provider)
    chain.must(
        _set(provider, "setACLManager", manager),
        _set(manager, "addPoolAdmin", ADMIN),
        _set(manager, "addRiskAdmin", ADMIN),
        _set(manager, "addEmergencyAdmin", ADMIN),
    )
    sources: tuple[list[str], list[str]] = ([], [])
    base = (ZERO_ADDRESS, ZERO_ADDRESS, BASE_CURRENCY_UNIT)
    oracle = _deploy(chain, "AaveOracle", provider, *sources, *base)
    data_provider = _deploy(chain, "AaveProtocolDataProvider", provider)
    chain.must(
        _set(provider, "setPriceOracle", oracle),
        _set(provider, "setPoolImpl", _deploy(chain, "Pool", provider)),
        _set(provider, "setPoolConfiguratorImpl", _deploy(chain, "PoolConfigurator")),
        _set(provider, "setPoolDataProvider", data_provider),
    )
    return {
        "pool": address_in(chain.call(provider, "getPool()")),
        "pool_configurator": address_in(chain.call(provider, "getPoolConfigurator()")),
        "pool_addresses_provider": provider,
        "oracle": oracle,
        "acl_manager": manager,
        "data_provider": data_provider,
        "treasury": TREASURY,
    }


def _list(
    chain: Chain, market: Market, reserve: Reserve, implementations: tuple[str, ...]
) -> Asset:
    symbol, token = reserve.symbol, market.tokens.by_symbol[reserve.symbol]
    feed, curve = market.feeds.by_symbol[symbol], reserve.curve
    provider = market.addresses["pool_addresses_provider"]
    bps = (curve.optimal, curve.base, curve.slope1, curve.slope2)
    rates = (*(value * BPS for value in bps), *STABLE_RATES)
    strategy = _deploy(chain, "DefaultReserveInterestRateStrategy", provider, *rates)
    contracts = (reserve.decimals, strategy, token, TREASURY, ZERO_ADDRESS)
    kinds = (("Aave", "a"), ("Aave Variable Debt", "vd"), ("Aave Stable Debt", "sd"))
    names = (text for name, mark in kinds for text in (f"{name} {symbol}", f"{mark}{symbol}"))
    sources = ([token], [feed.proxy])
    chain.must(
        Tx(ADMIN, market.addresses["oracle"], "setAssetSources(address[],address[])", sources),
        market.configure(INIT_RESERVES, [(*implementations, *contracts, *names, b"")]),
        *_parameters(market, reserve, token),
    )
    view = "getReserveTokensAddresses(address)"
    tokens = chain.call(market.addresses["data_provider"], view, token)
    a_token, _, variable_debt_token = (
        "0x" + tokens[2:][64 * i + 24 : 64 * i + 64] for i in range(3)
    )
    return Asset(
        symbol=symbol,
        decimals=reserve.decimals,
        token=token,
        a_token=a_token,
        variable_debt_token=variable_debt_token,
        feed=feed.proxy,
        aggregator=feed.aggregator,
    )


def _parameters(market: Market, reserve: Reserve, token: str) -> list[Tx]:
    """Governance calls of a listing; what is off by default is not called at all."""
    calls: list[tuple[str, Any]] = [
        ("setReserveFactor(address,uint256)", reserve.factor),
        ("setLiquidationProtocolFee(address,uint256)", LIQUIDATION_PROTOCOL_FEE),
        ("setSupplyCap(address,uint256)", reserve.supply_cap),
        ("setBorrowCap(address,uint256)", reserve.borrow_cap),
    ]
    if reserve.borrowable:
        calls.append(("setReserveBorrowing(address,bool)", True))
    if reserve.debt_ceiling:
        calls.append(("setDebtCeiling(address,uint256)", reserve.debt_ceiling))
    if reserve.borrowable_in_isolation:
        calls.append(("setBorrowableInIsolation(address,bool)", True))
    limits = (reserve.ltv, reserve.threshold, reserve.bonus)
    setter = "configureReserveAsCollateral(address,uint256,uint256,uint256)"
    collateral = market.configure(setter, token, *limits)
    return [collateral, *(market.configure(name, token, value) for name, value in calls)]


def _e_mode(market: Market, mode: EMode) -> list[Tx]:
    """A category without a price source of its own: its assets keep their prices."""
    setter = "setEModeCategory(uint8,uint16,uint16,uint16,address,string)"
    limits = (mode.ltv, mode.threshold, mode.bonus, ZERO_ADDRESS)
    txs = [market.configure(setter, mode.category, *limits, mode.label)]
    for symbol in mode.collateral:
        joining = (market.assets[symbol].token, mode.category)
        txs.append(market.configure("setAssetEModeCategory(address,uint8)", *joining))
    return txs


def _deploy(chain: Chain, name: str, *args: Any) -> str:
    return chain.deploy(ARTIFACTS + name, ADMIN, *args)


def _set(contract: str, setter: str, address: str) -> Tx:
    return Tx(ADMIN, contract, f"{setter}(address)", (address,))
