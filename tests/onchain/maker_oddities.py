"""What rarely happens to Maker, done to a running chain step by step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from tests.devnet.abi import ZERO_ADDRESS, call_data, derived_address, words
from tests.devnet.alone import Alone
from tests.devnet.chain import Tx
from tests.devnet.maker.actions import FROB
from tests.devnet.maker.market import BY_ILK, KINDS, RAD, RAY, Kind, Maker
from tests.devnet.market import KEEPERS

STRANGER = derived_address("a stranger to maker")
HUGE = 2**200
BASIC = BY_ILK["ETH-A"]
UNTOUCHED = Kind("ETH-C", "ETH", "WETH")  # of which nobody has heard since it was opened


@dataclass(frozen=True)
class Oddities:
    """The chain after a population has lived on it."""

    alone: Alone

    @property
    def maker(self) -> Maker:
        return cast(Maker, self.alone.deployed)

    def steps(self) -> list[Callable[[], None]]:
        """In the order in which they are possible."""
        self.alone.chain.fund([STRANGER, self.maker["MCD_END"]])
        return [
            self.an_urn_is_at_its_very_limit,
            self.a_stranger_fills_unused_bits,
            self.a_stranger_makes_notes_about_nothing,
            self.an_urn_is_forked_into_itself,
            self.terms_change_without_a_poke,
            self.somebody_pokes,
            self.a_pip_has_no_price,
            self.and_has_one_again,
            self.auctions_have_no_room,
            self.an_auction_is_called_off,
            self.lots_are_sold_elsewhere,
            self.debt_is_made_of_nothing,
            self.and_cancelled,
            self.the_cat_is_caged,
            self.everything_is_caged,
        ]

    def an_urn_is_at_its_very_limit(self) -> None:
        """It may owe 125 and owes 125, at a rate of 1: that is not unsafe."""
        ether, me = UNTOUCHED, (STRANGER,) * 3
        join = self.maker.of("MCD_JOIN", ether)
        terms = words(self.alone.chain.call(self.maker["MCD_VAT"], "ilks(bytes32)", ether.key))
        assert terms[1:3] == [RAY, 125 * RAY]
        self.alone.chain.must(
            *self.maker.grant(ether, STRANGER, 10**18),
            Tx(STRANGER, self.maker["ETH"], "approve(address,uint256)", (join, 10**18)),
            Tx(STRANGER, join, "join(address,uint256)", (STRANGER, 10**18)),
            Tx(STRANGER, self.maker["MCD_VAT"], FROB, (ether.key, *me, 10**18, 125 * 10**18)),
        )
        ((_, reason),) = self.alone.chain.try_out([self.maker.bite(ether, STRANGER)])
        assert b"Cat/not-unsafe".hex() in (reason or "")

    def a_stranger_fills_unused_bits(self) -> None:
        """Old compilers do not look at them, and the note repeats them."""
        data = call_data(FROB, (BASIC.key, STRANGER, STRANGER, STRANGER, 0, 0))
        dirty = data[:74] + "ff" * 12 + data[74 + 24 :]
        vat, rpc = self.maker["MCD_VAT"], self.alone.chain.rpc
        rpc.call(
            "eth_sendTransaction", {"from": STRANGER, "to": vat, "data": dirty, "gas": "0xf4240"}
        )
        self._mine_alien()

    def _mine_alien(self) -> None:
        """A block with what was sent past the chain's writer."""
        chain = self.alone.chain
        chain.rpc.call("evm_mine", hex(chain.time + 12))
        chain.resync()
        receipts = chain.rpc.call("eth_getBlockReceipts", "latest")
        assert [receipt["status"] for receipt in receipts] == ["0x1"]

    def a_stranger_makes_notes_about_nothing(self) -> None:
        """Ilks that nobody opened, with names that forge others, and auctions that never were."""
        forged = b"ETH-A:\x1b[31m<b>".ljust(32, b"\0")
        fork = "fork(bytes32,address,address,int256,int256)"
        flip = self.maker.of("MCD_FLIP", BASIC)
        self.alone.chain.must(
            Tx(STRANGER, self.maker["MCD_VAT"], fork, (forged, STRANGER, STRANGER, 0, 0)),
            Tx(STRANGER, self.maker["MCD_JUG"], "drip(bytes32)", (forged,)),
            Tx(STRANGER, flip, "tick(uint256)", (HUGE,)),
            Tx(STRANGER, self.maker["MCD_VAT"], "heal(uint256)", (0,)),
            Tx(STRANGER, self.maker["MCD_VAT"], "hope(address)", (STRANGER,)),
        )

    def an_urn_is_forked_into_itself(self) -> None:
        keeper, fork = KEEPERS[0], "fork(bytes32,address,address,int256,int256)"
        amounts = (10**18, 10**18)
        args = (BASIC.key, keeper, keeper, *amounts)
        self.alone.chain.must(Tx(keeper, self.maker["MCD_VAT"], fork, args))

    def terms_change_without_a_poke(self) -> None:
        mat = self.maker.changed(BASIC, "MCD_SPOT", "mat", 147 * RAY // 100)
        par = self.maker.changed_for_all("MCD_SPOT", "par", 101 * RAY // 100)
        self.alone.chain.must(mat, par)

    def somebody_pokes(self) -> None:
        self.alone.chain.must(*(self.maker.poke(kind) for kind in (*KINDS, UNTOUCHED)))

    def a_pip_has_no_price(self) -> None:
        """And so nobody can be bitten, though every urn looks unsafe."""
        link = BY_ILK["LINK-A"]
        void = Tx(self.maker["DEPLOYER"], self.maker.pip(link), "void()")
        self.alone.chain.must(void, self.maker.poke(link))
        spot = words(self.alone.chain.call(self.maker["MCD_VAT"], "ilks(bytes32)", link.key))[2]
        assert spot == 0

    def and_has_one_again(self) -> None:
        link = BY_ILK["LINK-A"]
        price = self.maker.feed_price(link)
        self.alone.chain.must(self.maker.report(link, price // 2), self.maker.poke(link))

    def auctions_have_no_room(self) -> None:
        """Urns are as unsafe as before, but `bite` refuses them in other words."""
        chain, keeper = self.alone.chain, KEEPERS[0]
        litter = words(chain.call(self.maker["MCD_CAT"], "litter()"))[0]
        chain.must(
            self.maker.changed_for_all("MCD_CAT", "box", litter + RAD),
            self.maker.report(BASIC, self.maker.price(BASIC) // 8),
            self.maker.poke(BASIC),
        )
        ((_, reason),) = chain.try_out([self.maker.bite(BASIC, keeper)])
        assert b"Cat/liquidation-limit-hit".hex() in (reason or "")

    def an_auction_is_called_off(self) -> None:
        """The owner takes the lot out of the auction, and gives the bidder back what it bid."""
        chain, flip = self.alone.chain, self.maker.of("MCD_FLIP", BASIC)
        chain.must(self.maker.changed_for_all("MCD_CAT", "box", 10**7 * RAD))
        chain.must(self.maker.bite(BASIC, KEEPERS[0]))
        number = words(chain.call(flip, "kicks()"))[0]
        lot = words(chain.call(flip, "bids(uint256)", number))[1]
        tend = ("tend(uint256,uint256,uint256)", (number, lot, 7 * RAD))
        chain.must(Tx(KEEPERS[1], flip, *tend))
        proxy = self.maker["MCD_PAUSE_PROXY"]
        # What the bidder gets back is the caller's.
        chain.must(
            Tx(
                KEEPERS[1],
                self.maker["MCD_VAT"],
                "move(address,address,uint256)",
                (KEEPERS[1], proxy, 7 * RAD),
            ),
            Tx(proxy, self.maker["MCD_VAT"], "hope(address)", (flip,)),
            Tx(proxy, flip, "yank(uint256)", (number,)),
        )
        assert words(chain.call(flip, "bids(uint256)", number))[:3] == [0, 0, 0]

    def lots_are_sold_elsewhere(self) -> None:
        """By the flip of another kind: what is named counts, not what it says of itself."""
        other = self.maker["MCD_FLIP_ZRX_A"]
        args = (BASIC.key, b"flip".ljust(32, b"\0"), other)
        self.alone.chain.must(
            self.maker.govern("MCD_CAT", "file(bytes32,bytes32,address)", *args),
            self.maker.changed_for_all("MCD_FLIP_ZRX_A", "ttl", 2**48 + 5),
        )

    def debt_is_made_of_nothing(self) -> None:
        """What governance may do: DAI for somebody, and as much debt that nothing backs."""
        vow, proxy = self.maker["MCD_VOW"], self.maker["MCD_PAUSE_PROXY"]
        args = (vow, proxy, 10**7 * RAD)
        self.alone.chain.must(self.maker.govern("MCD_VAT", "suck(address,address,uint256)", *args))

    def and_cancelled(self) -> None:
        vow, proxy = self.maker["MCD_VOW"], self.maker["MCD_PAUSE_PROXY"]
        args = (proxy, vow, 10**7 * RAD)
        self.alone.chain.must(
            self.maker.govern("MCD_VAT", "move(address,address,uint256)", *args),
            Tx(STRANGER, vow, "heal(uint256)", (10**7 * RAD,)),
        )

    def the_cat_is_caged(self) -> None:
        self.alone.chain.must(self.maker.govern("MCD_CAT", "cage()"))

    def everything_is_caged(self) -> None:
        """By the End, which then settles one urn."""
        tag = "cage(bytes32)"
        self.alone.chain.must(
            self.maker.govern("MCD_END", "cage()"),
            Tx(STRANGER, self.maker["MCD_END"], tag, (BASIC.key,)),
            Tx(STRANGER, self.maker["MCD_END"], "skim(bytes32,address)", (BASIC.key, KEEPERS[1])),
        )
        assert words(self.alone.chain.call(self.maker["MCD_VAT"], "live()")) == [0]
        assert self.maker["MCD_END"] != ZERO_ADDRESS
