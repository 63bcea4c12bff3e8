"""The protocol's singletons, deployed in the order their constructors demand."""

from __future__ import annotations

from dataclasses import dataclass

from .abi import ZERO_ADDRESS, address_in, derived_address
from .chain import Chain, Tx

ADMIN = derived_address("devnet admin")
TREASURY = derived_address("devnet treasury")
BASE_CURRENCY_UNIT = 10**8  # US dollars

LIBRARIES = (
    *("BorrowLogic", "SupplyLogic", "LiquidationLogic", "PoolLogic", "ConfiguratorLogic"),
    "FlashLoanLogic",  # links BorrowLogic
)


@dataclass(frozen=True)
class Protocol:
    """Addresses by role, and the block from which an indexer has to read."""

    first_block: int
    addresses: dict[str, str]


def deploy_protocol(chain: Chain) -> Protocol:
    """Deploy an empty market that `ADMIN` governs in every role."""
    for name in LIBRARIES:
        chain.libraries[name] = chain.deploy(name, ADMIN)
    provider = chain.deploy("PoolAddressesProvider", ADMIN, "Devnet Market", ADMIN)
    first_block = chain.head
    acl_manager = _deploy_roles(chain, provider)
    oracle = chain.deploy(
        *("AaveOracle", ADMIN, provider, [], [], ZERO_ADDRESS, ZERO_ADDRESS, BASE_CURRENCY_UNIT)
    )
    chain.must(_set(provider, "setPriceOracle", oracle))
    pool, configurator = _deploy_pool(chain, provider)
    data_provider = chain.deploy("AaveProtocolDataProvider", ADMIN, provider)
    chain.must(_set(provider, "setPoolDataProvider", data_provider))
    addresses = {
        "pool": pool,
        "pool_configurator": configurator,
        "pool_addresses_provider": provider,
        "oracle": oracle,
        "acl_manager": acl_manager,
        "data_provider": data_provider,
        "liquidation_data_provider": chain.deploy("LiquidationDataProvider", ADMIN, pool, provider),
        "treasury": TREASURY,
    }
    return Protocol(first_block, addresses)


def _deploy_roles(chain: Chain, provider: str) -> str:
    chain.must(_set(provider, "setACLAdmin", ADMIN))
    manager = chain.deploy("ACLManager", ADMIN, provider)
    chain.must(
        _set(provider, "setACLManager", manager),
        _set(manager, "addPoolAdmin", ADMIN),
        _set(manager, "addRiskAdmin", ADMIN),
        _set(manager, "addEmergencyAdmin", ADMIN),
    )
    return manager


def _deploy_pool(chain: Chain, provider: str) -> tuple[str, str]:
    """Pool and configurator, both behind the provider's proxies."""
    strategy = chain.deploy("DefaultReserveInterestRateStrategyV2", ADMIN, provider)
    pool = chain.deploy("PoolInstance", ADMIN, provider, strategy)
    chain.must(_set(provider, "setPoolImpl", pool))
    configurator = chain.deploy("PoolConfiguratorInstance", ADMIN)
    chain.must(_set(provider, "setPoolConfiguratorImpl", configurator))
    return (
        address_in(chain.call(provider, "getPool()")),
        address_in(chain.call(provider, "getPoolConfigurator()")),
    )


def _set(contract: str, setter: str, address: str) -> Tx:
    return Tx(ADMIN, contract, f"{setter}(address)", (address,))
