"""Commands about relays: servers that mail goes by, chosen by its recipient or its sender."""

from typing import Final

import msgspec

from malleposte.store.commands.base import Command

MAX_RELAYS: Final = 1_000
"""Rules in all: every process has them in memory."""


class PutRelay(Command, frozen=True, array_like=True, kw_only=True):
    """Have mail go by a server, in place of the rule before. ``kind``: ``to`` a domain or ``from`` an
    address or a domain, which is ``name``. ``host`` '': the servers of the recipients' domains. ``sealed``:
    the password, None as it was, empty none. Answer: ``Done``, or ``Refused`` (``limit``)."""

    kind: str
    name: str
    host: str
    port: int = 587
    tls: str = "starttls"
    verify: bool = True
    login: str = ""
    sealed: bytes | None = b""
    key_id: str = ""


class DropRelay(Command, frozen=True, array_like=True, kw_only=True):
    """Forget a rule. Answer: ``Done``, whose ``count`` says whether there was one."""

    kind: str
    name: str


class NoteRouting(Command, frozen=True, array_like=True, kw_only=True):
    """Remember by which routing all that is queued goes (``mark``). Answer: ``Done``."""

    mark: str


class RelayRow(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """A rule as it is kept. ``sealed``: its password, empty for none."""

    kind: str
    name: str
    host: str
    port: int
    tls: str
    verify: bool
    login: str
    changed_at: int
    sealed: bytes


def secret_name(kind: str, name: str) -> str:
    """Under which a rule's password is sealed."""
    return f"relay:{kind}:{name}"
