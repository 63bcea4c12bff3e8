"""Those who serve Maker: prices, interest, bites, bids, and the bookkeeping of what is lost."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from ..abi import MAX_UINT256, view_data, words
from ..chain import Chain, Tx
from ..life import IDLE_STEPS
from ..market import KEEPERS
from .book import Auction, Terms, Vault, read_auctions, read_terms
from .market import KINDS, RAD, RAY, WAD, Kind, Maker

DILIGENCE = 0.85
BIDDERS = KEEPERS[:2]
CAPITAL = 400_000  # DAI of each bidder
DRIPPED = 0.3  # how often interest of a kind is made to count
LOOKED_BACK = 60  # blocks in which there may have been bites that still wait
UNWANTED = 0.15  # lots that nobody bids for in a step
WRONG = 0.88  # when in the story a pip begins to be wrong
FORGOTTEN = 0.08  # how often a price that moved is not passed on


@dataclass
class Keepers:
    """Bites whom the contract lets it, apart from `neglected` accounts, and bids for the lots."""

    maker: Maker
    rng: random.Random
    neglected: set[str]

    @property
    def chain(self) -> Chain:
        """The chain it all happens on."""
        return self.maker.chain

    def equip(self) -> None:
        """Every bidder owes a lot against even more, and lets the auctions take its DAI."""
        kind = KINDS[0]
        terms = read_terms(self.maker)[kind.ilk]
        ink = CAPITAL * RAD * 3 // terms.spot
        for keeper in BIDDERS:
            self.chain.must(*(self._equipped(keeper, kind, ink, CAPITAL * RAD // terms.rate)))

    def _equipped(self, keeper: str, kind: Kind, ink: int, art: int) -> list[Tx]:
        vat, join = self.maker["MCD_VAT"], self.maker.of("MCD_JOIN", kind)
        me, frob = (keeper,) * 3, "frob(bytes32,address,address,address,int256,int256)"
        flips = [self.maker.of("MCD_FLIP", one) for one in KINDS]
        return [
            *self.maker.grant(kind, keeper, ink),
            Tx(keeper, self.maker["ETH"], "approve(address,uint256)", (join, MAX_UINT256)),
            Tx(keeper, join, "join(address,uint256)", (keeper, ink)),
            Tx(keeper, vat, frob, (kind.key, *me, ink, art)),
            *(Tx(keeper, vat, "hope(address)", (flip,)) for flip in flips),
        ]

    def pass_on(self, step: int, steps: int) -> list[Tx]:
        """Prices that moved go from the feeds to the pips and from there to the urns.

        For a while one pip is wrong: lots are sold for far less than their debts.
        """
        everything, wrong = step >= steps - IDLE_STEPS, 0 <= step - int(WRONG * steps) < 3
        txs = []
        for gem in dict.fromkeys(kind.gem for kind in KINDS):
            kinds = [kind for kind in KINDS if kind.gem == gem]
            price = self.maker.feed_price(kinds[0])
            if wrong and gem == "LINK":
                price = price * 11 // 20
            forgotten = self.rng.random() < FORGOTTEN and not everything
            if forgotten or price == self.maker.price(kinds[0]):
                continue
            txs += [self.maker.report(kinds[0], price), *(self.maker.poke(one) for one in kinds)]
        drips = [self.maker.drip(kind) for kind in KINDS if self.rng.random() < DRIPPED]
        return [*txs, *drips]

    def work(self, vaults: Sequence[Vault]) -> None:
        """End what is over, bite, bid in a block each, and cancel out what is lost."""
        self._mine_what_works(self._ended())
        watched = [one for one in vaults if one.account not in self.neglected]
        due = [one for one in watched if self.rng.random() < DILIGENCE]
        self._mine_what_works([self.maker.bite(vault.kind, vault.urn) for vault in due])
        wanted = {
            (one.kind, one.id) for one in read_auctions(self.maker) if self.rng.random() >= UNWANTED
        }
        for _ in range(2):
            terms, lots = read_terms(self.maker), read_auctions(self.maker)
            chosen = [one for one in lots if (one.kind, one.id) in wanted]
            self._mine_what_works([self._bid(one, terms) for one in chosen])
        self._mine_what_works(self._healing())

    def _mine_what_works(self, txs: list[Tx]) -> None:
        works = self.chain.would_succeed(txs)
        useful = [tx for tx, ok in zip(txs, works, strict=True) if ok]
        if useful:
            self.chain.mine(useful)

    def _ended(self) -> list[Tx]:
        """Deliver what was bought; begin again where nobody wanted anything."""
        txs = []
        for one in read_auctions(self.maker):
            flip = self.maker.of("MCD_FLIP", one.kind)
            what = "deal(uint256)" if one.tic else "tick(uint256)"
            txs.append(Tx(BIDDERS[0], flip, what, (one.id,)))
        return txs

    def _bid(self, one: Auction, terms: dict[str, Terms]) -> Tx:
        """First more DAI for the lot; once all that is asked for is offered, for less of it."""
        flip, bidder = self.maker.of("MCD_FLIP", one.kind), self.rng.choice(BIDDERS)
        worth = one.worth(terms[one.kind.ilk])
        if one.bid < one.tab:
            offer = min(one.tab, worth * self.rng.randint(70, 97) // 100)
            return Tx(bidder, flip, "tend(uint256,uint256,uint256)", (one.id, one.lot, offer))
        least = one.tab * WAD // max(1, terms[one.kind.ilk].price * RAY) * 104 // 100
        lot = max(least, one.lot * self.rng.randint(70, 95) // 100)
        return Tx(bidder, flip, "dent(uint256,uint256,uint256)", (one.id, lot, one.bid))

    def _healing(self) -> list[Tx]:
        """Take out of the queue what was bitten a while ago, and cancel debt with surplus.

        Only sometimes: in between, what the auctions did not bring stays on the books.
        """
        if self.rng.random() < 0.6:
            return []
        vat, vow = self.maker["MCD_VAT"], self.maker["MCD_VOW"]
        asked = [(vat, view_data("dai(address)", vow)), (vat, view_data("sin(address)", vow))]
        asked += [(vow, view_data("Sin()")), (vow, view_data("Ash()"))]
        said = (words(answer or "0x")[0] for answer in self.chain.calls(asked))
        surplus, sin, queued, on_auction = said
        amount = min(surplus, sin - queued - on_auction)
        heal = [Tx(BIDDERS[0], vow, "heal(uint256)", (amount,))] if amount > 0 else []
        return [*self._flogs(vow), *heal]

    def _flogs(self, vow: str) -> list[Tx]:
        """For every second in which somebody was bitten."""
        head = self.chain.head
        since = hex(max(1, head - LOOKED_BACK))
        wanted = {"address": self.maker["MCD_CAT"], "fromBlock": since, "topics": [BITE]}
        bitten = self.chain.rpc.call("eth_getLogs", wanted)
        blocks = dict.fromkeys(log["blockNumber"] for log in bitten)
        headers = self.chain.rpc.batch([("eth_getBlockByNumber", [one, False]) for one in blocks])
        eras = [int(header["timestamp"], 16) for header in headers]
        return [Tx(BIDDERS[1], vow, "flog(uint256)", (era,)) for era in eras]


BITE = "0xa716da86bc1fb6d43d1493373f34d7a418b619681cd7b90f7ea667ba1489be28"
"""The topic of `Bite(bytes32,address,uint256,uint256,uint256,address,uint256)`."""
