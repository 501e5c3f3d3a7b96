"""Marionette, the remote control of Mozilla's programs: scripts run inside with all of its rights.

The protocol is Mozilla's own (Firefox source docs, «Marionette»): over TCP, each message is its length in
octets as decimal digits, a colon, and JSON. A command is ``[0, id, name, parameters]``, its answer
``[1, id, error, value]``. The program speaks first and says who it is.
"""

import json
import socket
import time
from collections.abc import Callable
from typing import Any, Self

LONGEST = 180.0
"""Seconds a command may take."""


class Refused(Exception):
    """The program answered with an error."""


class Marionette:
    """A session; scripts run in the main window's context («chrome»)."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._stream = sock.makefile("rb")
        self._count = 0

    @classmethod
    def connect(cls, port: int, alive: Callable[[], bool], patience: float = 90.0) -> Self:
        """Connect once the program listens, and begin a session; ``alive``: whether it still runs."""
        until = time.monotonic() + patience
        while True:
            try:
                sock = socket.create_connection(("127.0.0.1", port), timeout=5)
                break
            except OSError:
                assert alive(), "the program ended before it listened"
                assert time.monotonic() < until, "the program does not listen"
                time.sleep(0.1)
        sock.settimeout(LONGEST)
        found = cls(sock)
        try:
            hello = found._receive()
            assert hello["marionetteProtocol"] == 3, hello
            found.command("WebDriver:NewSession", {"capabilities": {}})
            found.command("WebDriver:SetTimeouts", {"script": int((LONGEST - 10) * 1000)})
            found.command("Marionette:SetContext", {"value": "chrome"})
        except BaseException:
            found.close()
            raise
        return found

    def _receive(self) -> Any:
        digits = b""
        while not digits.endswith(b":"):
            octet = self._stream.read(1)
            if not octet or len(digits) > 12:
                raise ConnectionError("the program closed the connection")
            digits += octet
        return json.loads(self._stream.read(int(digits[:-1])))

    def command(self, name: str, parameters: dict[str, Any] | None = None) -> Any:
        """Send a command; its value, or ``Refused``."""
        self._count += 1
        # ASCII only, so that characters are octets.
        text = json.dumps([0, self._count, name, parameters or {}])
        self._socket.sendall(f"{len(text)}:{text}".encode())
        kind, number, error, value = self._receive()
        assert (kind, number) == (1, self._count)
        if error:
            raise Refused(f"{error['error']}: {error['message']}\n{error.get('stacktrace', '')}")
        return value

    def run(self, prelude: str, function: str, *arguments: object) -> Any:
        """Call an async function that ``prelude`` defines; what it returns, through JSON."""
        script = (
            f"{prelude}\nconst done = arguments[arguments.length - 1];\n"
            f"(async () => await {function}(...arguments[0]))().then(\n"
            "  value => done(JSON.stringify({ value })),\n"
            "  error => done(JSON.stringify({ error: `${error}\\n${error?.stack}` })));\n"
        )
        answer = self.command(
            "WebDriver:ExecuteAsyncScript",
            {"script": script, "args": [list(arguments)], "newSandbox": True},
        )
        found = json.loads(answer["value"])
        if "error" in found:
            raise Refused(f"{function}: {found['error']}")
        return found.get("value")

    def close(self) -> None:
        """Close the connection; the program goes on."""
        self._stream.close()
        self._socket.close()
