r"""Transcripts that read like the RFCs, played against the engine.

A transcript is a text of lines:

    # a comment
    == name of the case, and where it starts: signed_in, selected, lockstep (see below)
    C: what the client sends, with CRLF        C- the same without CRLF
    S: a line the engine itself answers
    E: an event it hands out, as `describe` writes it
    > an act of the service on the event above (a method of Connection and its argument)

In C lines `\r`, `\n`, `\0`, `\\` and `\xNN` are escapes. Without an act the service does the least:
it takes messages, ends commands and starts TLS. Every case is played line by line, in one piece,
one byte at a time, and in pieces cut at random: the answers must be the same. `lockstep` leaves out
the forms in which the client does not wait (after STARTTLS it must).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from enum import Enum
from pathlib import Path

from malleposte.wire.imap import Connection, Limits
from malleposte.wire.imap.commands.auth import StartTls
from malleposte.wire.imap.commands.base import Command
from malleposte.wire.imap.commands.sort import Criterion
from malleposte.wire.imap.events import (
    BUSY,
    NEED_DATA,
    AppendData,
    AppendEnd,
    AppendStart,
    AuthResponse,
    Closed,
    Event,
    IdleDone,
)
from malleposte.wire.imap.sets import NumberSet, PartialRange, SavedResult, SequenceSet


def _value(value: object) -> str:
    """One field of an event."""
    if isinstance(value, NumberSet | SequenceSet | SavedResult | PartialRange):
        return bytes(value).decode("ascii")
    if isinstance(value, Enum):
        return value.value.decode("ascii") if isinstance(value.value, bytes) else str(value.value)
    if isinstance(value, Criterion):
        return ("REVERSE " if value.reverse else "") + value.key.value.decode("ascii")
    if isinstance(value, tuple):
        return "(" + " ".join(map(_value, value)) + ")"
    if isinstance(value, frozenset):
        return "{" + " ".join(sorted(map(_value, value))) + "}"
    if is_dataclass(value):
        label = getattr(value, "label", None)
        if isinstance(label, bytes):  # an item of FETCH
            peek = " peek" if getattr(value, "peek", False) else ""
            partial = getattr(value, "partial", None)
            return label.decode("ascii") + (f"<{partial}>" if partial else "") + peek
        return describe(value)
    if isinstance(value, bytes):
        return repr(value)[1:]
    return repr(value) if isinstance(value, str) else str(value)


def describe(event: object) -> str:
    """`Fetch a1 uid=True messages=1:* items=(UID FLAGS)`: fields that hold their default are
    left out, tags stand first."""
    assert is_dataclass(event)
    words = [type(event).__name__]
    for item in fields(event):
        value = getattr(event, item.name)
        if item.name == "tag":
            words.append(value.decode("ascii"))
        elif item.name in {"key", "command"}:
            words.append("(" + describe(value) + ")")
        elif item.name == "keys":
            words.append("(" + ") (".join(describe(key) for key in value) + ")")
        elif value != item.default:
            words.append(f"{item.name}={_value(value)}")
    return " ".join(words)


@dataclass(slots=True)
class Step:
    """`sent` octets, then lines that are expected, then what the service does."""

    sent: bytes = b""
    expected: list[str] = field(default_factory=list)
    acts: dict[int, list[str]] = field(default_factory=dict)


@dataclass(slots=True)
class Case:
    name: str
    start: frozenset[str]
    steps: list[Step] = field(default_factory=list)


_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|[rn0\\])")
_ESCAPES = {"r": "\r", "n": "\n", "0": "\0", "\\": "\\"}


def unescape(text: str) -> bytes:
    """`text` in UTF-8 with its escapes, of which \\xNN is an octet."""

    def octet(match: re.Match[str]) -> str:
        found = match[1]
        if found in _ESCAPES:
            return _ESCAPES[found]
        # Octets travel as surrogates, as `surrogateescape` has them; ASCII as itself.
        number = int(found[1:], 16)
        return chr(number) if number < 0x80 else chr(0xDC00 + number)

    return _ESCAPE.sub(octet, text).encode("utf-8", "surrogateescape")


def read_cases(path: Path) -> list[Case]:
    cases: list[Case] = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        mark, text = line[:2], line[3:]
        if mark == "==":
            name, _, start = text.partition("|")
            cases.append(Case(name.strip(), frozenset(start.split())))
            continue
        steps = cases[-1].steps
        if mark in {"C:", "C-"}:
            if not steps or steps[-1].expected:
                steps.append(Step())
            steps[-1].sent += unescape(text) + (b"\r\n" if mark == "C:" else b"")
        elif mark in {"S:", "E:"}:
            if not steps:
                steps.append(Step())
            steps[-1].expected.append(f"{mark} {text}")
        elif line.startswith("> "):
            step = steps[-1]
            step.acts.setdefault(len(step.expected) - 1, []).append(line[2:])
        else:
            raise ValueError(f"{path.name}:{number}: what is {line!r}?")
    return cases


class Player:
    """A service that does what a case says, and writes down what happens."""

    def __init__(self, case: Case, limits: Limits | None = None) -> None:
        self.conn = Connection(limits) if limits else Connection()
        if case.start & {"signed_in", "selected"}:
            self.conn.signed_in()
        if "selected" in case.start:
            self.conn.selected()
        if "utf8" in case.start:
            self.conn.enable(frozenset({b"IMAP4REV2"}))
        self.acts: dict[int, list[str]] = {}
        self.heard: list[str] = []
        self.data = b""
        self.closed = False

    def feed(self, octets: bytes) -> None:
        self.conn.receive_data(octets)
        self.pump()

    def pump(self) -> None:
        for event in self._events():
            self._note(event)
            self._act(event)
            self._said()

    def _events(self) -> Iterator[Event]:
        while not self.closed:
            event = self.conn.next_event()
            if isinstance(event, Closed):
                self.closed = True
            if not isinstance(event, AppendData):
                if self.data and event is not NEED_DATA:
                    self._line(f"E: Data {self.data!r}")
                    self.data = b""
                # What the engine said came before the event: it answers while it reads.
                self._said()
            if event is NEED_DATA or event is BUSY:
                return
            yield event

    def _said(self) -> None:
        said = self.conn.data_to_send()
        if said:
            assert said.endswith(b"\r\n")
            for line in said[:-2].split(b"\r\n"):
                self._line("S: " + line.decode("utf-8", "surrogateescape"))

    def _line(self, line: str) -> None:
        self.heard.append(line.rstrip())

    def _note(self, event: Event) -> None:
        if isinstance(event, AppendData):
            self.data += event.data
        elif isinstance(event, AuthResponse):
            self._line(f"E: AuthResponse {event.data!r}")
        else:
            self._line("E: " + describe(event))

    def _act(self, event: Event) -> None:
        acts = [] if isinstance(event, AppendData) else self.acts.get(len(self.heard) - 1, [])
        settled = False
        for act in acts:
            name, _, argument = act.partition(" ")
            settled |= name in {"challenge", "start_idle", "refuse_append", "hold"}
            if name == "hold":
                continue
            method = getattr(self.conn, name)
            if name == "refuse_append":
                method(argument.encode() + b"\r\n")
            elif name == "enable":
                method(frozenset(argument.encode().split()))
            elif argument or name == "challenge":
                method(argument.encode())
            else:
                method()
        if settled or self.closed:
            return
        if isinstance(event, AppendStart):
            self.conn.accept_append()
        elif isinstance(event, StartTls):
            self.conn.tls_started()
        elif isinstance(event, Command | AppendEnd | IdleDone | AuthResponse):
            self.conn.command_done()


def expected(case: Case) -> list[str]:
    return [line.rstrip() for step in case.steps for line in step.expected]


def _acts(case: Case) -> dict[int, list[str]]:
    acts: dict[int, list[str]] = {}
    offset = 0
    for step in case.steps:
        for index, what in step.acts.items():
            acts[offset + index] = what
        offset += len(step.expected)
    return acts


def play_lines(case: Case, limits: Limits | None = None, size: int = 0) -> None:
    """Line by line, each answer where the case has it; with `size` each line in such pieces."""
    player = Player(case, limits)
    player.acts = _acts(case)
    heard = 0
    for step in case.steps:
        for start in range(0, len(step.sent), size or max(1, len(step.sent))):
            player.feed(step.sent[start : start + size] if size else step.sent)
        want = [line.rstrip() for line in step.expected]
        assert player.heard[heard:] == want, case.name
        heard = len(player.heard)


def play_pieces(case: Case, cuts: Iterable[int], limits: Limits | None = None) -> None:
    """All the client says, cut where `cuts` say, without waiting for answers."""
    player = Player(case, limits)
    player.acts = _acts(case)
    said = b"".join(step.sent for step in case.steps)
    start = 0
    for cut in [*sorted(cuts), len(said)]:
        if start < cut <= len(said):
            player.feed(said[start:cut])
            start = cut
    assert player.heard == expected(case), case.name
