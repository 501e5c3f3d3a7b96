"""A push service and the client behind it: takes what is pushed (RFC 8030), and reads it (RFC 8291)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import h11
import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ec import ECDH, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from malleposte.services.jmap.webpush.encryption import point_of, public_key, text_of


class Reader:
    """A client's keys; written from the RFCs, apart from what encrypts."""

    def __init__(self) -> None:
        self._key = generate_private_key(SECP256R1())
        self.point = point_of(self._key.public_key())
        self.auth = os.urandom(16)

    @property
    def keys(self) -> dict[str, str]:
        return {"p256dh": text_of(self.point), "auth": text_of(self.auth)}

    def read(self, body: bytes) -> bytes:
        """The one record there is. Raises ``ValueError``."""
        salt, size, length = body[:16], int.from_bytes(body[16:20]), body[20]
        theirs, record = body[21 : 21 + length], body[21 + length :]
        assert len(body) <= size
        shared = self._key.exchange(ECDH(), public_key(theirs))
        info = b"WebPush: info\x00" + self.point + theirs
        secret = HKDF(SHA256(), 32, self.auth, info).derive(shared)
        key = HKDF(SHA256(), 16, salt, b"Content-Encoding: aes128gcm\x00").derive(secret)
        nonce = HKDF(SHA256(), 12, salt, b"Content-Encoding: nonce\x00").derive(secret)
        try:
            plain = AESGCM(key).decrypt(nonce, record, None)
        except InvalidTag:
            raise ValueError("this is not for this client") from None
        content, delimiter = plain.rstrip(b"\0")[:-1], plain.rstrip(b"\0")[-1:]
        assert delimiter == b"\x02"
        return content


@dataclass
class Taken:
    """One push: its path, its fields by name in lower case, its content."""

    path: str
    fields: dict[str, str]
    content: bytes


@dataclass
class Service:
    """What takes pushes on a port of loopback, in clear or under TLS. ``status`` of its answers, by path
    where it is in ``by_path``; ``fields`` of them; ``reads``: clients by path."""

    status: int = 201
    by_path: dict[str, int] = field(default_factory=dict)
    fields: list[tuple[str, str]] = field(default_factory=list)
    reads: dict[str, Reader] = field(default_factory=dict)
    taken: list[Taken] = field(default_factory=list)
    before: Callable[[], Any] | None = None
    port: int = 0

    async def start(self, context: Any) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def url(self, path: str = "/a") -> str:
        return f"https://push.example.net:{self.port}{path}"

    def messages(self) -> list[dict[str, Any]]:
        """What was pushed and not looked at yet."""
        found = []
        for one in self.taken:
            content = one.content
            if one.fields.get("content-encoding") == "aes128gcm":
                content = self.reads[one.path].read(content)
            found.append(msgspec.json.decode(content))
        self.taken.clear()
        return found

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        connection = h11.Connection(h11.SERVER)
        request, content = None, b""
        try:
            while True:
                event = connection.next_event()
                if event is h11.NEED_DATA:
                    connection.receive_data(await reader.read(1 << 16))
                elif isinstance(event, h11.Request):
                    request = event
                elif isinstance(event, h11.Data):
                    content += event.data
                else:
                    break
            if not isinstance(event, h11.EndOfMessage) or request is None:
                return
            assert request.method == b"POST"
            path = request.target.decode()
            fields = {name.decode(): value.decode() for name, value in request.headers}
            self.taken.append(Taken(path, fields, content))
            if self.before is not None:
                await self.before()
            status = self.by_path.get(path, self.status)
            head = h11.Response(status_code=status, headers=[*self.fields, ("Content-Length", "0")])
            writer.write(connection.send(head) + connection.send(h11.EndOfMessage()))
            await writer.drain()
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.transport.abort()
