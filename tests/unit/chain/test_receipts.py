"""How receipts of every type are encoded, against encodings that are spelled out."""

from __future__ import annotations

from typing import Any

import pytest
import rlp

from defirisk.chain.node_errors import Overwhelmed
from defirisk.chain.receipts import encoded

BLOOM = "0x" + "00" * 255 + "01"
LOG = {"address": "0x" + "11" * 20, "topics": ["0x" + "22" * 32], "data": "0x3344"}
BODY = [
    b"\x01",
    b"\x52\x08",
    bytes(255) + b"\x01",
    [[b"\x11" * 20, [b"\x22" * 32], b"\x33\x44"]],
]


def receipt(**fields: Any) -> dict[str, Any]:
    plain = {"status": "0x1", "cumulativeGasUsed": "0x5208", "logsBloom": BLOOM, "logs": [LOG]}
    return {**plain, **fields}


@pytest.mark.parametrize("kind", [1, 2, 3, 4, 0x64, 0x6A, 0x78])
def test_a_type_stands_before_its_receipt(kind: int) -> None:
    assert encoded(receipt(type=hex(kind))) == bytes([kind]) + rlp.encode(BODY)


@pytest.mark.parametrize("fields", [{}, {"type": "0x0"}, {"type": None}])
def test_a_legacy_receipt_has_no_type(fields: dict[str, Any]) -> None:
    assert encoded(receipt(**fields)) == rlp.encode(BODY)


def test_before_byzantium_there_is_a_root_instead_of_a_status() -> None:
    old = receipt(root="0x" + "44" * 32, status=None)
    assert encoded(old) == rlp.encode([b"\x44" * 32, *BODY[1:]])
    assert encoded(receipt(status="0x0")) == rlp.encode([b"", *BODY[1:]])


def test_a_deposit_of_the_op_stack_counts_its_nonce_since_canyon() -> None:
    regolith = receipt(type="0x7e", depositNonce="0x294893c")
    canyon = {**regolith, "depositReceiptVersion": "0x1"}
    assert encoded(regolith) == b"\x7e" + rlp.encode(BODY)
    assert encoded(canyon) == b"\x7e" + rlp.encode([*BODY, b"\x02\x94\x89\x3c", b"\x01"])


@pytest.mark.parametrize(
    "fields", [{"logs": None}, {"status": None}, {"logsBloom": "0x00"}, {"logs": [{"topics": []}]}]
)
def test_a_receipt_without_a_field_is_a_broken_answer(fields: dict[str, Any]) -> None:
    with pytest.raises(Overwhelmed):
        encoded(receipt(**fields))
