"""The file format of recordings: JSON lines under xz, the same content always the same bytes.

First line   {"defirisk_recording": 1, "chain_id", "head", "safe", "finalized"}
Tables       {"addresses": [..]}, {"topics": [..]}: all that occur, sorted; later lines give places
Block        {"block": n, "hash", "parent", "time", "txs": [..], "logs": [[tx, index, address,
             [topic, ..], data], ..]}; no "parent" where it is the line before, no "time" either
             where only logs are known
Call         {"calls": n, "answers": [[address, calldata, ok, answer], ..]}
Covered      {"covered": [[first, last], ..], "addresses": [..], "topics": [..] or null}
Last line    {"end": number of lines before it}
Hex is written without 0x.
"""

from __future__ import annotations

import lzma
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson

from defirisk.chain.recording import Recording
from defirisk.core.errors import UsageError
from defirisk.core.evm import Block, CallResult, RawLog

VERSION = 1
# Higher levels need hundreds of megabytes and gain nothing on a few megabytes of text.
_PRESET = 6 | lzma.PRESET_EXTREME


def write_recording(recording: Recording, path: Path) -> None:
    """Write the file whole or not at all."""
    unfinished = path.with_name(path.name + ".part")
    with lzma.open(unfinished, "wb", preset=_PRESET) as file:
        count = 0
        for line in _lines(recording):
            file.write(orjson.dumps(line) + b"\n")
            count += 1
        file.write(orjson.dumps({"end": count}) + b"\n")
    os.replace(unfinished, path)


def read_recording(path: Path) -> Recording:
    """Errors: `UsageError` where the file is missing, damaged, or of a newer version."""
    try:
        with lzma.open(path, "rb") as file:
            return _Reading(path).read(file)
    except FileNotFoundError:
        raise UsageError(f"there is no recording {path}") from None
    except (lzma.LZMAError, EOFError, OSError) as error:
        raise UsageError(f"{path} cannot be read ({error}): get the recording again") from error
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise UsageError(
            f"{path} is damaged ({type(error).__name__}: {error}): get the recording again"
        ) from error


def _lines(recording: Recording) -> Iterator[dict[str, Any]]:
    head = recording.head
    yield {
        "defirisk_recording": VERSION,
        "chain_id": recording.chain_id,
        "head": {
            "number": head.number,
            "hash": head.hash,
            "parent_hash": head.parent_hash,
            "timestamp": head.timestamp,
        },
        "safe": recording.safe,
        "finalized": recording.finalized,
    }
    covered = recording.coverage.groups()
    logs = [log for of_block in recording.logs.values() for log in of_block.values()]
    addresses = {log.address for log in logs} | {a for _, group, _ in covered for a in group}
    addresses |= {to for answers in recording.calls.values() for to, _ in answers}
    topics = {t for log in logs for t in log.topics} | {t for _, _, ts in covered for t in ts or ()}
    tables = _Tables(sorted(addresses), sorted(topics))
    yield {"addresses": [address[2:] for address in tables.addresses]}
    yield {"topics": [topic.hex() for topic in tables.topics]}
    yield from tables.block_lines(recording)
    for number, answers in sorted(recording.calls.items()):
        yield {"calls": number, "answers": [tables.call(k, v) for k, v in sorted(answers.items())]}
    for intervals, group, group_topics in covered:
        yield {
            "covered": intervals,
            "addresses": [tables.addresses[address] for address in group],
            "topics": group_topics and [tables.topics[topic] for topic in group_topics],
        }


