"""Conversations with the engines of SMTP, POP3 and ManageSieve: services behind them, transcripts, octets.

A transcript is a text file that reads like the RFC. What each protocol has in it:

    # comment
    Set: tls loopback                 what the listener is, before the first C or S
    Limit: errors 2                   a field of Limits
    C: NOOP                           a line of the client, CRLF is added
    S: OK ...                         a line of the server
    C\\: abc                           the same without CRLF; S\\ too
    T:                                the TLS handshake takes place
    X: QUIT                           the connection is closed, with its cause

`\\r \\n \\t \\0 \\s \\\\ \\xNN` are escapes.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from malleposte.wire.dialogue import ConnectionClosed, Dialogue, Need, StartTls

HOST = "mx.example.org"


class Service:
    """Drives an engine as an adapter would; `answer` is what a protocol's service does."""

    engine: Dialogue[Any, Any]

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.handshake_due = False
        self.most_buffered = 0

    def feed(self, octets: bytes) -> bytes:
        """Hand in octets, deal with all events, return what is to be sent."""
        self.engine.receive_data(octets)
        self.most_buffered = max(self.most_buffered, len(self.engine._buffer))
        return self.pump()

    def feed_slowly(self, octets: bytes) -> bytes:
        """The same, an octet at a time."""
        return b"".join(self.feed(octets[at : at + 1]) for at in range(len(octets)))

    def pump(self) -> bytes:
        while True:
            event = self.engine.next_event()
            if event is Need.DATA:
                break
            assert not isinstance(event, Need), "every event was answered"
            self.events.append(event)
            if isinstance(event, ConnectionClosed):
                break
            if isinstance(event, StartTls):
                self.handshake_due = True
            else:
                self.answer(event)
        return self.engine.data_to_send()

    def answer(self, event: Any) -> None:
        raise NotImplementedError

    @property
    def closed(self) -> str | None:
        last = self.events[-1] if self.events else None
        return last.cause.value if isinstance(last, ConnectionClosed) else None


@dataclass
class Transcript:
    """One conversation: turns of (what the client sends, what the server says)."""

    name: str
    limits: Any = None
    switches: set[str] = field(default_factory=set)
    turns: list[tuple[bytes, bytes]] = field(default_factory=list)
    handshakes: set[int] = field(default_factory=set)
    closed: str | None = None

    def service(self) -> Any:
        """One for this conversation, that has greeted."""
        raise NotImplementedError

    def setting(self, kind: str, text: str) -> None:
        """Take a line of a kind that only this protocol has."""
        raise AssertionError(f"{self.name}: what is {kind!r}?")

    def check_end(self, service: Any) -> None:
        assert service.closed == self.closed

    @property
    def sent(self) -> bytes:
        """All that the client sends."""
        return b"".join(turn[0] for turn in self.turns)

    @property
    def said(self) -> bytes:
        """All that the server says."""
        return b"".join(turn[1] for turn in self.turns)


T = TypeVar("T", bound=Transcript)


def read_transcripts(folder: Path, kind: type[T]) -> list[T]:
    return [_read(path, kind(path.stem)) for path in sorted(folder.glob("*.txt"))]


def _read(path: Path, transcript: T) -> T:
    client, server = b"", b""
    for line in path.read_text("utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        kind, _, text = line.partition(":")
        text = text.removeprefix(" ")
        if kind in ("C", "C\\", "T") and server:
            transcript.turns.append((client, server))
            client, server = b"", b""
        match kind:
            case "C":
                client += unescape(text) + b"\r\n"
            case "C\\":
                client += unescape(text)
            case "S":
                server += unescape(text) + b"\r\n"
            case "S\\":
                server += unescape(text)
            case "T":
                transcript.handshakes.add(len(transcript.turns))
            case "X":
                transcript.closed = text
            case "Set":
                transcript.switches |= set(text.split())
            case "Limit":
                name, number = text.split()
                transcript.limits = replace(transcript.limits, **{name: int(number)})
            case _:
                transcript.setting(kind, text)
    transcript.turns.append((client, server))
    return transcript


def play_turns(transcript: Transcript, service: Service, *, slowly: bool = False) -> None:
    """Each turn gets what the transcript says; `slowly`, sent an octet at a time."""
    for number, (client, server) in enumerate(transcript.turns):
        if number in transcript.handshakes:
            assert service.handshake_due
            service.engine.tls_started()
        # What the greeting or the end of a handshake left to be said comes before.
        said = service.pump() + service.feed_slowly(client) if slowly else service.feed(client)
        assert said.decode("latin-1") == server.decode("latin-1")
    transcript.check_end(service)


def play_cut(transcript: Transcript, service: Service, cuts: Iterable[int]) -> None:
    """Everything that the client sends, cut at these places, even across turns: TCP knows none."""
    said = b"".join(service.feed(piece) for piece in in_pieces(transcript.sent, cuts))
    assert said == transcript.said
    transcript.check_end(service)


_ESCAPE = re.compile(rb"\\(x[0-9a-f]{2}|.)", re.DOTALL)
_NAMED = {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"0": b"\0", b"\\": b"\\", b"s": b" "}


def unescape(text: str) -> bytes:
    def one(found: re.Match[bytes]) -> bytes:
        code = found[1]
        return bytes((int(code[1:], 16),)) if len(code) == 3 else _NAMED[code]

    return _ESCAPE.sub(one, text.encode("utf-8"))


def in_pieces(octets: bytes, cuts: Iterable[int]) -> list[bytes]:
    """`octets` cut at these places."""
    edges = sorted({0, len(octets), *(cut for cut in cuts if 0 < cut < len(octets))})
    return [octets[a:b] for a, b in itertools.pairwise(edges)]
