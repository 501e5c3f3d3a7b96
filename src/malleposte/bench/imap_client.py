"""An IMAP client that costs as little as it can: it waits for the tagged line and parses nothing.

The clock of a command starts before its bytes are sent and stops at the `recv` that brought the
end of the tagged line. While the clock runs, bytes are only looked through for the tag at the
start of a line (a search in C). Whether what was found is really the tagged line, or text inside a
literal that looks like one, is decided after the clock was stopped, by stepping over the literals
(RFC 9051 §4.3); if it was only text, reading goes on.

What it does not do: keep state of mailboxes, decode, reconnect.
"""

import re
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from malleposte.bench.clock import Clock, Clocked
from malleposte.bench.subject import Account, Endpoint
from malleposte.bench.trouble import BenchTrouble

# 256 KiB: more than a loopback socket hands out at once, so that no time goes into small reads.
_READ = 256 * 1024
# The largest answer asked for (list of 200,000) is about 150 MB; more is a fault.
MAX_ANSWER = 1024**3
# No single command of the work-list takes longer on any machine worth measuring.
TIMEOUT = 300.0
# Enough of a refusal to understand it.
_SHOWN = 200

_LITERAL = re.compile(rb"\{(\d{1,10})\+?\}\r\n")


class AnswerFrame:
    """Finds where the answer to `tag` ends. Fed in any pieces; no I/O, no clock."""

    def __init__(self, tag: bytes) -> None:
        self._needle = b"\r\n" + tag + b" "
        # The answer's first line counts as preceded by a line end.
        self._data = bytearray(b"\r\n")
        self._searched = 0
        self._candidate = False
        self._outside = 0

    def feed(self, piece: bytes) -> bool:
        """Take bytes; True when `settle` is worth asking."""
        self._data += piece
        if len(self._data) > MAX_ANSWER:
            raise BenchTrouble(f"an answer of more than {MAX_ANSWER:,} bytes")
        if not self._candidate:
            self._candidate = self._data.find(self._needle, self._searched) >= 0
            self._searched = max(self._searched, len(self._data) - len(self._needle) + 1)
        return self._candidate

    def settle(self) -> tuple[bytes, bytes] | None:
        """(answer with its tagged line, bytes after it), or None while it is not complete."""
        data, position = self._data, self._outside
        tagged = data.find(self._needle, position)
        while position <= len(data):
            literal = _LITERAL.search(data, position, len(data) if tagged < 0 else tagged + 2)
            if literal is not None:
                position = literal.end() + int(literal[1])
                if 0 <= tagged < position:
                    # It stood inside that literal.
                    tagged = data.find(self._needle, position)
                continue
            end = data.find(b"\r\n", tagged + 2) if tagged >= 0 else -1
            if end >= 0:
                return bytes(data[2 : end + 2]), bytes(data[end + 2 :])
            break
        self._outside = position
        # Text in a literal was taken for the tag: go on looking behind what is known.
        if data.find(self._needle, position) < 0:
            self._candidate = False
            self._searched = max(position, len(data) - len(self._needle) + 1)
        return None


@dataclass(frozen=True, slots=True)
class Answer:
    """All bytes up to and with the tagged line, and what it took from sending to its arrival."""

    data: bytes
    took: Clocked

    def number(self, pattern: bytes) -> int:
        """The first number in the answer that `pattern` captures, say `rb"COUNT (\\d+)"`."""
        found = re.search(pattern, self.data)
        if found is None:
            raise BenchTrouble(f"the server answered without {pattern!r}: {self.data[:_SHOWN]!r}")
        return int(found[1])