class _Tables:
    """The place of each address and topic."""

    def __init__(self, addresses: Iterable[str], topics: Iterable[bytes]) -> None:
        self.addresses = {address: place for place, address in enumerate(addresses)}
        self.topics = {topic: place for place, topic in enumerate(topics)}

    def call(self, key: tuple[str, bytes], result: CallResult) -> list[object]:
        to, data = key
        return [self.addresses[to], data.hex(), int(result.ok), result.data.hex()]

    def block_lines(self, recording: Recording) -> Iterator[dict[str, Any]]:
        before = ""
        for number in sorted(recording.blocks.keys() | recording.logs.keys()):
            logs = [log for _, log in sorted(recording.logs.get(number, {}).items())]
            header = recording.blocks.get(number)
            line: dict[str, Any] = {"block": number}
            line["hash"] = (header.hash if header is not None else logs[0].block_hash)[2:]
            if header is not None:
                if header.parent_hash != before:
                    line["parent"] = header.parent_hash[2:]
                line["time"] = header.timestamp
            if logs:
                txs = {tx: place for place, tx in enumerate(dict.fromkeys(x.tx_hash for x in logs))}
                line["txs"] = [tx[2:] for tx in txs]
                line["logs"] = [self._log(log, txs[log.tx_hash]) for log in logs]
            yield line
            before = "0x" + line["hash"]

    def _log(self, log: RawLog, tx: int) -> list[object]:
        topics = [self.topics[topic] for topic in log.topics]
        return [tx, log.log_index, self.addresses[log.address], topics, log.data.hex()]


class _Reading:
    """One pass over a file. Damage shows as KeyError, IndexError, TypeError or ValueError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._addresses: list[str] = []
        self._topics: list[bytes] = []
        self._before = ""

    def read(self, lines: Iterable[bytes]) -> Recording:
        parsed = (orjson.loads(text) for text in lines)
        recording = self._start(next(parsed, None))
        end: object = None
        # To the very end of the file: only there does xz compare its checksum.
        for count, line in enumerate(parsed, start=1):
            if end is not None:
                raise ValueError("there are lines after its end")
            if "end" not in line:
                self._add(recording, line)
            elif line["end"] == count:
                end = count
            else:
                raise ValueError(f"{count} lines where {line['end']} were written")
        if end is None:
            raise ValueError("its end is missing")
        return recording

    def _start(self, line: Any) -> Recording:
        version = line.get("defirisk_recording") if isinstance(line, dict) else None
        if not isinstance(version, int):
            raise ValueError("it is no defirisk recording")
        if version > VERSION:
            raise UsageError(
                f"{self._path} has recording format {version}, this defirisk knows {VERSION}: "
                "upgrade defirisk"
            )
        return Recording(
            chain_id=line["chain_id"],
            head=Block(**line["head"]),
            safe=line["safe"],
            finalized=line["finalized"],
        )

    def _add(self, recording: Recording, line: dict[str, Any]) -> None:
        if "block" in line:
            self._add_block(recording, line)
        elif "calls" in line:
            for to, data, ok, answer in line["answers"]:
                result = CallResult(ok == 1, bytes.fromhex(answer))
                recording.add_call(
                    line["calls"], (self._addresses[to], bytes.fromhex(data)), result
                )
        elif "covered" in line:
            self._add_covered(recording, line)
        elif "addresses" in line:
            self._addresses = ["0x" + address for address in line["addresses"]]
        else:
            self._topics = [bytes.fromhex(topic) for topic in line["topics"]]

    def _add_block(self, recording: Recording, line: dict[str, Any]) -> None:
        number, block_hash = line["block"], "0x" + line["hash"]
        if "time" in line:
            parent = "0x" + line["parent"] if "parent" in line else self._before
            recording.add_block(
                Block(number=number, hash=block_hash, parent_hash=parent, timestamp=line["time"])
            )
        self._before = block_hash
        if "logs" not in line:
            return
        txs = ["0x" + tx for tx in line["txs"]]
        recording.add_logs(
            RawLog(
                block_number=number,
                block_hash=block_hash,
                tx_hash=txs[tx],
                log_index=index,
                address=self._addresses[address],
                topics=tuple(self._topics[topic] for topic in topics),
                data=bytes.fromhex(data),
            )
            for tx, index, address, topics, data in line["logs"]
        )

    def _add_covered(self, recording: Recording, line: dict[str, Any]) -> None:
        keys = [None] if line["topics"] is None else [self._topics[t] for t in line["topics"]]
        intervals = [(first, last) for first, last in line["covered"]]
        for address in line["addresses"]:
            for topic in keys:
                recording.coverage.extend((self._addresses[address], topic), intervals)
