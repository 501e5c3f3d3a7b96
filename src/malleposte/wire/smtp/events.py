"""What the engine tells the service: one frozen object an event.

Those marked *answer* hold the conversation until the service answered by `accept()` or
`reply()`; the others need none. Secrets never show in `repr`.
"""

from dataclasses import dataclass, field
from enum import Enum

from malleposte.wire.dialogue import Authenticate, ConnectionClosed, StartTls

from .dsn import Notify, OriginalRecipient, Ret
from .path import Path


class Greeting(Enum):
    """How the client said hello."""

    HELO = "HELO"
    EHLO = "EHLO"
    LHLO = "LHLO"


class Body(Enum):
    """BODY= of RFC 6152."""

    SEVEN_BIT = "7BIT"
    EIGHT_BIT_MIME = "8BITMIME"


@dataclass(frozen=True, slots=True)
class Hello:
    """*Answer.* HELO, EHLO or LHLO. `name` is what the client calls itself, unverified: a domain,
    an address literal or something odd, but printable ASCII without spaces or brackets of
    comments, fit for a Received field. If accepted, a transaction under way is gone."""

    greeting: Greeting
    name: str


@dataclass(frozen=True, slots=True)
class MailFrom:
    """*Answer.* MAIL (RFC 5321 §4.1.1.2).

    `size`: announced octets (RFC 1870), None if not said, never above the limit. `auth`: the
    AUTH= parameter (RFC 4954 §5), "" for `<>`, None if not given: a claim, to be believed only
    from trusted peers. `release`: not before this moment, in Unix seconds (RFC 4865).
    """

    path: Path
    size: int | None = None
    body: Body = Body.SEVEN_BIT
    smtputf8: bool = False
    auth: str | None = None
    ret: Ret | None = None
    envid: str | None = None
    release: int | None = None


@dataclass(frozen=True, slots=True)
class RcptTo:
    """*Answer.* RCPT (RFC 5321 §4.1.1.3). `path.domain` is "" for `<postmaster>` only."""

    path: Path
    notify: Notify | None = None
    orcpt: OriginalRecipient | None = None


@dataclass(frozen=True, slots=True)
class DataStart:
    """*Answer.* DATA, or the first BDAT of a message (`chunked`). `accept()` lets content flow
    (354 is sent for DATA, nothing for BDAT); a refusal of BDAT is sent once the chunk has been
    read and thrown away."""

    chunked: bool


@dataclass(frozen=True, slots=True)
class DataChunk:
    """Some content, dot-stuffing removed, octets otherwise as received."""

    octets: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class DataEnd:
    """*Answer.* The content is complete, `size` octets. In LMTP one answer for each accepted
    recipient, in their order. A positive one means: durable (RFC 5321 §4.2.5)."""

    size: int


class ResetCause(Enum):
    RSET = "RSET"
    HELLO = "HELLO"
    TLS = "TLS"
    TOO_LARGE = "TOO_LARGE"
    BARE_NEWLINES = "BARE_NEWLINES"
    REFUSED = "REFUSED"
    CLOSED = "CLOSED"


@dataclass(frozen=True, slots=True)
class Reset:
    """A transaction that was accepted at MAIL ended without an answered DataEnd: throw away what
    was spooled. For content refused midway this comes at once, the rest is read and dropped."""

    cause: ResetCause


Event = (
    Hello
    | MailFrom
    | RcptTo
    | DataStart
    | DataChunk
    | DataEnd
    | Authenticate
    | StartTls
    | Reset
    | ConnectionClosed
)
