"""The two ABI encodings of Multicall3's aggregate3, by hand: they are on the hot path of `verify`.

aggregate3((address target, bool allowFailure, bytes callData)[]) returns ((bool, bytes)[])
"""

from __future__ import annotations

from collections.abc import Sequence

from defirisk.chain.wire import broken
from defirisk.core.evm import Call, CallResult

_SELECTOR = bytes.fromhex("82ad56cb")
_ITEM_HEAD = 4 * 32  # target, allowFailure, offset of callData, its length


def encode_calls(calls: Sequence[Call]) -> bytes:
    """Calldata of aggregate3 for these views, each allowed to fail."""
    offsets: list[bytes] = []
    items: list[bytes] = []
    offset = 32 * len(calls)
    for call in calls:
        padding = -len(call.data) % 32
        offsets.append(_word(offset))
        items.append(bytes.fromhex(call.to[2:]).rjust(32, b"\0"))
        items.append(_word(1) + _word(96) + _word(len(call.data)))
        items.append(call.data + bytes(padding))
        offset += _ITEM_HEAD + len(call.data) + padding
    return b"".join([_SELECTOR, _word(32), _word(len(calls)), *offsets, *items])


def decode_results(data: bytes, expected: int) -> list[CallResult]:
    """The results of `expected` calls. Errors: `Overwhelmed` where `data` holds anything else."""
    start = _number(data, 0)
    if _number(data, start) != expected:
        broken(f"answer to {expected} aggregated calls")
    base = start + 32
    return [_result(data, base + _number(data, base + 32 * i)) for i in range(expected)]


def _result(data: bytes, at: int) -> CallResult:
    ok = _number(data, at)
    start = at + _number(data, at + 32)
    length = _number(data, start)
    answer = data[start + 32 : start + 32 + length]
    if ok > 1 or len(answer) != length:
        broken("answer to an aggregated call")
    return CallResult(ok == 1, answer)


def _number(data: bytes, at: int) -> int:
    word = data[at : at + 32]
    return int.from_bytes(word, "big") if len(word) == 32 else broken("end of aggregated answers")


def _word(number: int) -> bytes:
    return number.to_bytes(32, "big")
