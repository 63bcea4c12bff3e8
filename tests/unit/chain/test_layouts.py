"""One event in several layouts: the same signature, with other fields indexed."""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi.abi import encode

from defirisk.chain import codec
from defirisk.chain.codec import compile_event
from defirisk.chain.words import DecodeError
from defirisk.core.errors import UsageError


def entered(*indexed: str) -> dict[str, Any]:
    """An event of two fields of one type, of which these are indexed."""
    fields = [
        {"type": "address", "name": name, "indexed": name in indexed}
        for name in ("market", "account")
    ]
    return {"type": "event", "name": "Entered", "inputs": fields}


def test_the_number_of_topics_tells_the_layouts_of_one_event_apart() -> None:
    event = compile_event(entered(), entered("account"), entered("market", "account"))
    market, account = ("0x" + digit * 40 for digit in "1a")
    first, second = (encode(["address"], [one]) for one in (market, account))
    fitting: list[tuple[bytes, ...]] = [(), (second,), (first, second)]

    for topics, data in zip(fitting, (first + second, first, b""), strict=True):
        fields = event.decode((event.topic0, *topics), data)
        assert fields == {"market": market, "account": account}
    for topics in (*fitting[:2], (first, second, first)):
        with pytest.raises(DecodeError, match="Entered"):
            event.decode((event.topic0, *topics), b"")
    with pytest.raises(UsageError, match="index as many fields"):
        compile_event(entered("market"), entered("account"))


def test_layouts_are_several_entries_of_one_file(monkeypatch: pytest.MonkeyPatch) -> None:
    other = {"type": "event", "name": "Entered", "inputs": [{"type": "bool", "name": "all"}]}
    abi = [entered(), entered("market", "account"), other]
    monkeypatch.setattr(codec, "_entries", lambda *_: abi)
    signature = "Entered(address,address)"

    assert set(codec.load_events("Fork", [signature])[signature].layouts) == {0, 2}
    with pytest.raises(UsageError, match="more than one event Entered"):
        codec.load_events("Fork", ["Entered"])
