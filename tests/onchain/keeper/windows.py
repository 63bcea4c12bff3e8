"""Averaging windows: a shock of prices means that every one of them has passed. A chain cannot wait
without its interest running on, so what the two averages of the shared chain remember is written
instead: as if the pools had stood for the whole window where the shock takes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.devnet.abi import words
from tests.devnet.build import Devnet
from tests.devnet.chain import Chain, Tx
from tests.devnet.oracles.market import PERIOD, PUBLISHER, TWAP_V2, TWAP_V3, WINDOW

from .fork import ETHER, Block, view

OBSERVATIONS = 8  # slot of the array in UniswapV3Pool
INDEX_BIT, CARDINALITY_BIT, PLACES = 184, 200, 16  # of slot0
SECONDS_PER_LIQUIDITY = 1  # nobody reads it
AVERAGE = 3  # slot in TwapV2Feed
WORD = 2**256


def let_them_pass(devnet: Devnet) -> None:
    """Two blocks later both averages are what their pools say, and nothing else has happened."""
    chain = devnet.chain
    chain.fund([PUBLISHER], wei=ETHER)
    update = Tx(PUBLISHER, devnet.protocols.oracles.sources[TWAP_V2].address, "update()")
    for _ in range(2):
        if not chain.mine([update], PERIOD + 1)[0]:
            raise RuntimeError("the average could not be updated")


@dataclass(frozen=True)
class Windows:
    """The two averages, and what they average."""

    chain: Chain
    average: str
    pair: str
    first: bool
    pool: str

    @classmethod
    def of(cls, devnet: Devnet) -> Windows:
        """Of the shared chain."""
        sources = devnet.protocols.oracles.sources
        fixed, rolling = sources[TWAP_V2], sources[TWAP_V3]
        pair, base = fixed.made_of["pair"], fixed.made_of["base"]
        first = words(devnet.chain.call(pair, "token0()"))[0] == int(base, 16)
        return cls(devnet.chain, fixed.address, pair, first, rolling.made_of["pool"])

    def pass_over(self, shocked: Block) -> None:
        """Write what they would remember had the pools been for long where `shocked` leaves them.

        The average of the pair is only written anew by who closes its period, which takes longer
        than the rounds of a cascade.
        """
        reserves, slot0 = shocked.asked(
            [view(self.pair, "getReserves()"), view(self.pool, "slot0()")]
        )
        own, other = reserves.words[:2] if self.first else reserves.words[1::-1]
        before = words(self.chain.call(self.pair, "getReserves()"))
        if before[:2] != reserves.words[:2]:
            self._write(self.average, {AVERAGE: (other << 112) // own})
        was, now = words(self.chain.call(self.pool, "slot0()"))[1], slot0.words[1]
        if was != now:
            self._remember(_signed(was), _signed(now), shocked.time - self.chain.time)

    def _remember(self, was: int, now: int, seconds: int) -> None:
        """Three observations, of which the pool will find the last one made at the head.

        It will add a fourth in the next block, `seconds` later, for which it counts the tick where
        the pool was: so the second before the head counts for the difference.
        """
        head, early = self.chain.time, 2 * WINDOW
        sums = (0, (early - 1) * now, early * now + seconds * (now - was))
        times = (head - early, head - 1, head)
        pool = int(self.chain.rpc.call("eth_getStorageAt", self.pool, hex(0), "latest"), 16)
        count = pool >> CARDINALITY_BIT & (1 << PLACES) - 1
        slots = dict.fromkeys(range(OBSERVATIONS, OBSERVATIONS + count), 0)
        for place, (time, total) in enumerate(zip(times, sums, strict=True)):
            slots[OBSERVATIONS + place] = _observation(time, total)
        cleared = pool & ~((1 << PLACES) - 1 << INDEX_BIT)
        slots[0] = cleared | len(times) - 1 << INDEX_BIT
        self._write(self.pool, slots)

    def _write(self, contract: str, slots: Mapping[int, int]) -> None:
        for slot, word in slots.items():
            place, value = hex(slot), f"0x{word % WORD:064x}"
            self.chain.rpc.call("anvil_setStorageAt", contract, place, value)


def _observation(time: int, total: int) -> int:
    """A slot of the array: time, sum of ticks, seconds per liquidity, and that it is there."""
    return time | total % 2**56 << 32 | SECONDS_PER_LIQUIDITY << 88 | 1 << 248


def _signed(word: int) -> int:
    return word - WORD if word >= WORD // 2 else word
