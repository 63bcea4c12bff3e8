"""Maker's anonymous notes decode to the call that they repeat."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from defirisk.chain.note import NoteCodec, compile_note
from defirisk.chain.words import DecodeError
from defirisk.core.evm import CALLER

FROB = {
    "type": "function",
    "name": "frob",
    "inputs": [
        {"name": name, "type": kind}
        for name, kind in (
            ("i", "bytes32"),
            ("u", "address"),
            ("v", "address"),
            ("w", "address"),
            ("dink", "int256"),
            ("dart", "int256"),
        )
    ],
}
NOTED = 224  # bytes of every call that the contracts' assembly keeps
SIGNED = st.integers(-(2**255), 2**255 - 1)
ADDRESS = st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex())


@pytest.fixture(scope="module")
def frob() -> NoteCodec:
    return compile_note(FROB)


def note(codec: NoteCodec, call: bytes) -> tuple[tuple[bytes, ...], bytes]:
    """The topics and the data that the modifier of dss writes for this call."""
    words = [call[4 + 32 * n : 36 + 32 * n].ljust(32, b"\0") for n in range(3)]
    topics = (call[:4].ljust(32, b"\0"), *words)
    return topics, encode(["uint256", "uint256"], [32, NOTED]) + call.ljust(NOTED, b"\0")[:NOTED]


def call_of(codec: NoteCodec, args: tuple[object, ...]) -> bytes:
    kinds = [parameter["type"] for parameter in FROB["inputs"]]  # type: ignore[index]
    return codec.topic0[:4] + encode(kinds, args)


@given(st.binary(min_size=32, max_size=32), ADDRESS, ADDRESS, ADDRESS, SIGNED, SIGNED)
def test_a_note_holds_the_arguments_of_its_call(
    i: bytes, u: str, v: str, w: str, dink: int, dart: int
) -> None:
    frob = compile_note(FROB)
    topics, data = note(frob, call_of(frob, (i, u, v, w, dink, dart)))

    decoded = frob.decode(topics, data)

    assert decoded == {"i": i, "u": u, "v": v, "w": w, "dink": dink, "dart": dart}


def test_unused_bits_of_an_address_are_ignored_as_the_contract_ignores_them(
    frob: NoteCodec,
) -> None:
    """Anybody can call the Vat with such an address, and the call succeeds."""
    somebody = "0x" + "12" * 20
    topics, data = note(frob, call_of(frob, (b"ETH-A".ljust(32, b"\0"), *[somebody] * 3, 1, -1)))

    dirty = data[:100] + b"\xff" * 12 + data[112:]

    assert frob.decode(topics, dirty) == frob.decode(topics, data)
    assert frob.decode(topics, dirty)["u"] == somebody


def test_the_caller_is_said_where_notes_have_it(frob: NoteCodec) -> None:
    poke = compile_note({"type": "function", "name": "drip", "inputs": FROB["inputs"][:1]}, True)
    topics, data = note(poke, poke.topic0[:4] + b"ETH-A".ljust(32, b"\0"))
    caller = b"\0" * 12 + b"\x34" * 20

    decoded = poke.decode((topics[0], caller, *topics[2:]), data)

    assert decoded == {"i": b"ETH-A".ljust(32, b"\0"), CALLER: "0x" + "34" * 20}
    assert CALLER not in frob.names


def test_its_topic_is_the_selector_and_zeros(frob: NoteCodec) -> None:
    assert frob.topic0.hex() == "76088703" + "00" * 28  # Vat.frob, as on every chain


def test_what_is_no_such_note_is_refused(frob: NoteCodec) -> None:
    nobody = "0x" + "00" * 20
    topics, data = note(frob, call_of(frob, (b"ETH-A".ljust(32, b"\0"), *[nobody] * 3, 1, -1)))

    for wrong in (
        (topics[:3], data),
        ((b"\1" * 32, *topics[1:]), data),
        (topics, data[:100]),
        (topics, b""),
        (topics, data[:64] + b"\xff" + data[65:]),
        (topics, b"\0" * len(data)),
    ):
        with pytest.raises(DecodeError):
            frob.decode(*wrong)
