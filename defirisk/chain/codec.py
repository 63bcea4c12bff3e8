"""ABI entries compiled once into fast codecs.

Static words are cut out by slicing; eth-abi does what is dynamic and defines what is acceptable:
both accept exactly the same bytes. Integers decode to int, addresses to lower-case 0x text, bytesN
and bytes to bytes, string to str.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from eth_abi.abi import encode
from eth_abi.exceptions import EncodingError
from eth_hash.auto import keccak

from defirisk.chain.words import DecodeError, compile_sequence, compile_topic
from defirisk.core.errors import DefiriskError, UsageError
from defirisk.resources import read_text

_Codec = TypeVar("_Codec")


class EncodeError(DefiriskError):
    """The arguments do not fit the function."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCodec:
    """One event. `indexed_names` are in its topics, `data_names` in its data."""

    name: str
    signature: str
    topic0: bytes
    indexed_names: tuple[str, ...]
    data_names: tuple[str, ...]
    _topics: tuple[Callable[[bytes], object], ...]
    _data: Callable[[bytes], Sequence[object]]

    def decode(self, topics: tuple[bytes, ...], data: bytes) -> dict[str, object]:
        """The event's fields by name, indexed ones first.

        An indexed value of dynamic type is its 32-byte hash. Errors: `DecodeError`.
        """
        if len(topics) != len(self._topics) + 1 or topics[0] != self.topic0:
            raise DecodeError(f"these {len(topics)} topics are not those of {self.signature}")
        try:
            fields: dict[str, object] = {
                name: read(topic)
                for name, read, topic in zip(
                    self.indexed_names, self._topics, topics[1:], strict=True
                )
            }
            fields.update(zip(self.data_names, self._data(data), strict=True))
        except DecodeError as error:
            raise DecodeError(f"{self.signature}: {error}") from None
        return fields


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionCodec:
    """One view. `input_types` and `output_types` are canonical ABI types."""

    name: str
    signature: str
    selector: bytes
    input_types: tuple[str, ...]
    output_types: tuple[str, ...]
    output_names: tuple[str, ...]
    _outputs: Callable[[bytes], Sequence[object]]

    def encode(self, args: Sequence[object] = ()) -> bytes:
        """Calldata. Errors: `EncodeError`."""
        try:
            return self.selector + encode(self.input_types, args)
        except (EncodingError, TypeError, ValueError) as error:
            raise EncodeError(f"{self.signature} does not take {args!r}: {error}") from error

    def decode(self, data: bytes) -> tuple[Any, ...]:
        """The returned values in order. Errors: `DecodeError`, also where no code answered."""
        try:
            return tuple(self._outputs(data))
        except DecodeError as error:
            raise DecodeError(f"{self.signature}: {error}") from None


def compile_event(entry: Mapping[str, Any]) -> EventCodec:
    """The codec of a JSON ABI event entry. Errors: `UsageError` where it cannot be used."""
    inputs = entry["inputs"]
    signature = _signature(entry)
    if entry.get("anonymous"):
        raise UsageError(f"{signature} is anonymous: it has no topic to find it by")
    names = _names(inputs, signature)
    types = [_type(parameter) for parameter in inputs]
    indexed = [bool(parameter.get("indexed")) for parameter in inputs]
    return EventCodec(
        name=entry["name"],
        signature=signature,
        topic0=keccak(signature.encode()),
        indexed_names=tuple(n for n, i in zip(names, indexed, strict=True) if i),
        data_names=tuple(n for n, i in zip(names, indexed, strict=True) if not i),
        _topics=tuple(compile_topic(t) for t, i in zip(types, indexed, strict=True) if i),
        _data=compile_sequence([t for t, i in zip(types, indexed, strict=True) if not i]),
    )


def compile_function(entry: Mapping[str, Any]) -> FunctionCodec:
    """The codec of a JSON ABI function entry. Errors: `UsageError` where it cannot be used."""
    signature = _signature(entry)
    outputs = entry.get("outputs", [])
    output_types = [_type(parameter) for parameter in outputs]
    return FunctionCodec(
        name=entry["name"],
        signature=signature,
        selector=keccak(signature.encode())[:4],
        input_types=tuple(_type(parameter) for parameter in entry["inputs"]),
        output_types=tuple(output_types),
        output_names=_names(outputs, signature),
        _outputs=compile_sequence(output_types),
    )


def load_events(abi_name: str, names: Iterable[str]) -> dict[str, EventCodec]:
    """Events of abis/ABI_NAME.json by the names asked for.

    A name may be a whole signature, which tells overloads apart. Errors: `UsageError` where the
    file or the event is missing, or the name means several.
    """
    return _load(abi_name, "event", names, compile_event)


def load_functions(abi_name: str, names: Iterable[str]) -> dict[str, FunctionCodec]:
    """Functions of abis/ABI_NAME.json by the names asked for. See `load_events`."""
    return _load(abi_name, "function", names, compile_function)


def _load(
    abi_name: str,
    kind: str,
    names: Iterable[str],
    compiled: Callable[[Mapping[str, Any]], _Codec],
) -> dict[str, _Codec]:
    entries = _entries(abi_name, kind)
    codecs: dict[str, _Codec] = {}
    for name in names:
        meant = [e for e in entries if name in (e["name"], _signature(e))]
        if len(meant) != 1:
            known = ", ".join(sorted(map(_signature, meant or entries)))
            problem = "has no" if not meant else "has more than one"
            raise UsageError(f"abis/{abi_name}.json {problem} {kind} {name}: name one of {known}")
        codecs[name] = compiled(meant[0])
    return codecs


@cache
def _entries(abi_name: str, kind: str) -> list[dict[str, Any]]:
    try:
        parsed = json.loads(read_text("abis", f"{abi_name}.json"))
    except ValueError as error:
        raise UsageError(f"abis/{abi_name}.json is no JSON ({error}): reinstall defirisk") from None
    # Compilers wrap the list of entries in an object.
    entries = parsed["abi"] if isinstance(parsed, dict) else parsed
    return [entry for entry in entries if entry.get("type") == kind]


def _signature(entry: Mapping[str, Any]) -> str:
    return f"{entry['name']}({','.join(map(_type, entry['inputs']))})"


def _type(parameter: Mapping[str, Any]) -> str:
    """The canonical type; a struct is spelled out as a tuple."""
    written = str(parameter["type"])
    if not written.startswith("tuple"):
        return written
    return f"({','.join(map(_type, parameter['components']))}){written[len('tuple') :]}"


def _names(parameters: Sequence[Mapping[str, Any]], signature: str) -> tuple[str, ...]:
    """The parameters' names; a nameless one is called by its place."""
    names = tuple(p.get("name") or f"arg{i}" for i, p in enumerate(parameters))
    if len(set(names)) != len(names):
        raise UsageError(f"{signature} has two parameters of one name: rename one in its ABI")
    return names
