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
from typing import Any

from eth_abi.abi import encode
from eth_abi.exceptions import EncodingError
from eth_hash.auto import keccak

from defirisk.chain.unrolled import Decode, unrolled
from defirisk.chain.words import DecodeError, compile_sequence, compile_topic
from defirisk.core.errors import DefiriskError, UsageError
from defirisk.resources import read_text


class EncodeError(DefiriskError):
    """The arguments do not fit the function."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where an event's fields are: `indexed_names` in its topics, `data_names` in its data.

    `decode` gives the fields by name, of all topics and the data. Errors: `DecodeError`.
    """

    indexed_names: tuple[str, ...]
    data_names: tuple[str, ...]
    decode: Decode


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCodec:
    """One event, in every layout in which contracts emit it, by the number of indexed fields.

    What is indexed is not part of a signature: forks index other fields than what they are of.
    """

    name: str
    signature: str
    topic0: bytes
    layouts: Mapping[int, Layout]

    def decode(self, topics: tuple[bytes, ...], data: bytes) -> dict[str, object]:
        """The event's fields by name, indexed ones first.

        An indexed value of dynamic type is its 32-byte hash. Errors: `DecodeError`.
        """
        layout = self.layouts.get(len(topics) - 1)
        if layout is None or topics[0] != self.topic0:
            raise DecodeError(f"these {len(topics)} topics are not those of {self.signature}")
        try:
            return layout.decode(topics, data)
        except DecodeError as error:
            raise DecodeError(f"{self.signature}: {error}") from None


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


def compile_event(*entries: Mapping[str, Any]) -> EventCodec:
    """The codec of the JSON ABI entries of one event, which differ in what is indexed.

    Errors: `UsageError` where they cannot be used, or their logs not be told apart.
    """
    signature = signature_of(entries[0])
    layouts: dict[int, Layout] = {}
    for entry in entries:
        layout = _layout(entry)
        if layouts.setdefault(len(layout.indexed_names), layout) is not layout:
            raise UsageError(f"two entries of {signature} index as many fields: leave one out")
    return EventCodec(
        name=entries[0]["name"],
        signature=signature,
        topic0=keccak(signature.encode()),
        layouts=layouts,
    )


def _layout(entry: Mapping[str, Any]) -> Layout:
    inputs = entry["inputs"]
    signature = signature_of(entry)
    if entry.get("anonymous"):
        raise UsageError(f"{signature} is anonymous: it has no topic to find it by")
    types = dict(zip(_names(inputs, signature), map(_type, inputs), strict=True))
    marked = {n for n, i in zip(types, inputs, strict=True) if i.get("indexed")}
    indexed = {name: abi_type for name, abi_type in types.items() if name in marked}
    data = {name: abi_type for name, abi_type in types.items() if name not in marked}
    checked = word_by_word(indexed, data)
    return Layout(
        indexed_names=tuple(indexed),
        data_names=tuple(data),
        decode=unrolled(indexed, data, checked) or checked,
    )


def word_by_word(indexed: Mapping[str, str], data: Mapping[str, str]) -> Decode:
    """Decoding by one reader per field, whatever their types; it says what is wrong."""
    topic_readers = [compile_topic(abi_type) for abi_type in indexed.values()]
    read_data = compile_sequence(list(data.values()))

    def decode(topics: Sequence[bytes], words: bytes) -> dict[str, object]:
        fields = {
            name: read(topic)
            for name, read, topic in zip(indexed, topic_readers, topics[1:], strict=True)
        }
        fields.update(zip(data, read_data(words), strict=True))
        return fields

    return decode


def compile_function(entry: Mapping[str, Any]) -> FunctionCodec:
    """The codec of a JSON ABI function entry. Errors: `UsageError` where it cannot be used."""
    signature = signature_of(entry)
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

    A name may be a whole signature, which tells overloads apart. Entries of one signature are its
    layouts. Errors: `UsageError` where the file or the event is missing, or the name means several.
    """
    return {name: compile_event(*abi_entries(abi_name, "event", name)) for name in names}


def load_functions(abi_name: str, names: Iterable[str]) -> dict[str, FunctionCodec]:
    """Functions of abis/ABI_NAME.json by the names asked for. See `load_events`."""
    return {name: compile_function(abi_entries(abi_name, "function", name)[0]) for name in names}


def abi_entries(abi_name: str, kind: str, name: str) -> list[dict[str, Any]]:
    """The entries of abis/ABI_NAME.json of the one signature that `name` stands for."""
    entries = _entries(abi_name, kind)
    meant = [e for e in entries if name in (e["name"], signature_of(e))]
    if len(set(map(signature_of, meant))) != 1:
        known = ", ".join(sorted(map(signature_of, meant or entries)))
        problem = "has no" if not meant else "has more than one"
        raise UsageError(f"abis/{abi_name}.json {problem} {kind} {name}: name one of {known}")
    return meant


@cache
def _entries(abi_name: str, kind: str) -> list[dict[str, Any]]:
    try:
        parsed = json.loads(read_text("abis", f"{abi_name}.json"))
    except ValueError as error:
        raise UsageError(f"abis/{abi_name}.json is no JSON ({error}): reinstall defirisk") from None
    # Compilers wrap the list of entries in an object.
    entries = parsed["abi"] if isinstance(parsed, dict) else parsed
    return [entry for entry in entries if entry.get("type") == kind]


def parameters_of(entry: Mapping[str, Any]) -> tuple[tuple[str, ...], list[str]]:
    """Names and canonical types of an entry's inputs."""
    inputs = entry["inputs"]
    return _names(inputs, signature_of(entry)), [_type(parameter) for parameter in inputs]


def signature_of(entry: Mapping[str, Any]) -> str:
    """The canonical signature of an ABI entry."""
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
