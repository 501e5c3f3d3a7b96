"""Which capabilities are shown when (RFC 9051 §6.1.1, §7.2.2): one table, asked by everybody.

The rules it keeps: LITERAL- before sign-in and LITERAL+ after, never both (RFC 7888 §5);
LOGINDISABLED and no AUTH where a password would go in clear (§6.2.3, §11); STARTTLS only where it
can be given. Extensions add rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag
from typing import Final


class Shown(IntFlag):
    """When a capability stands in the list."""

    BEFORE = 1
    AFTER = 2
    ALWAYS = 3


TABLE: Final[tuple[tuple[bytes, Shown], ...]] = (
    (b"IMAP4rev2", Shown.ALWAYS),  # RFC 9051
    (b"IMAP4rev1", Shown.ALWAYS),  # RFC 3501
    (b"SASL-IR", Shown.BEFORE),  # RFC 4959
    (b"LITERAL-", Shown.BEFORE),  # RFC 7888
    (b"LITERAL+", Shown.AFTER),
    (b"ID", Shown.ALWAYS),  # RFC 2971
    (b"ENABLE", Shown.ALWAYS),  # RFC 5161
    (b"IDLE", Shown.ALWAYS),  # RFC 2177
    (b"NAMESPACE", Shown.AFTER),  # RFC 2342
    (b"METADATA", Shown.AFTER),  # RFC 5464
    (b"QUOTA", Shown.AFTER),  # RFC 9208
    (b"QUOTA=RES-STORAGE", Shown.AFTER),
    (b"QUOTA=RES-MESSAGE", Shown.AFTER),  # there is no such limit; STATUS DELETED goes with it
    (b"QUOTA=RES-MAILBOX", Shown.AFTER),
    (b"QUOTA=RES-ANNOTATION-STORAGE", Shown.AFTER),
    (b"UIDPLUS", Shown.AFTER),  # RFC 4315
    (b"MOVE", Shown.AFTER),  # RFC 6851
    (b"UNSELECT", Shown.AFTER),  # RFC 3691
    (b"CHILDREN", Shown.AFTER),  # RFC 3348
    (b"CONDSTORE", Shown.AFTER),  # RFC 7162
    (b"QRESYNC", Shown.AFTER),
    (b"ESEARCH", Shown.AFTER),  # RFC 4731
    (b"LIST-EXTENDED", Shown.AFTER),  # RFC 5258
    (b"LIST-STATUS", Shown.AFTER),  # RFC 5819
    (b"LIST-MYRIGHTS", Shown.AFTER),  # RFC 8440
    (b"ACL", Shown.AFTER),  # RFC 4314
    (b"RIGHTS=texk", Shown.AFTER),
    (b"LIST-METADATA", Shown.AFTER),  # RFC 9590
    (b"SPECIAL-USE", Shown.AFTER),  # RFC 6154
    (b"CREATE-SPECIAL-USE", Shown.AFTER),
    (b"STATUS=SIZE", Shown.AFTER),  # RFC 8438
    (b"OBJECTID", Shown.AFTER),  # RFC 8474
    (b"PREVIEW", Shown.AFTER),  # RFC 8970
    (b"MULTIAPPEND", Shown.AFTER),  # RFC 3502
    (b"BINARY", Shown.AFTER),  # RFC 3516
    (b"REPLACE", Shown.AFTER),  # RFC 8508
    (b"UTF8=ACCEPT", Shown.AFTER),  # RFC 9755
    (b"SEARCHRES", Shown.AFTER),  # RFC 5182
    (b"WITHIN", Shown.AFTER),  # RFC 5032
    (b"PARTIAL", Shown.AFTER),  # RFC 9394
    (b"SORT", Shown.AFTER),  # RFC 5256
    (b"SORT=DISPLAY", Shown.AFTER),  # RFC 5957
    (b"ESORT", Shown.AFTER),  # RFC 5267
    (b"THREAD=ORDEREDSUBJECT", Shown.AFTER),  # RFC 5256
    (b"THREAD=REFERENCES", Shown.AFTER),
    (b"I18NLEVEL=1", Shown.AFTER),  # RFC 5255
    (b"SAVEDATE", Shown.AFTER),  # RFC 8514
    (b"INPROGRESS", Shown.AFTER),  # RFC 9585
    (b"NOTIFY", Shown.AFTER),  # RFC 5465
)
"""What the core offers. Names in the order in which they are sent."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a listener can do at this moment. `mechanisms` are SASL names such as `PLAIN`;
    `append_limit` is the largest message in octets, the same for all mailboxes (RFC 7889 §2), 0
    where nothing is said of it. `compress`: the connection is not compressed yet (RFC 4978)."""

    signed_in: bool = False
    starttls: bool = False
    secure: bool = False
    mechanisms: tuple[bytes, ...] = ()
    append_limit: int = 0
    compress: bool = False


def capabilities(offer: Offer) -> tuple[bytes, ...]:
    """The names, in order.

    `secure` is TLS or loopback: only then are mechanisms and LOGIN open. `starttls` is true where
    TLS is configured and not yet running.
    """
    when = Shown.AFTER if offer.signed_in else Shown.BEFORE
    names = [name for name, shown in TABLE if shown & when]
    if offer.signed_in and offer.append_limit:
        names.append(b"APPENDLIMIT=%d" % offer.append_limit)
    if offer.signed_in and offer.compress:
        names.append(b"COMPRESS=DEFLATE")
    if not offer.signed_in:
        if offer.starttls:
            names.append(b"STARTTLS")
        if offer.secure:
            names.extend(b"AUTH=" + mechanism for mechanism in offer.mechanisms)
        else:
            names.append(b"LOGINDISABLED")
    return tuple(names)
