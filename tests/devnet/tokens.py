"""The underlying tokens, and how accounts come by them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .abi import words
from .chain import Chain, Tx
from .reserves import RESERVES

WAD = 10**18
UNLISTED = {"FRAX": 18}  # decimals of what trades, but no lending market lists and no feed reports
WETH9_STORAGE_SLOTS = 3  # name, symbol, decimals: the constructor's work


@dataclass(frozen=True)
class Tokens:
    """Token addresses by symbol; `admin` mints all but WETH, yWETH and LINK."""

    chain: Chain
    admin: str
    by_symbol: dict[str, str]

    @classmethod
    def deploy(cls, chain: Chain, admin: str, ready: Mapping[str, str]) -> Tokens:
        """Deploy what is missing; LINK's whole supply goes to `admin`."""
        by_symbol = {**ready, "WETH": _weth(chain, admin, ready.get("WETH"))}
        by_symbol["LINK"] = chain.deploy("LinkToken", admin)
        by_symbol["yWETH"] = chain.deploy(
            "YieldVault", admin, by_symbol["WETH"], "Yield-bearing WETH", "yWETH"
        )
        plain = {reserve.symbol: reserve.decimals for reserve in RESERVES} | UNLISTED
        for symbol, decimals in plain.items():
            if symbol not in by_symbol:
                by_symbol[symbol] = chain.deploy(
                    "TestnetERC20", admin, symbol, symbol, decimals, admin
                )
        return cls(chain, admin, by_symbol)

    def grant(self, symbol: str, to: str, amount: int) -> list[Tx]:
        """Transactions after which `to` holds `amount` more of the token."""
        token = self.by_symbol[symbol]
        if symbol == "WETH":
            return [Tx(to, token, "deposit()", value=amount)]
        if symbol == "yWETH":
            assets = amount * self.vault_rate() // WAD + 2
            return [
                *self.grant("WETH", to, assets),
                Tx(to, self.by_symbol["WETH"], "approve(address,uint256)", (token, assets)),
                Tx(to, token, "mint(uint256,address)", (amount, to)),
            ]
        if symbol == "LINK":
            return [Tx(self.admin, token, "transfer(address,uint256)", (to, amount))]
        return [Tx(self.admin, token, "mint(address,uint256)", (to, amount))]

    def donate(self, amount: int) -> list[Tx]:
        """Transactions that raise the rate of yWETH."""
        vault, weth = self.by_symbol["yWETH"], self.by_symbol["WETH"]
        return [
            Tx(self.admin, weth, "deposit()", value=amount),
            Tx(self.admin, weth, "transfer(address,uint256)", (vault, amount)),
        ]

    def vault_rate(self) -> int:
        """WETH per 1e18 shares of yWETH, rounded up as for a minter."""
        preview = self.chain.call(self.by_symbol["yWETH"], "previewMint(uint256)", WAD)
        return words(preview)[0] + 1

    def vault_assets(self) -> int:
        """WETH in the vault of yWETH."""
        return words(self.chain.call(self.by_symbol["yWETH"], "totalAssets()"))[0]


def _weth(chain: Chain, admin: str, wanted: str | None) -> str:
    """WETH where it is wanted; an address without code gets a copy of a fresh deployment."""
    if wanted is None:
        return chain.deploy("WETH9", admin)
    wanted = wanted.lower()
    if chain.rpc.call("eth_getCode", wanted, "latest") != "0x":
        return wanted
    deployed = chain.deploy("WETH9", admin)
    chain.rpc.call("anvil_setCode", wanted, chain.rpc.call("eth_getCode", deployed, "latest"))
    for slot in range(WETH9_STORAGE_SLOTS):
        value = chain.rpc.call("eth_getStorageAt", deployed, hex(slot), "latest")
        chain.rpc.call("anvil_setStorageAt", wanted, hex(slot), value)
    chain.mine([])  # written to the state of the head, so only the next block shows it
    return wanted
