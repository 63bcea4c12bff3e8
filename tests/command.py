"""The command line as a test types it, in this process: exit code, stdout and stderr."""

from __future__ import annotations

import math
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from defirisk.cli import progress
from defirisk.cli.main import run

_CONFIGURATION = ("ETH_RPC_URL", "DATABASE_URL", "DEFIRISK_")


@dataclass(frozen=True)
class Ran:
    """What one command did."""

    code: int
    out: str
    err: str


class CommandLine:
    """Call it with words. Nothing of the surrounding environment configures what it runs."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path
    ) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        self.folder = folder
        for name in list(os.environ):
            if name.startswith(_CONFIGURATION):
                monkeypatch.delenv(name)
        # On a busy machine everything is long work; what a test reads does not depend on that.
        monkeypatch.setattr(progress, "EVERY_SECONDS", math.inf)

    def __call__(self, *words: str, folder: Path | None = None) -> Ran:
        """Runs `defirisk WORDS` in a folder."""
        self._monkeypatch.chdir(folder or self.folder)
        self._monkeypatch.setattr(sys, "argv", ["defirisk", *words])
        self._capsys.readouterr()
        code = run(list(words))
        out, err = self._capsys.readouterr()
        return Ran(code, out, err)

    def refused(self, *words: str, code: int = 2, folder: Path | None = None) -> str:
        """The one- or two-line error of a command that must fail, with nothing on stdout."""
        ran = self(*words, folder=folder)
        assert (ran.code, ran.out) == (code, ""), ran
        lines = ran.err.splitlines()
        assert len(lines) in (1, 2), ran.err
        assert lines[0].startswith("error: "), ran.err
        assert "defect" not in ran.err
        assert "Traceback" not in ran.err
        return ran.err
