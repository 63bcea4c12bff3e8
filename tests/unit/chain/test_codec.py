"""Our decoders accept and return exactly what eth-abi does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_hash.auto import keccak
from hypothesis import example, given, settings
from hypothesis import strategies as st

from defirisk.chain import codec
from defirisk.chain.codec import EncodeError, compile_event, compile_function
from defirisk.chain.words import DecodeError, compile_sequence, compile_topic, compile_word
from defirisk.core.errors import UsageError

STATIC = [
    "address",
    "bool",
    *(f"uint{bits}" for bits in (8, 16, 24, 32, 40, 64, 96, 104, 112, 128, 160, 248, 256)),
    *(f"int{bits}" for bits in (8, 16, 24, 56, 128, 184, 248, 256)),
    *(f"bytes{size}" for size in (1, 4, 8, 20, 31, 32)),
]
DYNAMIC = [
    "bytes",
    "string",
    "uint256[]",
    "address[3]",
    "(uint8,bytes)[]",
    "(bool,int24)",
    "bytes32[2][]",
]
WORD = st.binary(min_size=32, max_size=32)
# Random words are nearly never valid: most should be almost right.
NEARLY = st.one_of(
    WORD,
    st.integers(0, 300).map(lambda n: n.to_bytes(32, "big")),
    st.integers(-300, 300).map(lambda n: n.to_bytes(32, "big", signed=True)),
    st.binary(min_size=20, max_size=20).map(lambda b: bytes(12) + b),
    st.binary(min_size=16, max_size=20).map(lambda b: b.rjust(32, b"\0")),
    st.binary(max_size=8).map(lambda b: b.ljust(32, b"\0")),
    st.integers(0, 255).map(lambda bit: (1 << bit).to_bytes(32, "big")),
    st.integers(0, 255).map(lambda bit: ((1 << 256) - (1 << bit)).to_bytes(32, "big")),
)


def value_of(abi_type: str) -> st.SearchStrategy[Any]:
    """Valid values of an ABI type."""
    if abi_type.endswith("]"):
        item, _, length = abi_type[:-1].rpartition("[")
        least, most = (int(length), int(length)) if length else (0, 3)
        return st.lists(value_of(item), min_size=least, max_size=most).map(tuple)
    if abi_type.startswith("("):
        return st.tuples(*(value_of(part) for part in abi_type[1:-1].split(",")))
    if abi_type == "address":
        return st.binary(min_size=20, max_size=20).map(lambda b: "0x" + b.hex())
    if abi_type in ("bool", "bytes", "string"):
        simple: dict[str, st.SearchStrategy[Any]] = {
            "bool": st.booleans(),
            "bytes": st.binary(max_size=70),
            "string": st.text(max_size=40),
        }
        return simple[abi_type]
    size = int("".join(filter(str.isdigit, abi_type)))
    if abi_type.startswith("bytes"):
        return st.binary(min_size=size, max_size=size)
    if abi_type.startswith("uint"):
        return st.integers(0, 2**size - 1)
    return st.integers(-(2 ** (size - 1)), 2 ** (size - 1) - 1)


def outcome(read: Callable[[], Any]) -> object:
    """What a decoder returns, or that it refused."""
    try:
        return tuple(read())
    except (DecodeError, DecodingError, OverflowError, UnicodeDecodeError):
        return "refused"


def agree(types: Sequence[str], data: bytes) -> object:
    ours = outcome(lambda: compile_sequence(types)(data))
    assert ours == outcome(lambda: decode(types, data))
    return ours


@given(st.data())
def test_valid_values_of_static_types(data: st.DataObject) -> None:
    types = data.draw(st.lists(st.sampled_from(STATIC), max_size=8))
    values = tuple(data.draw(value_of(abi_type)) for abi_type in types)
    trailing = data.draw(st.binary(max_size=40))
    assert agree(types, encode(types, values) + trailing) == values


@given(st.data())
def test_valid_values_with_dynamic_types(data: st.DataObject) -> None:
    types = data.draw(st.lists(st.sampled_from(STATIC + DYNAMIC), min_size=1, max_size=4))
    values = tuple(data.draw(value_of(abi_type)) for abi_type in types)
    assert agree(types, encode(types, values)) == values


@pytest.mark.parametrize("abi_type", STATIC)
@given(word=NEARLY)
@settings(max_examples=60)
@example(word=bytes(32))
@example(word=bytes(31) + b"\x01")
@example(word=bytes(31) + b"\x02")
@example(word=b"\xff" * 32)
@example(word=b"\x80" + bytes(31))
def test_any_word_is_read_or_refused_as_eth_abi_does(abi_type: str, word: bytes) -> None:
    ours = agree([abi_type], word)
    assert outcome(lambda: [compile_topic(abi_type)(word)]) == ours


@given(
    st.lists(st.sampled_from(STATIC), max_size=4),
    st.lists(NEARLY, max_size=5),
    st.binary(max_size=31),
)
def test_garbage_for_static_types(types: list[str], words: list[bytes], rest: bytes) -> None:
    agree(types, b"".join(words) + rest)


@given(
    st.lists(st.sampled_from(STATIC + DYNAMIC), min_size=1, max_size=3),
    st.lists(NEARLY, max_size=8),
    st.binary(max_size=31),
)
def test_garbage_for_dynamic_types(types: list[str], words: list[bytes], rest: bytes) -> None:
    agree(types, b"".join(words) + rest)


def parameter(abi_type: str, name: str, indexed: bool = False) -> dict[str, Any]:
    return {"type": abi_type, "name": name, "indexed": indexed}


SUPPLY = compile_event(
    {
        "type": "event",
        "name": "Supply",
        "inputs": [
            parameter("address", "reserve", True),
            parameter("address", "user"),
            parameter("address", "onBehalfOf", True),
            parameter("uint256", "amount"),
            parameter("uint16", "referralCode", True),
        ],
    }
)


def topic(abi_type: str, value: object) -> bytes:
    return encode([abi_type], [value])


def test_an_event_of_static_words() -> None:
    one, two, three = ("0x" + digit * 40 for digit in "1ab")
    topics = (SUPPLY.topic0, topic("address", one), topic("address", two), topic("uint16", 7))
    fields = SUPPLY.decode(topics, encode(["address", "uint256"], [three, 2**200]))
    assert fields == {
        "reserve": one,
        "onBehalfOf": two,
        "referralCode": 7,
        "user": three,
        "amount": 2**200,
    }
    assert SUPPLY.signature == "Supply(address,address,address,uint256,uint16)"
    assert SUPPLY.topic0 == keccak(SUPPLY.signature.encode())
    assert SUPPLY.layouts[3].indexed_names == ("reserve", "onBehalfOf", "referralCode")
    assert SUPPLY.layouts[3].data_names == ("user", "amount")


@pytest.mark.parametrize(
    ("count", "topics", "data"),
    [
        (3, (), bytes(64)),
        (5, (), bytes(64)),
        (4, (bytes(32),), bytes(64)),
        (4, (), bytes(63)),
        (4, (), b""),
        (4, (SUPPLY.topic0, bytes(31)), bytes(64)),
        (4, (SUPPLY.topic0, b"\x01" * 32), bytes(64)),
        (4, (), b"\x01" + bytes(63)),
    ],
)
def test_malformed_events_are_refused(count: int, topics: tuple[bytes, ...], data: bytes) -> None:
    given = topics or (SUPPLY.topic0,)
    with pytest.raises(DecodeError, match="Supply"):
        SUPPLY.decode(given + (bytes(32),) * (count - len(given)), data)


def test_an_event_of_structs_and_dynamic_types() -> None:
    struct = {
        "type": "tuple[]",
        "name": "legs",
        "components": [parameter("address", "to"), parameter("bytes", "data")],
    }
    event = compile_event(
        {
            "type": "event",
            "name": "Done",
            "inputs": [
                parameter("string", "label", True),
                struct | {"name": "hashed", "indexed": True},
                struct,
                parameter("string", ""),
            ],
        }
    )
    assert event.signature == "Done(string,(address,bytes)[],(address,bytes)[],string)"
    legs = (("0x" + "12" * 20, b"abc"),)
    data = encode(["(address,bytes)[]", "string"], [legs, "x"])
    hashes = (keccak(b"label"), keccak(b"legs"))
    assert event.decode((event.topic0, *hashes), data) == {
        "label": hashes[0],
        "hashed": hashes[1],
        "legs": legs,
        "arg3": "x",
    }
    with pytest.raises(DecodeError, match="Done"):
        event.decode((event.topic0, *hashes), data[:-1])


def test_functions() -> None:
    balance_of = codec.load_functions("ERC20", ["balanceOf"])["balanceOf"]
    holder = "0x" + "ab" * 20
    assert balance_of.selector.hex() == "70a08231"
    assert balance_of.encode([holder]) == balance_of.selector + topic("address", holder)
    assert balance_of.decode(topic("uint256", 5)) == (5,)
    with pytest.raises(DecodeError, match="balanceOf"):
        balance_of.decode(b"")
    for args in ([], [holder, 1], ["0x12"], [7]):
        with pytest.raises(EncodeError, match="balanceOf"):
            balance_of.encode(args)


def test_events_are_loaded_by_name_or_signature() -> None:
    signature = "Transfer(address,address,uint256)"
    events = codec.load_events("ERC20", ["Transfer", signature])
    assert list(events) == ["Transfer", signature]
    assert events["Transfer"].topic0.hex().startswith("ddf252ad")
    with pytest.raises(UsageError, match=r"has no event Nothing: name one of .*Transfer"):
        codec.load_events("ERC20", ["Nothing"])
    with pytest.raises(UsageError, match="missing"):
        codec.load_events("NoSuchAbi", ["Nothing"])


def test_an_overloaded_name_has_to_be_spelled_out(monkeypatch: pytest.MonkeyPatch) -> None:
    abi = """{"abi": [
        {"type": "function", "name": "f", "inputs": [{"type": "uint8", "name": ""}]},
        {"type": "function", "name": "f", "inputs": []}
    ]}"""
    monkeypatch.setattr(codec, "read_text", lambda *_: abi)
    with pytest.raises(
        UsageError, match=r"more than one function f: name one of f\(\), f\(uint8\)"
    ):
        codec.load_functions("Overloaded", ["f"])
    assert codec.load_functions("Overloaded", ["f()"])["f()"].input_types == ()
    monkeypatch.setattr(codec, "read_text", lambda *_: "{")
    with pytest.raises(UsageError, match="is no JSON"):
        codec.load_functions("Broken", ["f"])


@pytest.mark.parametrize(
    "entry",
    [
        {"name": "E", "inputs": [], "anonymous": True},
        {"name": "E", "inputs": [parameter("bool", "a"), parameter("bool", "a", True)]},
        {"name": "E", "inputs": [parameter("uint7", "a")]},
        {"name": "E", "inputs": [parameter("struct X", "a", True)]},
    ],
)
def test_what_cannot_be_decoded_is_refused_at_once(entry: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        compile_event(entry)


def test_rare_types() -> None:
    assert compile_word("uint7") is None
    assert compile_word("bytes33") is None
    function = compile_function(
        {"name": "f", "inputs": [], "outputs": [parameter("fixed128x18", "x")]}
    )
    assert str(function.decode(topic("uint256", 10**18))[0]) == "1"
    assert str(compile_topic("fixed128x18")(topic("uint256", 10**18))) == "1"
