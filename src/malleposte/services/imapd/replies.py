"""How a command ends badly: words and response codes, in one place.

``Refuse`` is raised wherever a handler finds that a command cannot be done; the session answers it.
What the store refuses becomes a response code here and nowhere else (RFC 9051 §7.1, RFC 5530).
"""

from typing import Final

from malleposte.store import DiskFull, PermanentFailure, StoreError
from malleposte.store.errors import no_space
from malleposte.store.incoming import NoRoom
from malleposte.store.read.annotations import MAX_VALUE
from malleposte.store.results import Refused
from malleposte.wire.imap import codes, responses


class Refuse(Exception):
    """The command is answered NO, or BAD where it breaks the protocol. ``words`` are for people."""

    def __init__(self, words: str, code: bytes | None = None, *, bad: bool = False) -> None:
        super().__init__(words)
        self.words = words
        self.code = code
        self.bad = bad

    def reply(self, tag: bytes) -> bytes:
        """The tagged response."""
        answer = responses.bad if self.bad else responses.no
        return answer(tag, self.words, self.code)


def done(tag: bytes) -> bytes:
    """The tagged response of most commands, without detours."""
    return b"%b OK Done\r\n" % tag


READ_ONLY: Final = "The mailbox is open for reading only"
NO_ROOM: Final = "The account has no room left for this: delete mail, or ask for a larger quota"
EXPUNGED: Final = "Some of these messages no longer exist: they have been deleted elsewhere"

_FULL: Final = "The server's disk is almost full; try again later"
_REFUSED: Final[dict[str, tuple[bytes | None, str]]] = {
    "no-such-mailbox": (codes.NONEXISTENT, "There is no mailbox of this name"),
    "no-such-email": (codes.EXPUNGEISSUED, EXPUNGED),
    "no-such-account": (codes.NONEXISTENT, "There is no such account"),
    "exists": (codes.ALREADYEXISTS, "There is a mailbox of this name already"),
    "no-rights": (codes.NOPERM, "You may not do this in this mailbox"),
    "over-quota": (codes.OVERQUOTA, NO_ROOM),
    "over-quota-long": (codes.OVERQUOTA, NO_ROOM),
    "has-children": (codes.HASCHILDREN, "Delete the mailboxes below it first"),
    "not-empty": (codes.INUSE, "Messages came in meanwhile; try again"),
    "bad-name": (codes.CANNOT, "A mailbox cannot have this name"),
    "purging": (codes.UNAVAILABLE, "Deleted mail waits for its removal; try again in a minute"),
    "limit": (codes.LIMIT, "This is more than the server takes at a time"),
    "in-use": (codes.INUSE, "This is in use already"),
    "loop": (codes.CANNOT, "A mailbox cannot move below itself"),
    "reserved": (codes.CANNOT, "INBOX can be neither deleted nor renamed like this"),
    "too-long": (codes.metadata_max_size(MAX_VALUE), "This value is too large"),
    "too-many": (codes.METADATA_TOOMANY, "There is no room for more entries"),
}


def refuse(refused: Refused, *, target: bool = False) -> Refuse:
    """What the store's refusal is in IMAP.

    ``target``: the mailbox that is missing is one to copy or append to, which the client may create
    (RFC 9051 §6.3.12 [TRYCREATE]).
    """
    code, words = _REFUSED.get(refused.reason, (codes.CANNOT, "This cannot be done"))
    if target and refused.reason == "no-such-mailbox":
        code = codes.TRYCREATE
    if " " in refused.text:
        words = refused.text[0].upper() + refused.text[1:]
    return Refuse(words, code)


def failed(tag: bytes, error: StoreError | OSError) -> bytes:
    """The tagged response to a command that the store or the system could not do."""
    words = "The store cannot answer now; try again later"
    match error:
        case NoRoom():
            words = error.text
        case PermanentFailure():
            return responses.no(tag, "This went wrong in the server", codes.SERVERBUG)
        case DiskFull():
            words = _FULL
        case OSError() if no_space(error):
            words = _FULL
    return responses.no(tag, words, codes.UNAVAILABLE)


NO_SUCH_MAILBOX: Final = Refused(reason="no-such-mailbox")
