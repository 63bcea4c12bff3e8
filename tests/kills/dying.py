"""`defirisk` in a process of its own that is killed at a moment of our choice.

The process is forked from one that has imported everything, so that hundreds of them cost little.
It is killed by signal 9, by itself where a point in its work with the database is asked for, else
by us after some time: no handler, no destructor and no `finally` runs.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.kills.preloaded"])
MOST_SECONDS = 300


@dataclass(frozen=True, kw_only=True)
class Death:
    """When: before the `statement`-th word to the database (statements and commits count), or
    after so many `seconds`, or never.
    """

    statement: int = 0
    seconds: float = 0.0


def defirisk(folder: Path, words: Sequence[str], death: Death | None = None) -> int:
    """Runs a command line in a folder; its exit code, -9 where it was killed."""
    process = _CONTEXT.Process(target=_work, args=(str(folder), list(words), death), daemon=True)
    process.start()
    process.join(death.seconds if death and death.seconds else MOST_SECONDS)
    if process.is_alive():
        process.kill()
        process.join()
    assert process.exitcode is not None
    return process.exitcode


def _work(folder: str, words: list[str], death: Death | None) -> None:
    os.chdir(folder)
    for name in list(os.environ):
        if name.startswith(("ETH_RPC_URL", "DATABASE_URL", "DEFIRISK_")):
            del os.environ[name]
    sys.stderr = open("stderr.txt", "a")  # noqa: SIM115
    if death is not None and death.statement:
        _die_at(death.statement)
    from defirisk.cli.main import run

    code = run(words)
    Path("statements.txt").write_text(str(_Count.done))
    os._exit(code)


class _Count:
    done = 0
    last = 0


def _die_at(statement: int) -> None:
    _Count.last = statement


def _said(*_: Any) -> None:
    _Count.done += 1
    if _Count.done == _Count.last:
        os.kill(os.getpid(), signal.SIGKILL)


event.listen(Engine, "before_cursor_execute", _said)
event.listen(Engine, "commit", _said)
