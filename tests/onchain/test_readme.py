"""Every command that the README shows is run, as it stands there."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.devnet.build import Devnet
from tests.devnet.record import as_toml, deployments

pytestmark = pytest.mark.onchain

ROOT = Path(__file__).resolve().parents[2]
ELSEWHERE = {
    # What the packaging tests and .ci/run do, in environments of their own.
    "pip install . && defirisk demo": "tests/packaging/test_wheel.py",
    "pip install '.[test]' && pytest": ".ci/run",
}


POSITIONS = """protocol,market,account,asset,side,amount
mylend,main,alice,WETH,collateral,2.5
mylend,main,alice,USDC,debt,3000
"""
MARKETS = (
    "protocol,market,asset,price_usd,ltv,liquidation_threshold,liquidation_bonus,close_factor\n"
    "mylend,main,WETH,2000,0.8,0.83,0.05,0.5\n"
    "mylend,main,USDC,1,0.75,0.78,0.045,0.5\n"
)


def shown(file: str) -> list[str]:
    """The indented command lines of a Markdown file, without their comments."""
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    commands = [line.strip().partition("  #")[0].strip() for line in lines if line[:4] == "    "]
    starts = ("defirisk", "pip", "pytest", "python", ".ci")
    return [command for command in commands if command.startswith(starts)]


COMMANDS = [command for command in shown("README.md") if command not in ELSEWHERE]


@pytest.fixture(scope="module")
def folder(devnet: Devnet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which everything was done that the README says to do, up to indexing."""
    folder = tmp_path_factory.mktemp("readme")
    run("defirisk init", folder, devnet)
    with (folder / "defirisk.toml").open("a", encoding="utf-8") as settings:
        for one in deployments(devnet.deployment):
            settings.write(as_toml(one))
    for command in COMMANDS:
        if command.startswith("defirisk index"):
            run(command, folder, devnet)
    (folder / "positions.csv").write_text(POSITIONS, encoding="utf-8")
    (folder / "markets.csv").write_text(MARKETS, encoding="utf-8")
    return folder


def run(command: str, folder: Path, devnet: Devnet) -> str:
    environment = {**os.environ, "ETH_RPC_URL": devnet.url, "PYTHONPATH": str(ROOT)}
    words = [os.path.expandvars(word) for word in shlex.split(command)]
    meant = {"$ETH_RPC_URL": devnet.url, "aave-v3-ethereum": "aave-v3-devnet"}
    words = [meant.get(word, word) for word in words]
    done = subprocess.run(
        [sys.executable, "-m", "defirisk", *words[1:]],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


def test_the_readme_shows_commands() -> None:
    assert len(COMMANDS) >= 10
    assert set(ELSEWHERE) <= set(shown("README.md"))
    for file in ELSEWHERE.values():
        assert (ROOT / file).is_file()
    assert "pip install '.[test]' && pytest" in (ROOT / ".ci/run").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "command", [c for c in COMMANDS if not c.startswith(("defirisk init", "defirisk index"))]
)
def test_a_command_of_the_readme_runs(command: str, folder: Path, devnet: Devnet) -> None:
    out = run(command, folder, devnet)

    written = folder / "aave.html"
    assert out.strip() or written.stat().st_size > 1_000_000


def test_the_picture_of_the_readme_is_there() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")

    picture = ROOT / text.partition("](docs/")[2].partition(")")[0].join(["docs/", ""])
    assert picture.suffix == ".png"
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_every_command_of_the_program_is_in_the_readme_or_in_its_own_help() -> None:
    help_text = subprocess.run(
        [sys.executable, "-m", "defirisk", "--help"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    ).stdout

    names = {command.split()[1] for command in shown("README.md") if command[:9] == "defirisk "}
    assert names <= set(help_text.split())
