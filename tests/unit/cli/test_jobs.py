"""The jobs are what their schedulers take, in folders of any name, and tell no secret."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
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


def test_systemd_is_told_when_and_that_an_overlap_is_no_failure(tmp_path: Path) -> None:
    units = job_files("systemd", schedule(tmp_path))
    assert "\nOnUnitInactiveSec=10min\n" in units["defirisk-index.timer"]
    assert "\nOnCalendar=*-*-* 02:15:00\n" in units["defirisk-nightly.timer"]
    follow = job_files("systemd", schedule(tmp_path, follow=True))["defirisk-follow.service"]
    services = {
        "index": units["defirisk-index.service"],
        "nightly": units["defirisk-nightly.service"],
        '"index" "--follow"': follow,
    }
    for words, text in services.items():
        (start,) = (line for line in text.splitlines() if line.startswith("ExecStart="))
        assert start.endswith(f" {words}" if "--" in words else f' "{words}"')
        assert "\nSuccessExitStatus=4\n" in text
        assert f"\nEnvironmentFile=-{tmp_path}/.env\n" in text
    assert "\nRestart=on-failure\n" in follow


def ran_in_compose(tmp_path: Path, name: str, ends_at: str) -> list[str]:
    """What a service's endless loop runs, up to the program that ends it here."""
    bin_, log = tmp_path / "bin", tmp_path / "log"
    bin_.mkdir(exist_ok=True)
    for program in ("defirisk", "sleep"):
        over = 'kill "$PPID"' if program == ends_at else ":"
        script = f'#!/bin/sh\necho "{program} $* $DATABASE_URL" >>{log}\n{over}\n'
        (bin_ / program).write_text(script)
        (bin_ / program).chmod(0o755)
    (text,) = job_files("compose", schedule(tmp_path)).values()
    words = [word.replace("$$", "$") for word in yaml.safe_load(text)["services"][name]["command"]]
    path = f"{bin_}{os.pathsep}{os.environ['PATH']}"
    environment = {"PATH": path, "POSTGRES_PASSWORD": "pw", "TZ": "UTC"}
    subprocess.run(words, env=environment, timeout=30, check=False)
    said = log.read_text().splitlines()
    log.unlink()
    return said


def test_the_loops_of_compose_do_what_they_say(tmp_path: Path) -> None:
    store = "postgresql+psycopg://defirisk:pw@postgres/defirisk"
    assert ran_in_compose(tmp_path, "index", "sleep") == [
        f"defirisk index {store}",
        f"sleep 600 {store}",
    ]
    before = time.time()
    waited, nightly = ran_in_compose(tmp_path, "nightly", "defirisk")
    assert nightly == f"defirisk nightly {store}"
    seconds = int(waited.split()[1])
    assert 0 < seconds <= 86_400
    woken = (before + seconds - (2 * 60 + 15) * 60) % 86_400
    assert min(woken, 86_400 - woken) < 30


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
