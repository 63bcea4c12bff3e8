"""How accounts come by tokens that are claims on others, to pledge them on Morpho."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..abi import words
from ..chain import Chain, Tx
from ..oracles.market import FAIR, NAIVE, SHARE
from ..protocol import ADMIN
from ..purse import Plan, Purse
from ..uniswap_v2.market import ADD, DEADLINE
from ..vaults.market import ALLOCATOR, CREDIT
from .composed import A_WETH, LP, Parts

STOCK = 3_000_000.0  # dollars of each token behind the shares of the pair that are handed out
FEED_PLACES, WHOLE = 8, 10**18
SLACK = 10  # units: aTokens are credited rounded down
SPARE = 50  # parts: a share may become dearer before its turn in the block


@dataclass(frozen=True)
class WrappingPurse(Purse):
    """A purse that also knows claims; those on dollars are sized by their face."""

    chain: Chain
    parts: Parts
    share_dollars: float
    """What a whole share of the pair was worth when the stock was made."""

    def units(self, symbol: str, dollars: float) -> int:
        """How much of the token that many dollars are, and at least one unit."""
        if symbol == LP:
            return max(1, int(dollars / self.share_dollars * WHOLE))
        plain = {A_WETH: "WETH", CREDIT: "USDC", ALLOCATOR: "USDC"}.get(symbol, symbol)
        units = super().units(plain, dollars)
        return units * 10**12 if symbol == ALLOCATOR else units

    def token(self, symbol: str) -> str:
        """The address of a token."""
        return self.parts.token(symbol)

    def fund(self, account: str, symbol: str, amount: int, spender: str) -> Plan:
        """Get the token and let `spender` take it."""
        ways: dict[str, Callable[[str, int], Plan]] = {
            A_WETH: self._supply,
            LP: self._take,
            CREDIT: lambda who, amount: self.mint(who, CREDIT, amount),
            ALLOCATOR: lambda who, amount: self.mint(who, ALLOCATOR, amount),
        }
        if symbol not in ways:
            return super().fund(account, symbol, amount, spender)
        return [*ways[symbol](account, amount), self.approve(account, symbol, spender)]

    def mint(self, account: str, symbol: str, shares: int) -> Plan:
        """So many shares of a vault of ours."""
        vault = self.parts.vaults.by_symbol[symbol]
        preview = self.chain.call(vault.address, "previewMint(uint256)", shares)
        assets = words(preview)[0] * (SPARE + 1) // SPARE + 1
        return [
            *super().fund(account, vault.asset_symbol, assets, vault.address),
            Tx(account, vault.address, "mint(uint256,address)", (shares, account)),
        ]

    def _supply(self, account: str, amount: int) -> Plan:
        pool = self.parts.aave.pool
        order = (self.token("WETH"), amount + SLACK, account, 0)
        return [
            *super().fund(account, "WETH", amount + SLACK, pool),
            Tx(account, pool, "supply(address,uint256,address,uint16)", order),
        ]

    def _take(self, account: str, amount: int) -> Plan:
        return [Tx(ADMIN, self.token(LP), "transfer(address,uint256)", (account, amount))]


def stock_up(chain: Chain, purse: Purse, parts: Parts) -> WrappingPurse:
    """Make the shares of the pair that will be handed out."""
    symbols = parts.uniswap_v2.pools[SHARE].symbols
    router = parts.uniswap_v2.router
    amounts = [purse.units(symbol, STOCK) for symbol in symbols]
    tokens = [purse.token(symbol) for symbol in symbols]
    funded = [
        tx
        for symbol, amount in zip(symbols, amounts, strict=True)
        for tx in purse.fund(ADMIN, symbol, amount, router)
    ]
    chain.must(*funded, Tx(ADMIN, router, ADD, (*tokens, *amounts, 0, 0, ADMIN, DEADLINE)))
    sources = parts.oracles.sources
    asked = sources[NAIVE if NAIVE in sources else FAIR].address
    share = words(chain.call(asked, "latestAnswer()"))[0] / 10.0**FEED_PLACES
    return WrappingPurse(purse.tokens, purse.prices, chain, parts, share)
