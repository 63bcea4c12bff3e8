"""The contracts' own answers at chosen blocks, kept raw so that nothing of ours can colour them."""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from .chain import Chain
from .life import Life


class Recorder:
    """Collects checkpoints and writes them as JSON lines."""

    def __init__(self, chain: Chain, lives: Sequence[Life]) -> None:
        self._chain = chain
        self._lives = lives
        self._lines: list[str] = []

    def record(self) -> None:
        """Ask everything at the head."""
        block = self._chain.rpc.call("eth_getBlockByNumber", "latest", False)
        number = int(block["number"], 16)
        questions = [call for life in self._lives for call in life.customs.questions()]
        answers = self._chain.calls(questions, number)
        trials = [tx for life in self._lives for tx in life.customs.trials()]
        said = self._chain.try_out(trials, number)
        entry = {
            "block": number,
            "hash": block["hash"],
            "calls": [[*call, answer] for call, answer in zip(questions, answers, strict=True)],
            "trials": [
                [tx.sender, tx.to, tx.data, result, reason]
                for tx, (result, reason) in zip(trials, said, strict=True)
            ],
        }
        self._lines.append(json.dumps(entry, separators=(",", ":")))

    def write(self, path: Path) -> None:
        """Write the checkpoints recorded so far."""
        with lzma.open(path, "wt", preset=1) as file:
            file.writelines(f"{line}\n" for line in self._lines)


def read_checkpoints(path: Path) -> Iterator[dict[str, Any]]:
    """Checkpoints in block order.

    Each has its block and hash, "calls" as [to, data, result or None where it reverted], and
    "trials", which need a sender: [from, to, data, result or None, data of the revert or None].
    """
    with lzma.open(path, "rt") as file:
        for line in file:
            yield json.loads(line)
