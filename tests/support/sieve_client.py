"""A client of ManageSieve over a plain socket, as simple as one can be: blocking, its own reading of the
protocol."""

import base64
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import NamedTuple, Self

from support.server import Server


class Answer(NamedTuple):
    """``status``: OK, NO or BYE; ``code`` as it stands in parentheses; ``lines`` before it: their strings
    and atoms."""

    status: str
    code: str
    text: str
    lines: list[list[str]]


class SieveClient:
    """See the module. Greeted when it is made; ``greeting`` are its capabilities."""

    def __init__(self, port: int, *, host: str = "127.0.0.1") -> None:
        self.sock: socket.socket = socket.create_connection((host, port), timeout=30)
        self._buffer = b""
        self.greeting = self.answer()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.sock.close()

    def _more(self) -> None:
        octets = self.sock.recv(65536)
        if not octets:
            raise ConnectionError(f"the server hung up; it had said {self._buffer!r}")
        self._buffer += octets

    def _line(self) -> bytes:
        while b"\r\n" not in self._buffer:
            self._more()
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        return line

    def _words(self) -> list[str]:
        """The words of a line, literals read; codes in parentheses are one word."""
        words: list[str] = []
        line = self._line()
        while line:
            line = line.lstrip(b" ")
            if match := re.match(rb'"((?:[^"\\]|\\.)*)"', line):
                words.append(re.sub(rb"\\(.)", rb"\1", match[1]).decode())
                line = line[match.end() :]
            elif match := re.fullmatch(rb"\{(\d+)\}", line):
                size = int(match[1])
                while len(self._buffer) < size:
                    self._more()
                words.append(self._buffer[:size].decode())
                self._buffer = self._buffer[size:]
                line = self._line()
            elif match := re.match(rb"\([^)]*\)|[^ ]+", line):
                words.append(match[0].decode())
                line = line[match.end() :]
        return words

    def answer(self) -> Answer:
        """What comes until a command is answered."""
        lines: list[list[str]] = []
        while True:
            words = self._words()
            if words and words[0] in ("OK", "NO", "BYE"):
                rest = words[1:]
                code = rest.pop(0)[1:-1] if rest and rest[0].startswith("(") else ""
                return Answer(words[0], code, rest[0] if rest else "", lines)
            lines.append(words)

    def do(self, verb: str, *arguments: str | bytes | int) -> Answer:
        """Send a command; texts in quotes, octets as a literal."""
        line = verb.encode()
        for argument in arguments:
            if isinstance(argument, int):
                line += b" %d" % argument
            elif isinstance(argument, bytes):
                line += b" {%d+}\r\n%s" % (len(argument), argument)
            else:
                line += b' "' + argument.replace("\\", "\\\\").replace('"', '\\"').encode() + b'"'
        self.sock.sendall(line + b"\r\n")
        return self.answer()

    def start_tls(self, context: ssl.SSLContext, host: str = "localhost") -> Answer:
        """STARTTLS; the capabilities that follow."""
        answer = self.do("STARTTLS")
        assert answer.status == "OK", answer
        self.sock = context.wrap_socket(self.sock, server_hostname=host)
        return self.answer()

    def sign_in(self, address: str, password: str) -> Answer:
        """AUTHENTICATE PLAIN."""
        response = base64.b64encode(f"\0{address}\0{password}".encode()).decode()
        return self.do("AUTHENTICATE", "PLAIN", response)


@contextmanager
def signed_in(server: Server, address: str, password: str) -> Iterator[SieveClient]:
    """A session under TLS."""
    context = ssl.create_default_context(cafile=str(server.data / "tls" / "ca.pem"))
    with SieveClient(server.ports["managesieve"]) as client:
        client.start_tls(context)
        answer = client.sign_in(address, password)
        assert answer.status == "OK", answer
        yield client
