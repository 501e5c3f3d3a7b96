"""The message that a script runs on, and what surrounds it: all that the engine asks for.

Values are given, not fetched: the engine does no I/O. Where an answer costs something there is a
function; one that cannot answer at once may raise an exception of its own, which passes through
`Script.run` untouched: a run has no effects, so the caller finds the answer and runs again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import NamedTuple, Protocol


class BodyPart(NamedTuple):
    """A part of the body, decoded. `media` is `type/subtype`, lower case.

    `text` is what RFC 5173 §5.2 compares: of a text its characters, of a multipart its prologue
    and epilogue, of an enclosed message its header. `plain` is the same without markup.
    """

    media: str
    text: Callable[[], str]
    plain: Callable[[], str]


class Message(Protocol):
    """A message as it was received."""

    @property
    def size(self) -> int:
        """Octets in all."""

    def fields(self) -> Sequence[tuple[bytes, bytes]]:
        """Name and raw value of each header field, in order."""

    def raw_body(self, most: int) -> str:
        """The body undecoded, one character an octet where it is no UTF-8."""

    def parts(self, most: int) -> Iterable[BodyPart]:
        """The parts in the order of the message; `most` octets of body are decoded."""


def _none(*_: object) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Delivery:
    """What surrounds the message.

    `sender` and `recipient` are of the envelope, `local@domain`, "" for the null sender; the
    recipient is the one whose script runs. `addresses` are all that are his, for vacation.
    `now` knows its zone; `zone` is the account's, in which dates are told.
    `mailbox_exists(name)`: there is one, and filing into it would work (RFC 5490 §3.1).
    `mailbox_id_exists(id)`: the same by id. `special_use_exists(mailbox or None, use)`: that one,
    or any, has the use, such as `\\Junk`.
    `seen(handle, value)`: `Outcome.seen` of an earlier run had it and its time is not over.
    """

    sender: str = ""
    recipient: str = ""
    addresses: frozenset[str] = frozenset()
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    zone: tzinfo = UTC
    separator: str = "+"
    mailbox_exists: Callable[[str], bool] = _none
    mailbox_id_exists: Callable[[str], bool] = _none
    special_use_exists: Callable[[str | None, str], bool] = _none
    seen: Callable[[str, str], bool] = _none
