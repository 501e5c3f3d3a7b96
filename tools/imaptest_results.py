"""What imaptest prints, read: scores of scripted tests, totals and errors of the stress mode.

No processes, no network; files only where `write_mbox` makes one.
"""

import email.policy
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from pathlib import Path

LARGEST = 256 * 1024
"""Octets of the messages that the stress mode appends: few are larger, and they say no more."""


# Scripted tests -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Failure:
    """A command of a script that was not answered as the script says. Number 0: the preparation."""

    number: int
    command: str
    reason: str


@dataclass(frozen=True, slots=True)
class Score:
    """How one script ended; `state` is passed, failed or skipped."""

    script: str
    state: str
    commands: int = 0
    failures: tuple[Failure, ...] = ()
    missing: frozenset[str] = frozenset()


_FAILED = re.compile(
    r"^\*\*\* Test (?P<script>\S+) (?:"
    r"command (?P<number>\d+)/\d+ \(line \d+\)\n - failed: (?P<reason>.*?)"
    r"\n - Command(?: \(tag [\d.]+\))?: (?P<command>.*?)(?=\n\n|\Z)"
    r"|initialization failed: (?P<start>[^\n]*))",
    re.DOTALL | re.MULTILINE,
)
_GROUPS = re.compile(r"^(\d+) test groups: (\d+) failed, (\d+) skipped", re.MULTILINE)
_COMMANDS = re.compile(r"^(?:base protocol|extensions): \d+/(\d+) individual", re.MULTILINE)


def read_score(script: str, output: str, missing: Iterable[str] = ()) -> Score:
    """The score in what imaptest printed for one script."""
    failures = tuple(
        Failure(0, "", match["start"])
        if match["start"] is not None
        else Failure(int(match["number"]), match["command"].strip(), match["reason"].strip())
        for match in _FAILED.finditer(output)
    )
    commands = sum(int(number) for number in _COMMANDS.findall(output))
    groups = _GROUPS.search(output)
    if groups is None:
        last = output.strip().splitlines()[-1:] or ["nothing was printed"]
        failures = (*failures, Failure(0, "", f"imaptest ended early: {last[0]}"))
    elif groups[3] != "0" and not failures:
        return Score(script, "skipped", missing=frozenset(missing))
    elif groups[2] != "0" and not failures:
        failures = (Failure(0, "", "imaptest counts it as failed"),)
    return Score(script, "failed" if failures else "passed", commands, failures)


def read_exceptions(document: str) -> dict[tuple[str, int], str]:
    """Excused failures: the rows of the document's table below «Exceptions».

    | script | commands | reason with RFC and section |: commands are numbers as imaptest counts.
    """
    _, found, rest = document.partition("\n## Exceptions\n")
    excused: dict[tuple[str, int], str] = {}
    if found:
        for line in rest.partition("\n## ")[0].splitlines():
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            if len(cells) == 3 and re.fullmatch(r"`[\w-]+`", cells[0]):
                for number in re.findall(r"\d+", cells[1]):
                    excused[cells[0].strip("`"), int(number)] = cells[2]
    return excused


def unexcused(
    scores: Iterable[Score], excused: Mapping[tuple[str, int], str]
) -> list[tuple[str, Failure]]:
    """Failures that the document does not excuse."""
    return [
        (score.script, failure)
        for score in scores
        for failure in score.failures
        if (score.script, failure.number) not in excused
    ]


# Stress mode --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stress:
    """What the stress mode did: commands by imaptest's names for them, errors as printed."""

    seconds: float
    totals: dict[str, int]
    errors: tuple[str, ...] = ()
    stalled: int = 0

    @property
    def rate(self) -> float:
        """Commands a second."""
        return sum(self.totals.values()) / self.seconds if self.seconds else 0.0


# Lines that are neither rows of figures nor words of theirs are errors, warnings or panics.
_FIGURES = re.compile(r"^(?:[A-Z][\w! ]+ *|[ \d%-]+(?:ms/cmd avg)?|[ \d]+\d+/ *\d+.*|Totals:|)$")
_STALLED = re.compile(r"^ - \d+ stalled for \d+ secs")
_NOTES = re.compile(r"^(?:Info|Debug): ")


def read_stress(output: str, seconds: float, code: int = 0) -> Stress:
    """Totals and errors in what the stress mode printed."""
    lines = output.splitlines()
    totals: dict[str, int] = {}
    for at, line in enumerate(lines):
        if line.strip() == "Totals:":
            names = lines[at + 1].split()
            rows = [one.split() for one in lines[at + 2 : at + 6] if "%" not in one and one.strip()]
            if rows:
                totals = dict(zip(names, map(int, rows[0]), strict=False))
    errors = [
        line
        for line in lines
        if line.strip()
        and not _FIGURES.match(line)
        and not _STALLED.match(line)
        and not _NOTES.match(line)
    ]
    if code:
        errors.append(f"imaptest ended with {code}")
    if not totals:
        errors.append("imaptest printed no totals")
    return Stress(seconds, totals, tuple(errors), sum(1 for one in lines if _STALLED.match(one)))


def kinds(errors: Iterable[str]) -> Counter[str]:
    """How often each kind of error came: names and numbers in them do not count."""
    return Counter(re.sub(r"\d+", "N", error)[:100] for error in errors)


def write_mbox(target: Path, messages: Iterable[bytes]) -> int:
    """An mbox for the stress mode; how many messages went into it.

    It knows messages by their Message-ID, so each comes once, and those without one not at all.
    """
    known: set[str] = set()
    parser = BytesHeaderParser(policy=email.policy.compat32)
    with target.open("wb") as file:
        for message in messages:
            header = message.partition(b"\r\n\r\n")[0]
            ids = [
                re.fullmatch(r"\s*(<[\x21-\x7e]+@[\x21-\x7e]+>)\s*", str(value))
                for value in parser.parsebytes(header).get_all("Message-ID", [])
            ]
            if len(ids) != 1 or ids[0] is None or ids[0][1].lower() in known:
                continue
            if len(message) > LARGEST or b"\r" in message.replace(b"\r\n", b""):
                continue
            known.add(ids[0][1].lower())
            lines = re.sub(rb"^(>*From )", rb">\1", message, flags=re.MULTILINE)
            file.write(b"From tester@example.test Thu Jan 01 12:00:00 2026\r\n" + lines)
            file.write(b"" if lines.endswith(b"\r\n") else b"\r\n")
    return len(known)
