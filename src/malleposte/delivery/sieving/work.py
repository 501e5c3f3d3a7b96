"""Work that follows from scripts, as jobs of the store: replies of who is away, words to a sender whose
message was rejected, and to the owner of a script that fails."""

from typing import Final

import msgspec

REPLY_JOB: Final = "sieve-reply"
FAILURE_JOB: Final = "sieve-failure"
REJECTION_JOB: Final = "sieve-rejection"

VERSION: Final = 1


class Reply(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """The payload of ``REPLY_JOB``; fields are only added, at the end and with a default.

    ``account`` answers ``to``; ``sender`` is the From asked for, '' its own; with ``mime`` ``reason`` is an
    entity with its own header. ``message_id`` and ``references``: of the message that is answered;
    ``trace``: its number.
    """

    version: int = VERSION
    account: int
    to: str
    subject: str
    reason: str
    mime: bool
    sender: str
    message_id: str
    references: tuple[str, ...]
    trace: int
    at: int


class Rejection(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """The payload of ``REJECTION_JOB``. ``account`` did not take a message that was written to
    ``recipient`` (``original``: ORCPT), and tells ``to`` the ``reason``; ``header``: the message's;
    ``trace``: its number."""

    version: int = VERSION
    account: int
    recipient: str
    original: str
    to: str
    reason: str
    header: bytes
    trace: int
    at: int


class ScriptFailed(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """The payload of ``FAILURE_JOB``. ``account``: whose script it is, 0: of the organisation, whose
    administrators are told at ``domain``. ``place`` and ``name`` as in ``read.sieve.Piece``."""

    version: int = VERSION
    account: int
    domain: str
    place: str
    name: str
    words: str
    at: int


def read_reply(payload: bytes) -> Reply:
    """A job's payload. Raises ``ValueError`` for one of a newer version: a newer node runs it."""
    job = msgspec.msgpack.decode(payload, type=Reply)
    _known(job.version)
    return job


def read_rejection(payload: bytes) -> Rejection:
    """The same of ``REJECTION_JOB``."""
    job = msgspec.msgpack.decode(payload, type=Rejection)
    _known(job.version)
    return job


def read_failure(payload: bytes) -> ScriptFailed:
    """The same of ``FAILURE_JOB``."""
    job = msgspec.msgpack.decode(payload, type=ScriptFailed)
    _known(job.version)
    return job


def _known(version: int) -> None:
    if version != VERSION:
        raise ValueError(f"work of version {version}; this server knows {VERSION}")
