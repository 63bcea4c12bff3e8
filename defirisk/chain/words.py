"""Decoding of ABI-encoded values: static words by slicing, all else through eth-abi.

The words accept what eth-abi's strict decoding accepts: padding of the wrong bits is an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from eth_abi.abi import decode, is_encodable_type
from eth_abi.exceptions import DecodingError

from defirisk.core.errors import DefiriskError, UsageError

WordReader = Callable[[bytes], object]

_NO_ADDRESS_BITS = bytes(12)
_FALSE, _TRUE = bytes(32), bytes(31) + b"\x01"
# Single words too, but not worth a reader of our own.
_RARE_WORD = re.compile(r"u?fixed\d+x\d+|function")
_SIZED = re.compile(r"(u?int|bytes)(\d+)")


class DecodeError(DefiriskError):
    """Bytes that are no valid encoding of what they should hold."""


def compile_word(abi_type: str) -> WordReader | None:
    """The reader of a 32-byte word of this type; None where the type is no single static word."""
    if abi_type == "address":
        return _read_address
    if abi_type == "bool":
        return _read_bool
    sized = _SIZED.fullmatch(abi_type)
    if sized is None or not is_encodable_type(abi_type):
        return None
    size = int(sized[2])
    if sized[1] == "bytes":
        return _bytes_reader(size)
    return _uint_reader(size) if sized[1] == "uint" else _int_reader(size)


def compile_sequence(types: Sequence[str]) -> Callable[[bytes], Sequence[object]]:
    """The reader of values encoded one after another, as in a log's data or a view's answer."""
    _refuse_unknown(types)
    words = [compile_word(abi_type) for abi_type in types]
    readers = [word for word in words if word is not None]
    if len(readers) < len(types):
        return _through_eth_abi(tuple(types))
    places = [(reader, 32 * i, 32 * i + 32) for i, reader in enumerate(readers)]
    length = 32 * len(readers)

    def read(data: bytes) -> Sequence[object]:
        if len(data) < length:
            raise DecodeError(f"{len(data)} bytes where at least {length} are needed")
        return [reader(data[start:end]) for reader, start, end in places]

    return read


def compile_topic(abi_type: str) -> WordReader:
    """The reader of an indexed value; of what does not fit a word, only the hash is there."""
    _refuse_unknown([abi_type])
    reader = compile_word(abi_type)
    if reader is None and _RARE_WORD.fullmatch(abi_type):
        through = _through_eth_abi([abi_type])
        return lambda topic: through(topic)[0]

    def read(topic: bytes) -> object:
        if len(topic) != 32:
            raise DecodeError(f"a topic of {len(topic)} bytes")
        return topic if reader is None else reader(topic)

    return read


def _refuse_unknown(types: Sequence[str]) -> None:
    for abi_type in types:
        if not is_encodable_type(abi_type):
            raise UsageError(f"{abi_type} is not an ABI type that can be decoded")


def _through_eth_abi(types: Sequence[str]) -> Callable[[bytes], Sequence[object]]:
    # A string is encoded as bytes are. On-chain text need not be UTF-8, and must not stop a run.
    encoded = ["bytes" if abi_type == "string" else abi_type for abi_type in types]

    def read(data: bytes) -> Sequence[object]:
        try:
            return [
                value.decode("utf-8", "replace") if abi_type == "string" else value
                for abi_type, value in zip(types, decode(encoded, data), strict=True)
            ]
        # Absurd lengths overflow, and text may be no UTF-8: eth-abi lets both through.
        except (DecodingError, OverflowError, UnicodeDecodeError, MemoryError) as error:
            raise DecodeError(f"not an encoding of ({','.join(types)}): {error}") from error

    return read


def _read_address(word: bytes) -> str:
    if word[:12] != _NO_ADDRESS_BITS:
        raise DecodeError(f"0x{word.hex()} is not an address")
    return "0x" + word[12:].hex()


def _read_bool(word: bytes) -> bool:
    if word == _TRUE:
        return True
    if word != _FALSE:
        raise DecodeError(f"0x{word.hex()} is not a bool")
    return False


def _uint_reader(bits: int) -> WordReader:
    if bits == 256:
        return int.from_bytes
    limit = 1 << bits

    def read(word: bytes) -> int:
        value = int.from_bytes(word)
        if value >= limit:
            raise DecodeError(f"0x{word.hex()} is not a uint{bits}")
        return value

    return read


def _int_reader(bits: int) -> WordReader:
    limit = 1 << (bits - 1)

    def read(word: bytes) -> int:
        value = int.from_bytes(word, signed=True)
        if not -limit <= value < limit:
            raise DecodeError(f"0x{word.hex()} is not an int{bits}")
        return value

    return read


def _bytes_reader(size: int) -> WordReader:
    padding = bytes(32 - size)

    def read(word: bytes) -> bytes:
        if word[size:] != padding:
            raise DecodeError(f"0x{word.hex()} is not a bytes{size}")
        return word[:size]

    return read
