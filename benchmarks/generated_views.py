"""What the contracts of a generated chain answer to eth_call, at any block.

Every token is an ERC-4626 vault whose share is worth one unit of `underlying`, so that the product
folds its transfers. Calls go one by one, or through an aggregator that is put in place by a state
override (Multicall3's aggregate3).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from eth_abi.abi import decode, encode
from eth_hash.auto import keccak

from benchmarks.generated_blocks import GeneratedChain, Tip
from benchmarks.generated_ledger import Ledger

Answered = bytes | None
"""None where the call reverts."""
DECIMALS = 18


def _selector(signature: str) -> bytes:
    return keccak(signature.encode())[:4]


def _number(value: int) -> bytes:
    return value.to_bytes(32, "big")


def _text(value: str) -> bytes:
    return encode(["string"], [value])


AGGREGATE = _selector("aggregate3((address,bool,bytes)[])")
_View = Callable[["Views", int, bytes], bytes]


class Views:
    """The state after one block."""

    def __init__(self, chain: GeneratedChain, ledger: Ledger, number: int, tip: Tip) -> None:
        self._chain = chain
        self._ledger = ledger
        self._number = number
        self._tip = tip

    def call(self, to: str, data: bytes, overridden: Mapping[str, object]) -> Answered:
        """What a call answers; without code there is nothing to revert."""
        if to in overridden:
            return self._aggregate(data)
        if to == self._chain.underlying:
            return self._word(data, "UNDER", "Underlying")
        if to not in self._chain.tokens:
            return b""
        token = self._chain.tokens.index(to)
        view = _VIEWS.get(data[:4])
        if view is not None:
            return view(self, token, data[4:])
        return self._word(data, f"GEN{token}", f"Generated {token}")

    def _aggregate(self, data: bytes) -> Answered:
        if data[:4] != AGGREGATE:
            return None
        (calls,) = decode(["(address,bool,bytes)[]"], data[4:])
        answers = [self.call(to.lower(), inner, {}) for to, _, inner in calls]
        said: Sequence[tuple[bool, bytes]] = [(one is not None, one or b"") for one in answers]
        return encode(["(bool,bytes)[]"], [said])

    def _word(self, data: bytes, symbol: str, name: str) -> Answered:
        words = {
            _SYMBOL: _text(symbol),
            _NAME: _text(name),
            _DECIMALS: _number(DECIMALS),
        }
        return words.get(data[:4])

    def _supply(self, token: int, arguments: bytes) -> bytes:
        return _number(self._ledger.supply(token, self._number, self._tip))

    def _balance(self, token: int, arguments: bytes) -> bytes:
        account = "0x" + arguments[12:32].hex()
        return _number(self._ledger.balance(token, account, self._number, self._tip))

    def _same(self, token: int, arguments: bytes) -> bytes:
        return arguments[:32]

    def _asset(self, token: int, arguments: bytes) -> bytes:
        return bytes.fromhex(self._chain.underlying[2:]).rjust(32, b"\0")


_SYMBOL, _NAME, _DECIMALS = map(_selector, ("symbol()", "name()", "decimals()"))
_VIEWS: Mapping[bytes, _View] = {
    _selector("totalSupply()"): Views._supply,
    _selector("totalAssets()"): Views._supply,
    _selector("balanceOf(address)"): Views._balance,
    _selector("convertToAssets(uint256)"): Views._same,
    _selector("convertToShares(uint256)"): Views._same,
    _selector("asset()"): Views._asset,
}
