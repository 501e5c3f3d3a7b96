"""A web server on loopback that answers every request the same way, and keeps what it was asked."""

import asyncio
import contextlib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

SILENCE = "silence"


@dataclass
class HttpsHost:
    """``behaves``: '' or ``SILENCE``. ``requests``: head and body of each."""

    body: bytes = b""
    status: int = 200
    kind: str = "text/plain"
    headers: Mapping[str, str] = field(default_factory=dict)
    behaves: str = ""
    requests: list[tuple[bytes, bytes]] = field(default_factory=list)
    port: int = 0

    async def start(self, address: str, context: ssl.SSLContext, port: int = 0) -> int:
        """The port it listens on."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._server = await asyncio.start_server(self._serve, address, port, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self.port

    async def close(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def asked(self) -> int:
        """How often."""
        return len(self.requests)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with contextlib.suppress(ConnectionError, ssl.SSLError, EOFError):
                head = await reader.readuntil(b"\r\n\r\n")
                length = [
                    line for line in head.lower().split(b"\r\n") if b"content-length:" in line
                ]
                size = int(length[0].partition(b":")[2]) if length else 0
                self.requests.append((head, await reader.readexactly(size)))
                if self.behaves == SILENCE:
                    await asyncio.sleep(3_600)
                lines = [
                    f"HTTP/1.1 {self.status} x",
                    f"Content-Type: {self.kind}",
                    f"Content-Length: {len(self.body)}",
                    *(f"{name}: {value}" for name, value in self.headers.items()),
                ]
                writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + self.body)
                await writer.drain()
        except asyncio.CancelledError:
            pass  # the test is over
        finally:
            self._tasks.discard(task)
            writer.transport.abort()
