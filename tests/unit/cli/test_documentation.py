"""docs/cli.md says what the program does."""

import re
from pathlib import Path

from malleposte.cli import exit_codes
from malleposte.cli.app import COMMANDS
from malleposte.operations.mail_import import MAX_MESSAGE
from malleposte.operations.password_rules import LEAST

TEXT = Path(__file__).resolve().parents[3].joinpath("docs", "cli.md").read_text(encoding="utf-8")


def test_every_command_stands_in_the_table() -> None:
    rows = re.findall(r"^\| `([a-z]+)(?: [^`]*)?` \| ", TEXT, re.MULTILINE)
    assert set(COMMANDS) <= set(rows)


def test_every_exit_code_stands_in_the_table() -> None:
    rows = {int(code) for code in re.findall(r"^\| (\d+) \| ", TEXT, re.MULTILINE)}
    codes = {
        value
        for name, value in vars(exit_codes).items()
        if name.isupper() and isinstance(value, int)
    }
    assert rows == codes


def test_the_figures_are_those_of_the_program() -> None:
    assert f"at least {LEAST} characters" in TEXT
    assert MAX_MESSAGE == 256 * 1024 * 1024
    assert "256 MiB" in TEXT
