"""Anonymous logs that repeat a call, as Maker's contracts write them, read as that call.

`LogNote(bytes4 indexed sig, bytes32 indexed arg1, bytes32 indexed arg2, bytes32 indexed arg3, bytes
data)` is anonymous: its first topic is the selector of the function that was called, its data the
call itself, cut or filled with zeros to 224 bytes (dss, LibNote).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_hash.auto import keccak

from defirisk.chain.codec import abi_entries, parameters_of, signature_of
from defirisk.chain.words import DecodeError, compile_sequence

_WORD = 32
_SELECTOR = 4
_TOPICS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteCodec:
    """The notes of one function. They decode to its arguments by name."""

    name: str
    signature: str
    topic0: bytes
    names: tuple[str, ...]
    _arguments: Callable[[bytes], Sequence[object]]

    def decode(self, topics: tuple[bytes, ...], data: bytes) -> dict[str, object]:
        """The arguments of the call. Errors: `DecodeError`."""
        if len(topics) != _TOPICS or topics[0] != self.topic0:
            raise DecodeError(f"these {len(topics)} topics are not those of a note")
        call = self._call(data)
        end = _SELECTOR + _WORD * len(self.names)
        if call[:_SELECTOR] != self.topic0[:_SELECTOR] or len(call) < end:
            raise DecodeError(f"{self.signature}: the note holds another call, or a part of it")
        try:
            return dict(zip(self.names, self._arguments(call[_SELECTOR:end]), strict=True))
        except DecodeError as error:
            raise DecodeError(f"{self.signature}: {error}") from None

    def _call(self, data: bytes) -> bytes:
        if int.from_bytes(data[:_WORD], "big") != _WORD:
            raise DecodeError(f"{self.signature}: the note has no call")
        size = int.from_bytes(data[_WORD : 2 * _WORD], "big")
        return data[2 * _WORD : 2 * _WORD + size]


def load_notes(abi_name: str, functions: Iterable[str]) -> dict[str, NoteCodec]:
    """Notes of functions of abis/ABI_NAME.json, whose arguments are all static.

    A name may be a whole signature. Errors: `UsageError` as `codec.load_events`.
    """
    return {name: compile_note(abi_entries(abi_name, "function", name)[0]) for name in functions}


def compile_note(entry: Mapping[str, Any]) -> NoteCodec:
    """The codec of a JSON ABI function entry."""
    signature = signature_of(entry)
    names, types = parameters_of(entry)
    return NoteCodec(
        name=entry["name"],
        signature=signature,
        topic0=keccak(signature.encode())[:_SELECTOR].ljust(_WORD, b"\0"),
        names=names,
        _arguments=compile_sequence(types),
    )
