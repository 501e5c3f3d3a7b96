"""What is asked of emails: by Email/get (RFC 8621 §4.2) and Email/parse (§4.9)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from malleposte.services.jmap.errors import MethodError
from malleposte.services.jmap.mail import body_parts, envelope_read, header_forms

DEFAULT: Final = (
    *("id", "blobId", "threadId", "mailboxIds", "keywords", "size", "receivedAt", "messageId"),
    *("inReplyTo", "references", "sender", "from", "to", "cc", "bcc", "replyTo", "subject"),
    *("sentAt", "hasAttachment", "preview", "bodyValues", "textBody", "htmlBody", "attachments"),
)
MOST: Final = 100
"""Properties in one list: each costs work for each email or part."""
KNOWN: Final = frozenset((*DEFAULT, "bodyStructure", "headers"))


class Asked(Protocol):
    """Arguments that both methods have."""

    @property
    def properties(self) -> list[str] | None:
        """Of emails."""
        ...

    @property
    def body_properties(self) -> list[str] | None:
        """Of parts."""
        ...


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked of each email."""

    names: tuple[str, ...]
    parts: tuple[str, ...]
    """Properties of body parts."""
    columns: tuple[str, ...]
    opens: bool
    """Whether content is read."""
    headers: bool
    """Whether its header is."""
    structure: bool
    """Whether its structure is."""

    def with_id(self) -> "Plan":
        """The same, and ``id`` first."""
        return replace(self, names=tuple(dict.fromkeys(("id", *self.names))))

    def from_content(self) -> "Plan":
        """The same of what has no columns."""
        return replace(self, opens=True, headers=True)


_COLUMNS: Final[Mapping[str, str]] = {
    "threadId": "e.thread",
    "keywords": "e.flags e.keywords",
    "size": "e.size",
    "receivedAt": "e.received_at",
    "hasAttachment": "e.attachment",
    "preview": "w.preview",
    **dict.fromkeys(envelope_read.SHOWN, "w.envelope"),
}
_BODIES: Final = frozenset(("bodyValues", "textBody", "htmlBody", "attachments", "bodyStructure"))


def planned(arguments: Asked, default: Sequence[str] = DEFAULT) -> Plan:
    """Raises ``MethodError``."""
    names = tuple(default) if arguments.properties is None else checked(arguments.properties, KNOWN)
    parts = (
        body_parts.DEFAULT
        if arguments.body_properties is None
        else checked(arguments.body_properties, body_parts.KNOWN_PROPERTIES)
    )
    structure = not _BODIES.isdisjoint(names)
    in_header = header_forms.CONVENIENT.keys() - envelope_read.SHOWN
    headers = any(n in in_header or n == "headers" or n.startswith("header:") for n in names)
    opens = structure or headers
    columns: dict[str, None] = {}
    for name in names:
        # What the header has is not read twice.
        if not (headers and name in envelope_read.SHOWN):
            columns |= dict.fromkeys(_COLUMNS.get(name, "").split())
    return Plan(names, tuple(parts), tuple(columns) or ("e.modseq",), opens, headers, structure)


def checked(asked: Sequence[str], known: frozenset[str]) -> tuple[str, ...]:
    """Names of properties, all known or of the header. Raises ``MethodError``."""
    if len(asked) > MOST:
        raise MethodError("invalidArguments", f"At most {MOST} properties can be asked for")
    for name in asked:
        if name not in known and header_forms.parsed(name) is None:
            raise MethodError("invalidArguments", f"There is no property {name!r}")
    return tuple(dict.fromkeys(asked))
