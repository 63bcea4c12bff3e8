"""The jobs are what their schedulers take, in folders of any name, and tell no secret."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from defirisk.cli.schedule import Schedule, job_files
from tests.command import CommandLine

NAMES = ["risk", "two words", "50%", "it's $HOME", 'quo"te', "back\\slash"]


def schedule(folder: Path, follow: bool = False) -> Schedule:
    return Schedule(folder=folder, every_minutes=10, hour=2, minute=15, follow=follow)


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An executable called defirisk that says where it was called, how, and what it was given."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "defirisk"
    script.write_text('#!/bin/sh\nprintf "%s|%s|%s" "$(pwd)" "$*" "$ETH_RPC_URL"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return script


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.usefixtures("program")
def test_a_cron_line_runs_in_its_folder_with_its_secrets(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    (folder / ".env").write_text("ETH_RPC_URL=http://node/key\n")
    comment, *lines = job_files("cron", schedule(folder))["crontab"].splitlines()
    assert comment.startswith("#")
    assert [line.split(" ", 5)[:5] for line in lines] == [
        ["*/10", "*", "*", "*", "*"],
        ["15", "2", "*", "*", "*"],
    ]
    for line, log, words in zip(lines, ("index", "nightly"), ("index", "nightly"), strict=True):
        # What cron hands to the shell: \% is a percent sign, and a bare one would end the command.
        job = line.split(" ", 5)[5]
        assert "%" not in job.replace("\\%", "")
        done = subprocess.run(["/bin/sh", "-c", job.replace("\\%", "%")], check=False)
        assert done.returncode == 0
        said = (folder / f"{log}.log").read_text()
        assert said == f"{folder}|{words}|http://node/key"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("follow", [False, True])
def test_systemd_takes_the_units(tmp_path: Path, name: str, follow: bool) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("no systemd-analyze on this machine: the units were not verified")
    folder = tmp_path / name
    folder.mkdir()
    made = job_files("systemd", schedule(folder, follow))
    units = tmp_path / "units"
    units.mkdir()
    for file, text in made.items():
        (units / file).write_text(text)
    paths = [str(units / file) for file in made]
    done = subprocess.run([analyze, "verify", *paths], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("follow", [False, True])
def test_the_compose_file_is_what_a_shell_and_compose_read(tmp_path: Path, follow: bool) -> None:
    (text,) = job_files("compose", schedule(tmp_path, follow)).values()
    services = yaml.safe_load(text)["services"]
    assert set(services) == {"postgres", "index", "nightly"}
    for name in ("index", "nightly"):
        assert services[name]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
        shell, option, job = services[name]["command"]
        words = [shell, "-n", option, job.replace("$$", "$")]
        checked = subprocess.run(words, capture_output=True, text=True, check=True)
        assert checked.stderr == ""
        assert f"defirisk {name}" in job
    assert ("--follow" in services["index"]["command"][2]) == follow


def test_a_folder_whose_name_would_add_lines_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "one\n* * * * * rm"
    for kind in ("cron", "systemd", "compose"):
        with pytest.raises(Exception, match="control characters"):
            job_files(kind, schedule(folder))


def test_jobs_prints_and_writes(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETH_RPC_URL", "https://node.example/v3/0123456789abcdef")
    printed = cli("jobs", "cron", "--every", "5", "--at", "03:30")
    assert printed.code == 0
    assert "*/5 * * * *" in printed.out
    assert "\n30 3 * * *" in printed.out
    assert cli("jobs", "systemd", "-o", "units", "--follow").code == 0
    names = {path.name for path in (cli.folder / "units").iterdir()}
    follow, night = "defirisk-follow.service", "defirisk-nightly"
    assert names == {follow, f"{night}.service", f"{night}.timer"}
    every = [printed.out, *((cli.folder / "units" / name).read_text() for name in names)]
    assert "0123456789abcdef" not in json.dumps(every)
