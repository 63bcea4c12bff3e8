"""What the tokens of a generated chain hold after a block, added up from its logs when asked."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from threading import Lock

from benchmarks.generated_blocks import GeneratedChain, Tip

Held = defaultdict[tuple[int, int], int]
"""Balances by token and account, each by its place."""


class Ledger:
    """Supplies are kept for every block that was passed, balances for the last one asked for."""

    def __init__(self, chain: GeneratedChain) -> None:
        self._chain = chain
        self._lock = Lock()
        self._supplies: list[tuple[int, int, tuple[int, ...]]] = []
        self._balances: tuple[Tip, int, Held] = (chain.tip, 0, defaultdict(int))

    def supply(self, token: int, number: int, tip: Tip) -> int:
        """The total supply of a token after a block."""
        with self._lock:
            known = self._supplies
            while known and (known[-1][0] > tip.head or tip.fork(known[-1][0]) != known[-1][1]):
                known.pop()
            after, *_, supplies = known[-1] if known else (0, 0, (0,) * len(self._chain.tokens))
            now = [*supplies]
            for block, fork in self._chain.eventful(after + 1, number, tip):
                for of, sender, receiver, amount in self._chain.transfers(block, fork):
                    now[of] += amount * ((sender == 0) - (receiver == 0))
                known.append((block, fork, tuple(now)))
            at = bisect_right(known, number, key=lambda one: one[0]) - 1
            return known[at][2][token] if at >= 0 else 0

    def balance(self, token: int, account: str, number: int, tip: Tip) -> int:
        """What an account holds of a token after a block."""
        with self._lock:
            of, after, held = self._balances
            if after > number or [*of.segments(0, after)] != [*tip.segments(0, after)]:
                after, held = 0, defaultdict(int)
            for block, fork in self._chain.eventful(after + 1, number, tip):
                for moved, sender, receiver, amount in self._chain.transfers(block, fork):
                    held[moved, sender] -= amount
                    held[moved, receiver] += amount
            self._balances = (tip, number, held)
            if account not in self._chain.accounts[1:]:
                return 0
            return held[token, self._chain.accounts.index(account)]
