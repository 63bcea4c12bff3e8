"""All logs of a block are told from all but some of them."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from defirisk.chain.block_proofs import BlockLogs, BloomDiffers, read_block_logs
from defirisk.chain.bloom import bloom_of
from defirisk.chain.node_errors import Overwhelmed
from defirisk.chain.receipts import state_sync_hash
from defirisk.core.evm import Block, LogQuery, RawLog
from tests.unit.chain.small_chain import APPROVAL, TRANSFER, A, B, C, a_log, header

LOGS = [a_log(5, at, (A, B, A, C)[at % 4], (TRANSFER, APPROVAL)[at % 2]) for at in range(9)]


def block_of(logs: list[RawLog]) -> Block:
    return replace(header(5), logs_bloom=bloom_of(logs).to_bytes(256, "big"))


def served(logs: list[RawLog], **fields: Any) -> list[dict[str, Any]]:
    return [
        {
            "blockNumber": hex(log.block_number),
            "blockHash": log.block_hash,
            "transactionHash": log.tx_hash,
            "logIndex": hex(log.log_index),
            "address": log.address,
            "topics": ["0x" + topic.hex() for topic in log.topics],
            "data": "0x" + log.data.hex(),
            **fields,
        }
        for log in logs
    ]


def test_the_whole_block_is_a_proof_in_any_order() -> None:
    block = block_of(LOGS)
    proof = read_block_logs(block, served(LOGS[::-1]))
    assert proof == BlockLogs(block, tuple(LOGS))
    assert proof.logs(LogQuery(addresses=(A,))) == LOGS[::2]
    assert proof.logs(LogQuery(addresses=(A, B, C), topics0=(APPROVAL,))) == LOGS[1::2]
    assert proof.logs(LogQuery(addresses=("0x" + "77" * 20,))) == []


def test_nothing_less_is() -> None:
    block, draw = block_of(LOGS), random.Random(1)
    for _ in range(200):
        some = draw.sample(LOGS, draw.randint(0, len(LOGS) - 1))
        with pytest.raises(BloomDiffers):
            read_block_logs(block, served(some))


def test_a_gap_tells_of_a_log_that_set_no_bit_of_its_own() -> None:
    twins = [replace(LOGS[0], log_index=at) for at in range(3)]
    with pytest.raises(BloomDiffers):
        read_block_logs(block_of(twins), served([twins[0], twins[2]]))
    with pytest.raises(BloomDiffers):
        read_block_logs(block_of(twins), served([twins[0], twins[0], twins[1], twins[2]]))


@pytest.mark.parametrize("other", [{"blockHash": "0x" + "44" * 32}, {"blockNumber": "0x6"}])
def test_logs_of_another_block_are_no_answer(other: dict[str, str]) -> None:
    with pytest.raises(Overwhelmed, match="not of block 5"):
        read_block_logs(block_of(LOGS), served(LOGS, **other))


def test_state_sync_logs_set_no_bit() -> None:
    block = block_of(LOGS)
    own = replace(a_log(5, len(LOGS), C, b"\x09" * 32), tx_hash=state_sync_hash(block))
    assert read_block_logs(block, served([*LOGS, own])).held == (*LOGS, own)


def test_a_block_without_logs_is_proven_by_an_empty_bloom() -> None:
    assert read_block_logs(block_of([]), []).held == ()
