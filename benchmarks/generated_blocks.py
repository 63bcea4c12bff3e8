"""Blocks of a generated chain, each computed from its number alone. See `generated_chain`."""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b, shake_128

from benchmarks.receipts_trie import bloom_bits, rlp, rlp_number, trie_root

TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
WHALES = 8
"""Accounts that are given so much in block 1 that nobody ever spends more than they have."""
ENDOWMENT = 10**30
_ACCOUNTS = 1_000
_CACHED_BYTES = 400_000_000
_DRAW = struct.Struct("<HHIQ")

Transfer = tuple[int, int, int, int]
"""Token, sender, receiver and amount; the first three by their place. Account 0 is the zero one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainShape:
    """What a chain is made of; the same shape always makes the same chain.

    `blocks` is the number of the first head. One block in `every` has logs, `logs_per_block` of
    them in `transactions` transactions. Distances are in blocks behind the head.
    """

    blocks: int = 1_000
    every: int = 10
    logs_per_block: int = 10
    tokens: int = 1
    transactions: int = 2
    seed: int = 1
    chain_id: int = 31_337
    first_timestamp: int = 1_700_000_000
    block_seconds: int = 12
    log_timestamps: bool = True
    safe_distance: int = 8
    finalized_distance: int = 64


@dataclass(frozen=True, slots=True)
class Tip:
    """The canonical chain of one moment: block n is of the last fork that starts at or before n."""

    head: int
    starts: tuple[int, ...] = (0,)
    forks: tuple[int, ...] = (0,)

    def fork(self, number: int) -> int:
        """Of which fork a block is."""
        return self.forks[bisect_right(self.starts, number) - 1]

    def segments(self, first: int, last: int) -> Iterator[tuple[int, int, int]]:
        """First block, last block and fork of each stretch of [first, last]."""
        for at, (start, fork) in enumerate(zip(self.starts, self.forks, strict=True)):
            end = self.starts[at + 1] - 1 if at + 1 < len(self.starts) else self.head
            if max(first, start) <= min(last, end):
                yield max(first, start), min(last, end), fork


class GeneratedChain:
    """A chain of ERC-20 transfers. `tip` says which of all possible blocks are its own."""

    def __init__(self, shape: ChainShape) -> None:
        self.shape = shape
        self.tip = Tip(shape.blocks)
        key = b"defirisk generated chain %d" % shape.seed
        self._key = blake2b(key, digest_size=32).digest()
        self.tokens = [self._address("token", place) for place in range(shape.tokens)]
        self.underlying = self._address("underlying", 0)
        self.accounts = [
            "0x" + "0" * 40,
            *(self._address("account", place) for place in range(_ACCOUNTS)),
        ]
        self._words = ["0x" + "0" * 24 + account[2:] for account in self.accounts]
        topic = bloom_bits(bytes.fromhex(TRANSFER[2:]))
        self._token_bits = [topic | bloom_bits(bytes.fromhex(t[2:])) for t in self.tokens]
        self._rendered: dict[tuple[int, int], bytes] = {}
        self._rendered_bytes = 0
        self.receipts_root = lru_cache(maxsize=200_000)(self._receipts_root)

    def _address(self, what: str, place: int) -> str:
        return "0x" + blake2b(b"%s %d" % (what.encode(), place), key=self._key).hexdigest()[:40]

    # What is canonical.

    def mine(self, count: int = 1) -> None:
        """More blocks on top."""
        self.tip = Tip(self.tip.head + count, self.tip.starts, self.tip.forks)

    def reorg(self, depth: int, seed: int) -> None:
        """The last `depth` blocks give way to others, with other logs in other blocks.

        The same seed at the same place gives the same blocks. Block 0 stays.
        """
        first = max(1, self.tip.head - depth + 1)
        kept = [
            (start, fork)
            for start, fork in zip(self.tip.starts, self.tip.forks, strict=True)
            if start < first
        ]
        # Made of what it forks off, so that no hash ever has two parents.
        origin = b"%d %d %d" % (kept[-1][1], first, seed)
        fork = int.from_bytes(blake2b(origin, digest_size=6).digest(), "big")
        starts, forks = zip(*kept, (first, fork or 1), strict=True)
        self.tip = Tip(self.tip.head, starts, forks)

    def hash(self, number: int, tip: Tip) -> str:
        """A block's hash: it ends with the number, so that a block can be found by it."""
        return self._hash(number, tip.fork(number)) if number >= 0 else "0x" + "0" * 64

    def _hash(self, number: int, fork: int) -> str:
        made = blake2b(struct.pack("<QQ", number, fork), key=self._key, digest_size=28)
        return f"0x{made.hexdigest()}{number:08x}"

    def number_of(self, block_hash: str, tip: Tip) -> int | None:
        """The number of a canonical block; None where the hash is none's."""
        number = int(block_hash[-8:], 16)
        return number if number <= tip.head and self.hash(number, tip) == block_hash else None

    def timestamp(self, number: int, fork: int) -> int:
        """Blocks of different forks have different times."""
        shape = self.shape
        return shape.first_timestamp + number * shape.block_seconds + fork % shape.block_seconds

    # What is in a block.

    def eventful(self, first: int, last: int, tip: Tip) -> Iterator[tuple[int, int]]:
        """Number and fork of each block of [first, last] that has logs."""
        every = self.shape.every
        for start, end, fork in tip.segments(first, last):
            phase = (self.shape.seed + fork) % every
            if start <= 1 <= end and phase != 1 % every:
                yield 1, fork
            begin = max(1, start)
            for number in range(begin + (phase - begin) % every, end + 1, every):
                yield number, fork

    def has_logs(self, number: int, fork: int) -> bool:
        """Whether a block of that fork has any."""
        every = self.shape.every
        return number == 1 or (number > 0 and number % every == (self.shape.seed + fork) % every)

    def log_count(self, number: int, fork: int) -> int:
        """How many; forks differ in it by one or so."""
        if not self.has_logs(number, fork):
            return 0
        if number == 1:
            return WHALES * self.shape.tokens
        return max(1, self.shape.logs_per_block + (fork % 3 - 1 if fork else 0))

    def transfers(self, number: int, fork: int) -> list[Transfer]:
        """The block's logs. One in sixteen mints, one burns, the others move tokens."""
        count = self.log_count(number, fork)
        if number == 1 and count:
            tokens = range(self.shape.tokens)
            return [(t, 0, whale, ENDOWMENT) for t in tokens for whale in range(1, WHALES + 1)]
        drawn = shake_128(self._key + struct.pack("<QQ", number, fork)).digest(16 * count)
        found = []
        for sender, receiver, kind, amount in _DRAW.iter_unpack(drawn):
            one, other = 1 + sender % WHALES, 1 + receiver % _ACCOUNTS
            if kind % 16 == 0:
                one = 0
            elif kind % 16 == 1:
                other = 0
            found.append(((kind >> 16) % self.shape.tokens, one, other, amount))
        return found

    def transaction_hashes(self, number: int, fork: int) -> list[str]:
        """Of the block's transactions, in order."""
        count = min(self.shape.transactions, self.log_count(number, fork))
        key = struct.pack("<QQ", number, fork) + self._key
        return [
            "0x" + blake2b(key + bytes([at]), digest_size=32).hexdigest() for at in range(count)
        ]

    def transaction_of(self, place: int, count: int, transactions: int) -> int:
        """Which transaction made the log at that place: each makes about as many."""
        return place * transactions // count

    def bloom(self, transfers: Sequence[Transfer]) -> int:
        """Of some logs."""
        bits = 0
        for token, sender, receiver, _ in transfers:
            bits |= self._token_bits[token] | self._word_bits(sender) | self._word_bits(receiver)
        return bits

    def _word_bits(self, account: int) -> int:
        return bloom_bits(bytes.fromhex(self._words[account][2:]))

    def _receipts_root(self, number: int, fork: int) -> str:
        values = [
            (b"\x02" if at % 2 else b"")
            + rlp(
                [
                    b"\x01",
                    rlp_number(21_000 * (at + 1)),
                    self.bloom(logs).to_bytes(256, "big"),
                    [self._log_item(transfer) for transfer in logs],
                ]
            )
            for at, logs in enumerate(self.by_transaction(number, fork))
        ]
        return "0x" + trie_root(values).hex()

    def by_transaction(self, number: int, fork: int) -> list[list[Transfer]]:
        """The block's logs, transaction by transaction."""
        transfers = self.transfers(number, fork)
        many = len(self.transaction_hashes(number, fork))
        parts: list[list[Transfer]] = [[] for _ in range(many)]
        for place, transfer in enumerate(transfers):
            parts[self.transaction_of(place, len(transfers), many)].append(transfer)
        return parts

    def _log_item(self, transfer: Transfer) -> list[object]:
        token, sender, receiver, amount = transfer
        words = (TRANSFER, self._words[sender], self._words[receiver])
        topics = [bytes.fromhex(word[2:]) for word in words]
        return [bytes.fromhex(self.tokens[token][2:]), topics, amount.to_bytes(32, "big")]

    # What is served of it.

    def rendered(self, number: int, fork: int) -> bytes:
        """All logs of a block as JSON, with commas between; kept for the next time."""
        found = self._rendered.get((number, fork))
        if found is None:
            found = b",".join(self.log_json(number, fork))
            if self._rendered_bytes > _CACHED_BYTES:
                self._rendered, self._rendered_bytes = {}, 0
            self._rendered[(number, fork)] = found
            self._rendered_bytes += len(found)
        return found

    def log_json(self, number: int, fork: int) -> list[bytes]:
        """Each log of a block as JSON."""
        transfers = self.transfers(number, fork)
        hashes = self.transaction_hashes(number, fork)
        time = self.timestamp(number, fork)
        stamp = f'"blockTimestamp":"{time:#x}",' if self.shape.log_timestamps else ""
        block = f'","blockHash":"{self._hash(number, fork)}","blockNumber":"{number:#x}",{stamp}'
        tails = [
            f'{block}"transactionHash":"{one}","transactionIndex":"{at:#x}","logIndex":"0x'
            for at, one in enumerate(hashes)
        ]
        heads = [f'{{"address":"{one}","topics":["{TRANSFER}","' for one in self.tokens]
        words, count, many = self._words, len(transfers), len(hashes)
        return [
            (
                f'{heads[token]}{words[sender]}","{words[receiver]}"],"data":"0x{amount:064x}'
                f'{tails[place * many // count]}{place:x}","removed":false}}'
            ).encode()
            for place, (token, sender, receiver, amount) in enumerate(transfers)
        ]

    def words_of(self, transfer: Transfer) -> tuple[str, tuple[str, str, str]]:
        """The address and the topics of a log."""
        token, sender, receiver, _ = transfer
        return self.tokens[token], (TRANSFER, self._words[sender], self._words[receiver])


def wanted(words: Sequence[Collection[str] | None], topics: Sequence[str]) -> bool:
    """Whether a log's topics fit a filter's, None standing for any."""
    return len(words) <= len(topics) and all(
        allowed is None or topic in allowed for allowed, topic in zip(words, topics, strict=False)
    )
