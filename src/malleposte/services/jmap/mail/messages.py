"""A message being read: an email of the store (``store.opened.Opened``), or one that stands in a buffer."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, Protocol

from malleposte.mime import Part
from malleposte.store import content

AT_ONCE: Final = content.FRAME


class Message(Protocol):
    """Offsets are the message's; as ``store.opened`` has it."""

    pause: Callable[[], Awaitable[None]]

    @property
    def data(self) -> bytes | None:
        """The whole of it, where it is small."""
        ...

    async def parts(self) -> tuple[Part, ...]:
        """Its structure."""
        ...

    def body(self, part: Part) -> tuple[int, int]:
        """Where the body of a part lies."""
        ...

    def header(self, part: Part) -> tuple[int, int]:
        """Where the header of a part lies."""
        ...

    def pieces(self, start: int, end: int) -> AsyncIterator[bytes]:
        """Octets in pieces."""
        ...

    async def octets(self, start: int, end: int) -> bytes:
        """Octets at once."""
        ...


async def _no_pause() -> None:
    pass


class Loaded:
    """A message in a buffer, with its structure."""

    def __init__(self, buffer: bytes | memoryview, parts: tuple[Part, ...]) -> None:
        self._buffer = buffer
        self._parts = parts
        self.pause: Callable[[], Awaitable[None]] = _no_pause

    @property
    def data(self) -> bytes | None:
        """See ``Message``."""
        return bytes(self._buffer) if len(self._buffer) <= AT_ONCE else None

    async def parts(self) -> tuple[Part, ...]:
        """See ``Message``."""
        return self._parts

    def body(self, part: Part) -> tuple[int, int]:
        """See ``Message``."""
        return part.body_start, part.body_end

    def header(self, part: Part) -> tuple[int, int]:
        """See ``Message``."""
        whole = part.section == "" and part.parent < 0
        return 0 if whole else part.header_start, part.body_start

    async def pieces(self, start: int, end: int) -> AsyncIterator[bytes]:
        """See ``Message``."""
        for at in range(start, min(end, len(self._buffer)), AT_ONCE):
            yield bytes(self._buffer[at : min(at + AT_ONCE, end)])

    async def octets(self, start: int, end: int) -> bytes:
        """See ``Message``."""
        return bytes(self._buffer[start:end])
