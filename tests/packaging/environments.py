"""Virtual environments that install the project offline, with this environment's dependencies."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

# Read after the installed package's own .pth file, so that the package itself is found first.
DEPENDENCIES = "zz_dependencies.pth"
# What this process was started with must not decide what the others import.
DROPPED = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "DEFIRISK_DB", "DATABASE_URL", "ETH_RPC_URL")


@dataclass(frozen=True)
class Environment:
    """A virtual environment with nothing of its own but what was installed into it."""

    home: Path

    @property
    def scripts(self) -> Path:
        """The folder of its console scripts."""
        return self.home / ("Scripts" if os.name == "nt" else "bin")

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.scripts / "python"

    def pip_install(self, *what: str) -> None:
        """Exactly this and nothing else, from files alone."""
        # The running environment's own copy must neither count as this one nor be touched.
        offline = ("--ignore-installed", "--no-deps", "--no-index", "--no-build-isolation")
        run(str(self.python), "-m", "pip", "install", "--quiet", *offline, *what, cwd=self.home)

    def says(self, code: str, cwd: Path) -> list[str]:
        """The lines that a snippet prints."""
        return run(str(self.python), "-c", code, cwd=cwd).stdout.splitlines()


def environment(home: Path) -> Environment:
    """A new environment that sees the dependencies installed in the running one."""
    venv.create(home, with_pip=False, symlinks=os.name != "nt")
    made = Environment(home)
    query = "import sysconfig; print(sysconfig.get_path('purelib'))"
    own = Path(run(str(made.python), "-c", query, cwd=home).stdout.strip())
    ours = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    (own / DEPENDENCIES).write_text("".join(f"{path}\n" for path in ours), encoding="utf-8")
    return made


def run(*command: str, cwd: Path, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Runs to the end and must succeed; `path` goes onto PYTHONPATH."""
    env = {name: value for name, value in os.environ.items() if name not in DROPPED}
    if path is not None:
        env["PYTHONPATH"] = str(path)
    done = subprocess.run(
        command, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done
