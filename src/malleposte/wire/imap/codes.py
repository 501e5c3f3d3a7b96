"""Response codes without their brackets (RFC 9051 §7.1, RFC 5530, RFC 4315, RFC 7162 and others).

Those without arguments are constants, the others functions. They go into the `code` argument of
the functions of `responses`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from malleposte.wire.imap import render
from malleposte.wire.imap.sets import compact, in_order

ALERT: Final = b"ALERT"
ALREADYEXISTS: Final = b"ALREADYEXISTS"
AUTHENTICATIONFAILED: Final = b"AUTHENTICATIONFAILED"
AUTHORIZATIONFAILED: Final = b"AUTHORIZATIONFAILED"
BADCHARSET: Final = b"BADCHARSET (US-ASCII UTF-8)"
CANNOT: Final = b"CANNOT"
CLIENTBUG: Final = b"CLIENTBUG"
CLOSED: Final = b"CLOSED"
COMPRESSIONACTIVE: Final = b"COMPRESSIONACTIVE"
CONTACTADMIN: Final = b"CONTACTADMIN"
CORRUPTION: Final = b"CORRUPTION"
EXPIRED: Final = b"EXPIRED"
EXPUNGEISSUED: Final = b"EXPUNGEISSUED"
HASCHILDREN: Final = b"HASCHILDREN"
INUSE: Final = b"INUSE"
LIMIT: Final = b"LIMIT"
NOMODSEQ: Final = b"NOMODSEQ"
NONEXISTENT: Final = b"NONEXISTENT"
NOPERM: Final = b"NOPERM"
NOTIFICATIONOVERFLOW: Final = b"NOTIFICATIONOVERFLOW"
NOTSAVED: Final = b"NOTSAVED"
OVERQUOTA: Final = b"OVERQUOTA"
PARSE: Final = b"PARSE"
PRIVACYREQUIRED: Final = b"PRIVACYREQUIRED"
READ_ONLY: Final = b"READ-ONLY"
READ_WRITE: Final = b"READ-WRITE"
SERVERBUG: Final = b"SERVERBUG"
TOOBIG: Final = b"TOOBIG"
TRYCREATE: Final = b"TRYCREATE"
UIDNOTSTICKY: Final = b"UIDNOTSTICKY"
UNAVAILABLE: Final = b"UNAVAILABLE"
UNKNOWN_CTE: Final = b"UNKNOWN-CTE"
USEATTR: Final = b"USEATTR"


METADATA_TOOMANY: Final = b"METADATA TOOMANY"


def metadata_long_entries(octets: int) -> bytes:
    """The largest value that MAXSIZE kept back (RFC 5464 §4.2.1)."""
    return b"METADATA LONGENTRIES %d" % octets


def metadata_max_size(octets: int) -> bytes:
    """How large a value may be (RFC 5464 §4.3)."""
    return b"METADATA MAXSIZE %d" % octets


def append_uid(uidvalidity: int, uids: Sequence[int]) -> bytes:
    """UIDs in the order of the messages (RFC 4315 §3)."""
    return b"APPENDUID %d %b" % (uidvalidity, in_order(uids))


def copy_uid(uidvalidity: int, source: Sequence[int], target: Sequence[int]) -> bytes:
    """Source and target UIDs correspond by position; at least one (RFC 4315 §3)."""
    return b"COPYUID %d %b %b" % (uidvalidity, in_order(source), in_order(target))


def highest_modseq(modseq: int) -> bytes:
    return b"HIGHESTMODSEQ %d" % modseq


def modified(numbers: Sequence[int]) -> bytes:
    """Messages that UNCHANGEDSINCE spared, ascending; UIDs for UID STORE (RFC 7162 §3.1.3)."""
    return b"MODIFIED " + compact(numbers)


def uid_next(uid: int) -> bytes:
    return b"UIDNEXT %d" % uid


def uid_validity(uidvalidity: int) -> bytes:
    return b"UIDVALIDITY %d" % uidvalidity


def unseen(number: int) -> bytes:
    """The first unseen sequence number (RFC 3501 §7.1)."""
    return b"UNSEEN %d" % number


def permanent_flags(flag_list: bytes) -> bytes:
    r"""`flag_list` is rendered, without parentheses, e.g. `flags.render_flags(…) + b" \*"`."""
    return b"PERMANENTFLAGS (%b)" % flag_list


def bad_event(supported: Iterable[bytes]) -> bytes:
    """RFC 5465 §3.1: the events that can be asked for."""
    return b"BADEVENT (%b)" % b" ".join(supported)


def capability(names: Iterable[bytes]) -> bytes:
    return b"CAPABILITY " + b" ".join(names)


def mailbox_id(object_id: bytes) -> bytes:
    """RFC 8474 §4.1, §4.2."""
    return b"MAILBOXID (%b)" % object_id


def in_progress(tag: bytes, done: int | None = None, goal: int | None = None) -> bytes:
    """RFC 9585: how far a long command has come."""
    if done is None:
        return b"INPROGRESS (%b NIL NIL)" % render.quoted(tag)
    if goal is None:
        return b"INPROGRESS (%b %d NIL)" % (render.quoted(tag), done)
    return b"INPROGRESS (%b %d %d)" % (render.quoted(tag), done, goal)
