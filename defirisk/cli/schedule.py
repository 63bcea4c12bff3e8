"""Cron lines, systemd units and a compose file for one folder with a defirisk.toml."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from defirisk.core.errors import UsageError

ENVIRONMENT = ".env"
"""Beside defirisk.toml: ETH_RPC_URL=… and the like, readable by the jobs' user only."""
LEASE_HELD = 4
"""The exit code of a run that finds another one at work: no failure of a job."""


class Schedule(NamedTuple):
    """When what runs. `folder` is the one with defirisk.toml."""

    folder: Path
    every_minutes: int
    hour: int
    minute: int
    follow: bool


def job_files(kind: str, schedule: Schedule) -> dict[str, str]:
    """The files of a kind of scheduler by their names.

    Errors: `UsageError` where the folder's name cannot be written in them.
    """
    if any(not one.isprintable() for one in str(schedule.folder)):
        raise UsageError("the name of this folder has control characters: rename it first")
    makers: dict[str, Callable[[Schedule], dict[str, str]]] = {
        "cron": _cron,
        "systemd": _systemd,
        "compose": _compose,
    }
    return makers[kind](schedule)


def _program() -> list[str]:
    """This installation, since the jobs' PATH is not this one."""
    found = shutil.which("defirisk")
    return [str(Path(found).resolve())] if found else [sys.executable, "-m", "defirisk"]


def _cron(schedule: Schedule) -> dict[str, str]:
    def line(when: str, words: str, log: str) -> str:
        folder, program = shlex.quote(str(schedule.folder)), shlex.join(_program())
        environment = f"set -a; [ ! -r ./{ENVIRONMENT} ] || . ./{ENVIRONMENT}; set +a"
        job = f"cd {folder} && {{ {environment}; {program} {words} >>{log} 2>&1; }}"
        # In a crontab an unescaped % ends the command.
        return f"{when} {job}".replace("%", "\\%")

    often = f"*/{schedule.every_minutes} * * * *"
    index = line(often, "index", "index.log")
    if schedule.follow:
        index = line("@reboot", "index --follow", "index.log")
    night = line(f"{schedule.minute} {schedule.hour} * * *", "nightly", "nightly.log")
    text = f"# defirisk: secrets such as ETH_RPC_URL come from {ENVIRONMENT} beside defirisk.toml\n"
    return {"crontab": f"{text}{index}\n{night}\n"}


def _systemd(schedule: Schedule) -> dict[str, str]:
    night = f"*-*-* {schedule.hour:02d}:{schedule.minute:02d}:00"
    units = {
        "defirisk-nightly.service": _service(schedule, "nightly run", "nightly"),
        "defirisk-nightly.timer": _timer("nightly run", f"OnCalendar={night}\nPersistent=true"),
    }
    if schedule.follow:
        units["defirisk-follow.service"] = _service(schedule, "indexing", "index --follow")
        return units
    often = f"OnBootSec=1min\nOnUnitInactiveSec={schedule.every_minutes}min"
    units["defirisk-index.service"] = _service(schedule, "indexing", "index")
    units["defirisk-index.timer"] = _timer("indexing", often)
    return units


def _service(schedule: Schedule, what: str, words: str) -> str:
    folder = str(schedule.folder).replace("%", "%%")
    program = " ".join(map(_systemd_word, [*_program(), *words.split()]))
    endless = "--follow" in words
    kind = "simple\nRestart=on-failure\nRestartSec=30" if endless else "oneshot"
    install = "\n[Install]\nWantedBy=multi-user.target\n" if endless else ""
    return f"""[Unit]
Description=defirisk {what}
Wants=network-online.target
After=network-online.target

[Service]
Type={kind}
WorkingDirectory={folder}
EnvironmentFile=-{folder}/{ENVIRONMENT}
ExecStart={program}
SuccessExitStatus={LEASE_HELD}
NoNewPrivileges=true
PrivateTmp=true
ProtectSystem=strict
ReadWritePaths={_systemd_word(str(schedule.folder))}
CacheDirectory=defirisk
Environment=DEFIRISK_CACHE=%C/defirisk
{install}"""


def _systemd_word(word: str) -> str:
    """A word of a command line: % begins a specifier, $ a variable, and quotes need a backslash."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"'


def _timer(what: str, when: str) -> str:
    return f"""[Unit]
Description=defirisk {what}, by the clock

[Timer]
{when}

[Install]
WantedBy=timers.target
"""


def _compose(schedule: Schedule) -> dict[str, str]:
    often = f"sleep {schedule.every_minutes * 60}"
    index = "defirisk index --follow" if schedule.follow else f"defirisk index; {often}"
    at = f"{schedule.hour:02d}:{schedule.minute:02d}"
    until = f'sleep $$(( ($$(date -d "tomorrow {at}" +%s) - $$(date +%s)) % 86400 + 1 ))'
    return {
        "compose.yaml": f"""# Beside defirisk.toml. The file {ENVIRONMENT} holds POSTGRES_PASSWORD
# (letters and digits) and the nodes' addresses, such as ETH_RPC_URL: chmod 600 {ENVIRONMENT}
x-defirisk: &defirisk
  build:
    dockerfile_inline: |
      FROM python:3.11-slim
      RUN pip install --no-cache-dir defirisk
      WORKDIR /risk
  env_file: [{ENVIRONMENT}]
  volumes: [".:/risk"]
  restart: unless-stopped
  depends_on:
    postgres: {{condition: service_healthy}}

services:
  postgres:
    image: postgres:17
    environment:
      POSTGRES_USER: defirisk
      POSTGRES_DB: defirisk
      POSTGRES_PASSWORD: ${{POSTGRES_PASSWORD:?set it in {ENVIRONMENT}}}
    volumes: ["postgres:/var/lib/postgresql/data"]
    healthcheck:
      test: ["CMD-SHELL", "pg_isready -U defirisk"]
      interval: 5s
      retries: 20
    restart: unless-stopped

  index:
    <<: *defirisk
    command: ["sh", "-c", {_endless(index)}]

  nightly:
    <<: *defirisk
    command: ["sh", "-c", {_endless(f"{until}; defirisk nightly")}]

volumes:
  postgres:
"""
    }


def _endless(job: str) -> str:
    """A shell's endless loop around a job, as compose wants it quoted: $$ is one dollar."""
    database = "postgresql+psycopg://defirisk:$$POSTGRES_PASSWORD@postgres/defirisk"
    return json.dumps(f"export DATABASE_URL={database}; while :; do {job}; done")
