"""What a population rarely or never does to Compound v2, done once, step by step.

Failures that do not revert, gifts that no event tells of, cTokens sent to the cToken itself,
seizures in one market and across two, a new price oracle, a new rate model, pauses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.devnet.abi import MAX_UINT256, derived_address, words
from tests.devnet.build import Devnet
from tests.devnet.chain import Tx
from tests.devnet.compound_v2.market import BLOCKS_PER_YEAR, PERCENT
from tests.devnet.protocol import ADMIN

ANN, BOB, CAT, DAN = (derived_address(f"compound oddity {name}") for name in "abcd")
UNITS = {"WETH": 10**18, "WBTC": 10**8, "USDC": 10**6, "DAI": 10**18, "USDT": 10**6, "LINK": 10**18}


@dataclass(frozen=True)
class Oddities:
    """The steps; after each of them our numbers are to be compared with the contracts'."""

    devnet: Devnet

    def steps(self) -> Iterator[Callable[[], None]]:
        """In their order: each stands on those before it."""
        yield self.supply_and_borrow
        yield self.fail_silently
        yield self.give_away
        yield self.liquidate
        yield self.govern
        yield self.replace_the_oracle
        yield self.leave
        yield self.give_unseen

    def supply_and_borrow(self) -> None:
        self.devnet.chain.fund((ANN, BOB, CAT, DAN))
        for who, symbol, whole in (
            (ANN, "USDC", 900_000),
            (BOB, "WETH", 100),
            (CAT, "WBTC", 3),
            (DAN, "LINK", 5_000),
            (DAN, "USDC", 1_000),
        ):
            self.supply(who, symbol, whole)
        self.enter(BOB, "WETH", "LINK")
        self.enter(CAT, "WBTC", "USDC")
        self.enter(DAN, "LINK", "USDC")
        prices = {symbol: self.price(symbol) for symbol in ("WETH", "LINK")}
        # Half of what 82 % of the ether would allow, and nearly all of what 60 % of the LINK would.
        self.borrow(BOB, "USDC", int(100 * prices["WETH"] * 0.41))
        self.borrow(BOB, "WBTC", 0.01)
        self.borrow(DAN, "USDC", int(5_000 * prices["LINK"] * 0.59))

    def fail_silently(self) -> None:
        """A borrow of too much succeeds as a transaction, enters the market, and lends nothing."""
        owed = self.owed(ANN, "WETH")
        self.send(Tx(ANN, self.c("WETH"), "borrow(uint256)", (10**21,)))
        self.send(Tx(CAT, self.c("WBTC"), "transfer(address,uint256)", (CAT, 1)))
        self.send(
            Tx(
                BOB,
                self.c("USDC"),
                "liquidateBorrow(address,uint256,address)",
                (
                    DAN,
                    1,
                    self.c("LINK"),
                ),
            )
        )
        assert self.owed(ANN, "WETH") == owed == 0

    def give_away(self) -> None:
        """cTokens to a stranger and to the cToken itself; tokens to the cToken, then interest."""
        c_usdc = self.c("USDC")
        self.send(
            Tx(ANN, c_usdc, "transfer(address,uint256)", (CAT, 12_345)),
            Tx(ANN, c_usdc, "transfer(address,uint256)", (c_usdc, 777)),
            Tx(ANN, c_usdc, "redeem(uint256)", (1_000_001,)),
            Tx(ANN, c_usdc, "redeemUnderlying(uint256)", (10**9 + 1,)),
        )
        self.gift("USDC", 5 * 10**6)
        self.send(Tx(ANN, c_usdc, "accrueInterest()"))

    def liquidate(self) -> None:
        """Of LINK for USDC, of USDC for USDC, then of what is left without collateral."""
        self.send(*self.devnet.market.feeds.report("LINK", self.price("LINK") * 0.8))
        owed = self.owed(DAN, "USDC")
        for collateral, share in (("LINK", 4), ("USDC", 200)):
            self.grant(CAT, "USDC", owed // share)
            before = self.owed(DAN, "USDC")
            order = (DAN, owed // share, self.c(collateral))
            self.send(Tx(CAT, self.c("USDC"), "liquidateBorrow(address,uint256,address)", order))
            assert self.owed(DAN, "USDC") < before
        self.grant(BOB, "USDC", 1_000 * 10**6)
        self.send(
            Tx(BOB, self.c("USDC"), "repayBorrowBehalf(address,uint256)", (DAN, 10**6)),
            Tx(BOB, self.c("USDC"), "repayBorrow(uint256)", (500 * 10**6,)),
        )

    def govern(self) -> None:
        """Reserves in and out, factors, caps, pauses, rates, another rate model."""
        c_usdc, c_weth, comptroller = self.c("USDC"), self.c("WETH"), self.comptroller
        self.grant(ADMIN, "USDC", 10**9)
        rates = tuple(BLOCKS_PER_YEAR * rate for rate in (10**10, 10**12, 10**13))
        model = self.devnet.chain.deploy("JumpRateModelV2", ADMIN, *rates, 70 * PERCENT, ADMIN)
        update = "updateJumpRateModel(uint256,uint256,uint256,uint256)"
        self.send(
            Tx(ADMIN, c_usdc, "_addReserves(uint256)", (10**8,)),
            Tx(ADMIN, c_usdc, "_reduceReserves(uint256)", (10**7,)),
            Tx(ADMIN, c_usdc, "_setReserveFactor(uint256)", (33 * PERCENT,)),
            Tx(ADMIN, c_weth, "_setInterestRateModel(address)", (model,)),
            Tx(ADMIN, comptroller, "_setCollateralFactor(address,uint256)", (c_weth, 60 * PERCENT)),
            Tx(ADMIN, comptroller, "_setCloseFactor(uint256)", (61 * PERCENT,)),
            Tx(ADMIN, comptroller, "_setLiquidationIncentive(uint256)", (111 * PERCENT,)),
            Tx(ADMIN, comptroller, "_setMarketBorrowCaps(address[],uint256[])", ([c_weth], [1])),
            Tx(ADMIN, comptroller, "_setMintPaused(address,bool)", (c_weth, True)),
            Tx(ADMIN, comptroller, "_setBorrowPaused(address,bool)", (c_usdc, True)),
            Tx(ADMIN, comptroller, "_setTransferPaused(bool)", (True,)),
            Tx(ADMIN, comptroller, "_setSeizePaused(bool)", (True,)),
        )
        self.send(Tx(ADMIN, model, update, (0, rates[1], rates[2], 50 * PERCENT)))

    def replace_the_oracle(self) -> None:
        """The new one knows no price of LINK: whoever entered its market has a price error."""
        oracle = self.devnet.chain.deploy("FeedPriceOracle", ADMIN)
        for symbol in self.devnet.protocols.compound_v2.ctokens:
            if symbol != "LINK":
                feed = self.devnet.market.feeds.by_symbol[symbol].proxy
                self.send(Tx(ADMIN, oracle, "setFeed(address,address)", (self.c(symbol), feed)))
        self.send(Tx(ADMIN, self.comptroller, "_setPriceOracle(address)", (oracle,)))

    def leave(self) -> None:
        """Out of one market, refused in another; the whole supply of a third is redeemed."""
        self.send(
            Tx(CAT, self.comptroller, "exitMarket(address)", (self.c("USDC"),)),
            Tx(BOB, self.comptroller, "exitMarket(address)", (self.c("WETH"),)),
        )
        held = words(self.call("WBTC", "balanceOf(address)", CAT))[0]
        self.send(Tx(CAT, self.c("WBTC"), "redeem(uint256)", (held // 3,)))

    def give_unseen(self) -> None:
        """No interest is accrued after this: only the token itself knows of it."""
        self.gift("DAI", 10**18)

    @property
    def comptroller(self) -> str:
        return self.devnet.protocols.compound_v2.comptroller

    def c(self, symbol: str) -> str:
        return self.devnet.protocols.compound_v2.ctokens[symbol].ctoken

    def call(self, symbol: str, signature: str, *args: str) -> str:
        return self.devnet.chain.call(self.c(symbol), signature, *args)

    def send(self, *txs: Tx) -> None:
        """One block each: a failure that does not revert passes."""
        for tx in txs:
            self.devnet.chain.must(tx)

    def price(self, symbol: str) -> float:
        feed = self.devnet.market.feeds.by_symbol[symbol].proxy
        return words(self.devnet.chain.call(feed, "latestAnswer()"))[0] / 10**8

    def owed(self, who: str, symbol: str) -> int:
        return words(self.call(symbol, "borrowBalanceStored(address)", who))[0]

    def grant(self, who: str, symbol: str, amount: int) -> None:
        token = self.devnet.market.tokens.by_symbol[symbol]
        self.send(
            *self.devnet.market.tokens.grant(symbol, who, amount),
            Tx(who, token, "approve(address,uint256)", (self.c(symbol), MAX_UINT256)),
        )

    def supply(self, who: str, symbol: str, whole: float) -> None:
        amount = int(whole * UNITS[symbol])
        self.grant(who, symbol, amount)
        self.send(Tx(who, self.c(symbol), "mint(uint256)", (amount,)))

    def enter(self, who: str, *symbols: str) -> None:
        markets = [self.c(symbol) for symbol in symbols]
        self.send(Tx(who, self.comptroller, "enterMarkets(address[])", (markets,)))

    def borrow(self, who: str, symbol: str, whole: float) -> None:
        amount = int(whole * UNITS[symbol])
        self.send(Tx(who, self.c(symbol), "borrow(uint256)", (amount,)))
        assert self.owed(who, symbol) >= amount, f"{symbol} was not lent"

    def gift(self, symbol: str, amount: int) -> None:
        """Tokens sent to the cToken, which nobody tells it."""
        token = self.devnet.market.tokens.by_symbol[symbol]
        self.grant(ANN, symbol, amount)
        self.send(Tx(ANN, token, "transfer(address,uint256)", (self.c(symbol), amount)))
