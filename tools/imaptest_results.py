"""What imaptest prints, read: scores of scripted tests (the stress mode: `malleposte.bench.imaptest`).

No processes, no network, no files.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

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
