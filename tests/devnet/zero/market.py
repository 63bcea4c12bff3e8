"""Sovryn Zero over the chain's own coin, priced by the shared feed of WETH."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..abi import ZERO_ADDRESS, words
from ..chain import Chain, Tx
from ..market import Market
from ..protocol import ADMIN
from ..purse import Purse

BOOTSTRAP_SECONDS = 14 * 86_400  # nobody can redeem before
COLLATERAL = "WETH"  # whose feed prices the coin
PLAIN = {
    "params": "LiquityBaseParams",
    "active_pool": "ActivePool",
    "default_pool": "DefaultPool",
    "gas_pool": "GasPool",
    "coll_surplus_pool": "CollSurplusPool",
    "token": "ZUSDToken",
    "sorted_troves": "SortedTroves",
    "hint_helpers": "HintHelpers",
    "price_feed": "PriceFeed",
    "fee_distributor": "FeeDistributor",
}
STRUCT = "(" + ",".join(["address"] * 14) + ")"


@dataclass(frozen=True)
class Zero:
    """Everything the population and the tests need to know of the deployment."""

    chain: Chain
    first_block: int
    addresses: dict[str, str]
    coin: str

    def __getitem__(self, role: str) -> str:
        """The address of one of its contracts."""
        return self.addresses[role]

    def price(self) -> int:
        """What the price feed would say now, with 18 decimals."""
        return words(self.chain.call(self["price_feed"], "fetchPrice()"))[0]

    def describe(self) -> dict[str, Any]:
        """The section of `deployment.json`."""
        return {
            "name": "zero-devnet",
            "first_block": self.first_block,
            "addresses": self.addresses,
            "coin": self.coin,
        }


def load(chain: Chain, market: Market, described: dict[str, Any]) -> Zero:
    """What is on a chain that was built before."""
    return Zero(chain, described["first_block"], described["addresses"], described["coin"])


def deploy(chain: Chain, market: Market, purse: Purse) -> Zero:
    """Deploy it as its owner would, without the proxies; what it does not ship is ours."""
    feed = chain.deploy("ZeroPriceFeed", ADMIN, market.feeds.by_symbol[COLLATERAL].proxy)
    first_block = chain.head
    at = {"external_price_feed": feed, "surroundings": chain.deploy("ZeroSurroundings", ADMIN)}
    for role, name in PLAIN.items():
        at[role] = chain.deploy(f"zero:{name}", ADMIN)
    for role, name in {
        "borrower_operations": "BorrowerOperations",
        "pool": "StabilityPool",
    }.items():
        at[role] = chain.deploy(f"zero:{name}", ADMIN, ZERO_ADDRESS)
    for role, name in {
        "trove_manager": "TroveManager",
        "redeem_ops": "TroveManagerRedeemOps",
    }.items():
        at[role] = chain.deploy(f"zero:{name}", ADMIN, BOOTSTRAP_SECONDS, ZERO_ADDRESS)
    coin = market.tokens.by_symbol[COLLATERAL]
    chain.must(*_connections(at, coin))
    return Zero(chain, first_block, at, coin)


def _connections(at: dict[str, str], coin: str) -> list[Tx]:
    def tx(role: str, function: str, *args: Any) -> Tx:
        kinds = ["address" if isinstance(one, str) else "uint256" for one in args]
        return Tx(ADMIN, at[role], f"{function}({','.join(kinds)})", args)

    def connect(role: str, *others: str) -> Tx:
        return tx(role, "setAddresses", *(at[other] for other in others))

    every_trove = ("active_pool", "default_pool", "pool", "gas_pool", "coll_surplus_pool")
    manager = (
        *("fee_distributor", "redeem_ops", "params", "borrower_operations", *every_trove),
        *("price_feed", "token", "sorted_troves", "surroundings", "surroundings"),
    )
    feeds = (at["external_price_feed"], at["external_price_feed"])
    collector = (at["surroundings"], at["surroundings"])
    return [
        tx("params", "initialize"),
        tx("price_feed", "setAddresses", *feeds),
        tx("token", "initialize", at["trove_manager"], at["pool"], at["borrower_operations"]),
        tx(
            "sorted_troves", "setParams", 2**256 - 1, at["trove_manager"], at["borrower_operations"]
        ),
        Tx(
            ADMIN,
            at["trove_manager"],
            f"setAddresses({STRUCT})",
            (tuple(at[other] for other in manager),),
        ),
        connect(
            *("borrower_operations", "fee_distributor", "params", "trove_manager", *every_trove),
            *("price_feed", "sorted_troves", "token", "surroundings"),
        ),
        connect(
            *("pool", "params", "borrower_operations", "trove_manager", "active_pool", "token"),
            *("sorted_troves", "price_feed", "surroundings"),
        ),
        connect("active_pool", "borrower_operations", "trove_manager", "pool", "default_pool"),
        connect("default_pool", "trove_manager", "active_pool"),
        connect("coll_surplus_pool", "borrower_operations", "trove_manager", "active_pool"),
        connect("hint_helpers", "params", "sorted_troves", "trove_manager"),
        tx(
            *("fee_distributor", "setAddresses", *collector, at["borrower_operations"]),
            *(at["trove_manager"], coin, at["token"], at["active_pool"]),
        ),
    ]
