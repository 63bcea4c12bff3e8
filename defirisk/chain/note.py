"""Anonymous logs that repeat a call, as Maker's contracts write them, read as that call.

`LogNote(bytes4 indexed sig, bytes32 indexed arg1, bytes32 indexed arg2, bytes32 indexed arg3, bytes
data)` is anonymous: its first topic is the selector of the function that was called, its data the
call itself, cut or filled with zeros to 224 bytes (dss, LibNote). In most contracts the first of
the three arguments is the caller instead; in the Vat it is not. Whoever calls may fill the unused
bits of an address with anything: these contracts ignore them, so they are ignored here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_hash.auto import keccak

from defirisk.chain.codec import abi_entries, parameters_of, signature_of
from defirisk.chain.words import DecodeError, compile_sequence
from defirisk.core.evm import CALLER

_WORD = 32
_SELECTOR = 4
_TOPICS = 4
_ADDRESS = 20


def _low_address(word: bytes) -> str:
    return "0x" + word[-_ADDRESS:].hex()


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteCodec:
    """The notes of one function. They decode to its arguments by name, and the `CALLER`."""

    name: str
    signature: str
    topic0: bytes
    names: tuple[str, ...]
    says_caller: bool
    _words: Callable[[bytes], Sequence[object]]
    _addresses: frozenset[int]

    def decode(self, topics: tuple[bytes, ...], data: bytes) -> dict[str, object]:
        """The arguments of the call. Errors: `DecodeError`."""
        if len(topics) != _TOPICS or topics[0] != self.topic0:
            raise DecodeError(f"these {len(topics)} topics are not those of a note")
        call = self._call(data)
        end = _SELECTOR + _WORD * len(self.names)
        if call[:_SELECTOR] != self.topic0[:_SELECTOR] or len(call) < end:
            raise DecodeError(f"{self.signature}: the note holds another call, or a part of it")
        try:
            words = self._words(call[_SELECTOR:end])
        except DecodeError as error:
            raise DecodeError(f"{self.signature}: {error}") from None
        values = [
            _low_address(word) if n in self._addresses and isinstance(word, bytes) else word
            for n, word in enumerate(words)
        ]
        caller = {CALLER: _low_address(topics[1])} if self.says_caller else {}
        return {**dict(zip(self.names, values, strict=True)), **caller}

    def _call(self, data: bytes) -> bytes:
        if int.from_bytes(data[:_WORD], "big") != _WORD:
            raise DecodeError(f"{self.signature}: the note has no call")
        size = int.from_bytes(data[_WORD : 2 * _WORD], "big")
        return data[2 * _WORD : 2 * _WORD + size]


def load_notes(abi_name: str, functions: Iterable[str]) -> dict[str, NoteCodec]:
    """Notes of functions of abis/ABI_NAME.json, whose arguments are all static.

    A name may be a whole signature. The file's entry of the anonymous event says whether notes have
    the caller. Errors: `UsageError` as `codec.load_events`.
    """
    note = abi_entries(abi_name, "event", "LogNote")[0]
    says_caller = note["inputs"][1]["type"] == "address"
    entries = {name: abi_entries(abi_name, "function", name)[0] for name in functions}
    return {name: compile_note(entry, says_caller) for name, entry in entries.items()}


def compile_note(entry: Mapping[str, Any], says_caller: bool = False) -> NoteCodec:
    """The codec of a JSON ABI function entry."""
    signature = signature_of(entry)
    names, types = parameters_of(entry)
    return NoteCodec(
        name=entry["name"],
        signature=signature,
        topic0=keccak(signature.encode())[:_SELECTOR].ljust(_WORD, b"\0"),
        names=names,
        says_caller=says_caller,
        _words=compile_sequence(["bytes32" if one == "address" else one for one in types]),
        _addresses=frozenset(n for n, one in enumerate(types) if one == "address"),
    )
