"""What the markets of Synthetix stand on: the resolver, settings, rates, and sUSD."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode

from ..abi import ZERO_ADDRESS, call_data
from ..chain import Chain, Tx
from ..protocol import ADMIN

UNIT = 10**18
LIBRARIES = ("SafeDecimalMath", "SystemSettingsLib", "ExchangeSettlementLib")
STALE_PERIOD = 10 * 86_400  # a feed of the chain may not report for several steps
DEVIATION_FACTOR = 3 * UNIT
DEBT_LIMIT = 10**25
SUSPENDABLE = ("System", "Exchange", "Futures", "Synth")
CACHE_GAS = 6_000_000
# In dollars: what the flagger of a position gets, and what the one who liquidates it gets.
MIN_KEEPER_FEE, MAX_KEEPER_FEE, KEEPER_LIQUIDATION_FEE = 2 * UNIT, 1_000 * UNIT, 2 * UNIT
LIQUIDATION_FEE_RATIO = 35 * 10**14
MIN_INITIAL_MARGIN = 50 * UNIT


def name32(text: str) -> bytes:
    """A name as the contracts write it."""
    return text.encode().ljust(32, b"\0")


def create(chain: Chain, name: str, *args: Any) -> str:
    """A contract of the package, owned by `ADMIN`."""
    return chain.deploy(f"synthetix:{name}", ADMIN, *args)


@dataclass(frozen=True)
class System:
    """Contracts by the names that the resolver has for them; libraries by those of artifacts."""

    first_block: int
    names: dict[str, str]
    libraries: dict[str, str]

    def __getitem__(self, name: str) -> str:
        return self.names[name]

    def mint(self, account: str, amount: int) -> Tx:
        """New sUSD. Nobody stakes on this chain: the Exchanger, which may issue, does."""
        issue = (account, amount)
        return Tx(self["Exchanger"], self["SynthsUSD"], "issue(address,uint256)", issue)


def deploy_system(chain: Chain) -> System:
    """Deploy and connect everything; names that no flow of perps needs lead to the resolver."""
    for library in LIBRARIES:
        chain.libraries[f"synthetix:{library}"] = create(chain, library)
    libraries = {f"synthetix:{one}": chain.libraries[f"synthetix:{one}"] for one in LIBRARIES}
    resolver = create(chain, "AddressResolver", ADMIN)
    first_block = chain.head
    names = _singletons(chain, resolver) | _synth(chain, resolver)
    for address in list(names.values()):
        for needed in _required(chain, address):
            names.setdefault(needed, resolver)
    system = System(first_block, names | {"AddressResolver": resolver}, libraries)
    listed = ([name32(one) for one in names], list(names.values()))
    signature = "importAddresses(bytes32[],address[])"
    chain.must(Tx(ADMIN, resolver, signature, listed, gas=CACHE_GAS))
    chain.must(*(rebuild_cache(one) for one in _caching(chain, names)))
    chain.must(*_settings(system))
    chain.fund([system["Exchanger"]])
    return system


def rebuild_cache(address: str) -> Tx:
    """After this the contract knows where the others are."""
    return Tx(ADMIN, address, "rebuildCache()", gas=CACHE_GAS)


def _singletons(chain: Chain, resolver: str) -> dict[str, str]:
    names = {
        "SystemStatus": create(chain, "SystemStatus", ADMIN),
        "FlexibleStorage": create(chain, "FlexibleStorage", resolver),
    }
    for name in (
        *("SystemSettings", "ExchangeRates", "CircuitBreaker", "Exchanger", "Issuer"),
        *("WrapperFactory", "DirectIntegrationManager"),
        *("FuturesMarketManager", "PerpsV2MarketSettings", "PerpsV2ExchangeRate"),
    ):
        names[name] = create(chain, name, ADMIN, resolver)
    names["ExchangeState"] = create(chain, "ExchangeState", ADMIN, names["Exchanger"])
    pool_proxy = create(chain, "Proxy", ADMIN)
    names["FeePool"] = create(chain, "FeePool", pool_proxy, ADMIN, resolver)
    chain.must(Tx(ADMIN, pool_proxy, "setTarget(address)", (names["FeePool"],)))
    state = create(chain, "CollateralManagerState", ADMIN, ZERO_ADDRESS)
    limits = (DEBT_LIMIT, UNIT // 5, 0, 0)
    names["CollateralManager"] = create(chain, "CollateralManager", state, ADMIN, resolver, *limits)
    return names


def _synth(chain: Chain, resolver: str) -> dict[str, str]:
    proxy = create(chain, "ProxyERC20", ADMIN)
    state = create(chain, "TokenState", ADMIN, ZERO_ADDRESS)
    words = ("Synth sUSD", "sUSD", ADMIN, name32("sUSD"), 0, resolver)
    synth = create(chain, "MultiCollateralSynth", proxy, state, *words)
    chain.must(
        Tx(ADMIN, state, "setAssociatedContract(address)", (synth,)),
        Tx(ADMIN, proxy, "setTarget(address)", (synth,)),
    )
    return {"SynthsUSD": synth, "ProxysUSD": proxy}


def _required(chain: Chain, address: str) -> list[str]:
    (answer,) = chain.calls([(address, call_data("resolverAddressesRequired()", ()))])
    if answer in (None, "0x"):
        return []
    (found,) = decode(["bytes32[]"], bytes.fromhex(str(answer)[2:]))
    return [name.rstrip(b"\0").decode() for name in found]


def _caching(chain: Chain, names: dict[str, str]) -> list[str]:
    unique = list(dict.fromkeys(names.values()))
    works = chain.would_succeed([rebuild_cache(one) for one in unique])
    return [one for one, ok in zip(unique, works, strict=True) if ok]


def _settings(system: System) -> list[Tx]:
    settings, perps = system["SystemSettings"], system["PerpsV2MarketSettings"]
    numbers = (
        (settings, "setRateStalePeriod(uint256)", STALE_PERIOD),
        (settings, "setPriceDeviationThresholdFactor(uint256)", DEVIATION_FACTOR),
        (settings, "setWaitingPeriodSecs(uint256)", 0),
        (perps, "setMinInitialMargin(uint256)", MIN_INITIAL_MARGIN),
        (perps, "setMinKeeperFee(uint256)", MIN_KEEPER_FEE),
        (perps, "setMaxKeeperFee(uint256)", MAX_KEEPER_FEE),
        (perps, "setLiquidationFeeRatio(uint256)", LIQUIDATION_FEE_RATIO),
        (perps, "setKeeperLiquidationFee(uint256)", KEEPER_LIQUIDATION_FEE),
    )
    access = "updateAccessControl(bytes32,address,bool,bool)"
    return [
        *(Tx(ADMIN, to, signature, (number,)) for to, signature, number in numbers),
        *(
            Tx(ADMIN, system["SystemStatus"], access, (name32(section), ADMIN, True, True))
            for section in SUSPENDABLE
        ),
    ]
