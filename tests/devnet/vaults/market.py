"""The vaults: of which asset, of which kind, and what the allocator may lend to."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from ..abi import derived_address
from ..chain import Chain, Tx
from ..morpho.market import PARAMS, IsolatedMarket, Morpho
from ..protocol import ADMIN
from ..purse import DECIMALS
from ..tokens import Tokens

CURATOR = derived_address("devnet curator")
TIMELOCK = 43_200
CAP = 20_000_000  # whole tokens, in every market
CREDIT, ALLOCATOR = "cvUSDC", "amUSDC"


@dataclass(frozen=True)
class Vault:
    """One vault; `markets` are ids of markets on Morpho that an allocator may lend to."""

    symbol: str
    kind: str
    address: str
    asset: str
    asset_symbol: str
    decimals: int
    markets: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Vaults:
    """All vaults by the symbol of their shares; yWETH is as old as the tokens."""

    first_block: int
    by_symbol: dict[str, Vault]

    def describe(self) -> dict[str, Any]:
        """The section of `deployment.json`."""
        return {
            "name": "vaults-devnet",
            "first_block": self.first_block,
            "curator": CURATOR,
            "vaults": {symbol: asdict(vault) for symbol, vault in self.by_symbol.items()},
        }

    @classmethod
    def load(cls, described: dict[str, Any]) -> Vaults:
        """The vaults on a chain that was built before."""
        vaults = {symbol: Vault(**vault) for symbol, vault in described["vaults"].items()}
        return cls(described["first_block"], vaults)


def deploy_vaults(chain: Chain, tokens: Tokens, morpho: Morpho) -> Vaults:
    """Deploy the vaults, all empty, apart from yWETH which is there."""
    chain.fund((CURATOR,), wei=10**24)
    usdc = tokens.by_symbol["USDC"]
    credit = chain.deploy("CreditVault", ADMIN, usdc, "Private credit", CREDIT)
    first_block = chain.head
    setup = (ADMIN, morpho.address, TIMELOCK, usdc)
    allocator = chain.deploy("AllocatorVault", ADMIN, *setup, "Allocated USDC", ALLOCATOR)
    chain.must(Tx(ADMIN, allocator, "setCurator(address)", (CURATOR,)))
    plain = Vault(
        "yWETH", "erc4626", tokens.by_symbol["yWETH"], tokens.by_symbol["WETH"], "WETH", 18
    )
    vaults = (
        plain,
        Vault(CREDIT, "erc4626", credit, usdc, "USDC", DECIMALS["USDC"]),
        Vault(ALLOCATOR, "metamorpho", allocator, usdc, "USDC", 18),
    )
    return Vaults(first_block, {vault.symbol: vault for vault in vaults})


def submit_caps(vault: Vault, markets: list[IsolatedMarket]) -> list[Tx]:
    """Transactions that start the timelock of the caps of `markets`."""
    cap = CAP * 10 ** DECIMALS[vault.asset_symbol]
    vault.markets.extend(market.id for market in markets)
    submit = f"submitCap({PARAMS},uint256)"
    return [Tx(CURATOR, vault.address, submit, (market.params, cap)) for market in markets]
