"""The command line as a program of its own, with an installation in a folder."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unit.cli.warm import Ran, warm

TOML = """\
[node]
hostname = "mail.example.test"
data_dir = "data"
run_dir = "run"
[signin]
argon2_memory = "8 MiB"
argon2_iterations = 1
[metrics]
port = 0
"""


@dataclass(frozen=True)
class Program:
    """See the module. ``config`` stands in ``folder``, with short paths for its sockets."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "malleposte.toml"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("MALLEPOSTE_")}
        return {**kept, "MALLEPOSTE_CONFIG": str(self.config), "NO_COLOR": "1"}

    def command(self, *words: str | Path) -> list[str]:
        return [sys.executable, "-m", "malleposte", *map(str, words)]

    def run(self, *words: str | Path, code: int = 0, stdin: str = "", patience: float = 120) -> Ran:
        """Run a command, whose exit code must be ``code``; see ``unit.cli.warm``."""
        given = [str(word) for word in words]
        done = warm().run(given, self.folder, self.environment(), stdin, patience)
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done

    def run_cold(self, *words: str | Path) -> "subprocess.CompletedProcess[str]":
        """Run a command as a program that is started for it; it must succeed."""
        return subprocess.run(
            self.command(*words),
            capture_output=True,
            text=True,
            timeout=120,
            env=self.environment(),
            cwd=self.folder,
            check=True,
        )

    def json(self, *words: str | Path, code: int = 0, stdin: str = "") -> Any:
        """Run a command with --json; what it said."""
        return json.loads(self.run(*words, "--json", code=code, stdin=stdin).stdout)

    def start(self, *words: str | Path) -> "subprocess.Popen[bytes]":
        """Start a command and leave it running, in a group of its own."""
        return subprocess.Popen(
            self.command(*words),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment(),
            cwd=self.folder,
            start_new_session=True,
        )


def killed(process: "subprocess.Popen[bytes]") -> None:
    """kill -9 of the command itself; its helper is left to find out."""
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)