class ImapClient:
    """One connection; use as a context manager."""

    def __init__(self, endpoint: Endpoint, tls: ssl.SSLContext | None = None) -> None:
        plain = socket.create_connection((endpoint.host, endpoint.port), timeout=TIMEOUT)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A failing handshake closes the plain socket itself.
        self._socket: socket.socket = (
            plain if tls is None else tls.wrap_socket(plain, server_hostname="localhost")
        )
        self._rest = b""
        self._sent = 0
        self._capabilities: frozenset[bytes] | None = None
        try:
            self._read_line_starting(b"* OK")
        except (BenchTrouble, OSError):
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def hand_over(self) -> tuple[socket.socket, bytes]:
        """The socket, for whoever reads it from now on, and what was read and not used."""
        rest, self._rest = self._rest, b""
        return self._socket, rest

    def close(self) -> None:
        """Close without LOGOUT."""
        self._socket.close()

    def command(self, text: bytes) -> Answer:
        """Send one command (it may hold non-synchronising literals), read to its tagged OK."""
        return self.pipeline((text,))

    def pipeline(self, commands: Sequence[bytes]) -> Answer:
        """Send commands in one write and read to the tagged line of the last; all must be OK."""
        tags = [self._next_tag() for _ in commands]
        request = b"".join(
            b"%b %b\r\n" % (tag, command) for tag, command in zip(tags, commands, strict=True)
        )
        frame = AnswerFrame(tags[-1])
        piece = self._rest
        clock = Clock()
        self._socket.sendall(request)
        while True:
            if piece and frame.feed(piece):
                # The clock stops here; what `settle` costs is not the server's.
                took = clock.read()
                whole = frame.settle()
                if whole is not None:
                    break
            piece = self._receive()
        data, self._rest = whole
        for tag, command in zip(tags, commands, strict=True):
            if not (data.startswith(tag + b" OK") or b"\r\n" + tag + b" OK" in data):
                said = data[-_SHOWN:].strip().decode(errors="replace")
                asked = command[:60].partition(b"\r\n")[0].decode(errors="replace")
                asked = "LOGIN …" if asked.startswith("LOGIN") else asked
                raise BenchTrouble(f"the server did not say OK to «{asked}»: {said}")
        return Answer(data, took)

    def login(self, account: Account) -> Answer:
        """LOGIN with quoted strings; bench accounts hold nothing that needs more."""
        self._capabilities = None
        address, password = account.address.encode(), account.password.encode()
        return self.command(b'LOGIN "%b" "%b"' % (address, password))

    def capabilities(self) -> frozenset[bytes]:
        """Capability names in upper case, asked once after LOGIN."""
        if self._capabilities is None:
            data = self.command(b"CAPABILITY").data
            line = next(line for line in data.split(b"\r\n") if line.startswith(b"* CAPABILITY"))
            self._capabilities = frozenset(line.upper().split()[2:])
        return self._capabilities

    def messages(self, mailbox: bytes) -> int:
        """STATUS MESSAGES of a mailbox that is not selected."""
        return self.command(b"STATUS %b (MESSAGES)" % mailbox).number(rb"MESSAGES (\d+)")

    def idle(self) -> None:
        """IDLE (RFC 9051 §6.3.13) until the server's continuation; the connection stays in it."""
        self._socket.sendall(self._next_tag() + b" IDLE\r\n")
        self._read_line_starting(b"+")

    def _next_tag(self) -> bytes:
        self._sent += 1
        return b"b%d" % self._sent

    def _receive(self) -> bytes:
        piece = self._socket.recv(_READ)
        if not piece:
            raise BenchTrouble("the IMAP server closed the connection in the middle of an answer")
        return piece

    def _read_line_starting(self, mark: bytes) -> None:
        """Read until a whole line that starts with `mark` has come; anything before is dropped."""
        while True:
            line, end, rest = self._rest.partition(b"\r\n")
            if not end:
                if len(self._rest) > 65_536:
                    raise BenchTrouble("a line of more than 64 KiB where a greeting should stand")
                self._rest += self._receive()
                continue
            self._rest = rest
            if line.startswith(mark):
                return
            if not line.startswith(b"* "):
                raise BenchTrouble(f"the IMAP server said {line[:_SHOWN]!r}")
