"""Hostile tokens and feeds as reserves of the real Aave v3.6 market on anvil."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from eth_abi.abi import encode

from tests.devnet.abi import ZERO_ADDRESS, derived_address, words
from tests.devnet.build import Devnet
from tests.devnet.chain import Reverted, Tx
from tests.devnet.market import INIT_RESERVES
from tests.devnet.protocol import ADMIN, TREASURY
from tests.hostile.cast import DOLLAR, TOKENS, WAD
from tests.hostile.vyper_contracts import SOURCES, artifact

CURVE = encode(["uint16", "uint32", "uint32", "uint32"], [8_000, 0, 400, 6_000])
SUPPLY = "supply(address,uint256,address,uint16)"
BORROW = "borrow(address,uint256,uint256,uint16,address)"


@dataclass
class StrangeMarket:
    """The market, and what was listed beside its ordinary reserves."""

    devnet: Devnet
    tokens: dict[str, str] = field(default_factory=dict)
    feeds: dict[str, str] = field(default_factory=dict)
    implementations: tuple[str, str] = ("", "")

    @classmethod
    def open(cls, devnet: Devnet) -> StrangeMarket:
        chain, pool = devnet.chain, devnet.market.pool
        chain.artifacts.update({name: artifact(name) for name in SOURCES})
        return cls(
            devnet,
            implementations=(
                chain.deploy("ATokenInstance", ADMIN, pool, ZERO_ADDRESS, TREASURY),
                chain.deploy("VariableDebtTokenInstance", ADMIN, pool, ZERO_ADDRESS),
            ),
        )

    def refuses(self, kind: str) -> bool:
        """Whether the market itself refuses to list such a token."""
        try:
            self.list_reserve(kind, kind)
        except Reverted:
            return True
        return False

    def list_reserve(self, name: str, kind: str) -> None:
        """A token of that kind as collateral that can be borrowed, at one dollar."""
        chain, market = self.devnet.chain, self.devnet.market
        token = chain.deploy("HostileToken", ADMIN, *TOKENS[kind].constructor)
        feed = chain.deploy("HostileFeed", ADMIN, True, f"{name} / USD")
        names = ("aToken", "aT", "Debt", "vdT")
        listing = (*self.implementations, token, *names, b"", CURVE)
        limits = (token, 5_000, 6_000, 10_500)
        chain.must(
            Tx(ADMIN, feed, "report(int256,uint256)", (DOLLAR, chain.time)),
            Tx(
                ADMIN,
                market.addresses["oracle"],
                "setAssetSources(address[],address[])",
                ([token], [feed]),
            ),
            market.configure(INIT_RESERVES, [listing]),
            market.configure(
                "configureReserveAsCollateral(address,uint256,uint256,uint256)", *limits
            ),
            market.configure("setReserveBorrowing(address,bool)", token, True),
        )
        self.tokens[name], self.feeds[name] = token, feed

    def saver(self, name: str, amount: int = 1_000 * WAD) -> str:
        """An account whose only collateral is that token; nothing is owed."""
        account = derived_address(f"saver of {name}")
        chain, pool, token = self.devnet.chain, self.devnet.market.pool, self.tokens[name]
        chain.fund([account])
        chain.must(
            Tx(account, token, "mint(address,uint256)", (account, amount)),
            Tx(account, token, "approve(address,uint256)", (pool, amount)),
            Tx(account, pool, SUPPLY, (token, amount, account, 0)),
        )
        return account

    def borrower(self, name: str, amount: int = 10 * WAD) -> str:
        """An account that owes that token against WETH."""
        account = derived_address(f"borrower of {name}")
        chain, pool, weth = self.devnet.chain, self.devnet.market.pool, self._weth
        chain.fund([account])
        chain.must(
            *self.devnet.market.tokens.grant("WETH", account, WAD),
            Tx(account, weth, "approve(address,uint256)", (pool, WAD)),
            Tx(account, pool, SUPPLY, (weth, WAD, account, 0)),
            Tx(account, pool, BORROW, (self.tokens[name], amount, 2, 0, account)),
        )
        return account

    @property
    def _weth(self) -> str:
        return self.devnet.market.assets["WETH"].token

    def tell(self, name: str, signature: str, *args: Any) -> None:
        """A transaction to that reserve's feed."""
        self.devnet.chain.must(Tx(ADMIN, self.feeds[name], signature, args))

    def account_reverts(self, account: str) -> bool:
        """Whether the pool itself cannot say what an account is worth."""
        call = Tx(account, self.devnet.market.pool, "getUserAccountData(address)", (account,))
        return not self.devnet.chain.would_succeed([call])[0]

    def balance_of_pool(self, name: str) -> int:
        """What the token says the reserve's aToken holds."""
        chain, token = self.devnet.chain, self.tokens[name]
        a_token = chain.call(self.devnet.market.pool, "getReserveAToken(address)", token)
        return words(chain.call(token, "balanceOf(address)", "0x" + a_token[-40:]))[0]
