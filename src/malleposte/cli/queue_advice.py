"""What a person can do about mail that waits, by the words that stand at it (docs/sending.md)."""

import time
from typing import Final

from malleposte.operations.queue import QueuedMessage, QueuedRecipient

_Table = tuple[tuple[tuple[str, ...], str], ...]

_HELD: Final[_Table] = (
    (
        ("sending limit:",),
        "release it: malleposte queue release {id}; or first raise the limit: malleposte limit set …",
    ),
    (
        ("is suspended",),
        "enable its account first (malleposte account enable …), or: malleposte queue remove {id}",
    ),
    (("",), "release it: malleposte queue release {id}; or: malleposte queue remove {id}"),
)
_WAITS: Final[_Table] = (
    (
        ("demands", "(DANE)", "the MTA-STS policy of", "TLSA record"),
        "tell them, it is their servers' TLS (docs/tls-policies.md); to let mail go in spite of it for"
        " a while: malleposte tls except {route} --days 7",
    ),
    (
        ("refuses our sign-in as",),
        "correct the user and the password of this relay: malleposte relay set, or sending.smart_host_user"
        " and sending.smart_host_password; then: malleposte relay test",
    ),
    (
        ("the password is not sent without TLS",),
        "turn on TLS for this relay, or have it offer TLS",
    ),
    (
        ("is not configured here",),
        "configure the relay again; or: malleposte queue retry {id}, which chooses the way anew",
    ),
    (
        ("leads back to this server",),
        "add the domain here (malleposte domain add), or correct its MX records",
    ),
    (
        ("was not found: the resolver", "the resolver"),
        "look at this server's resolver; if other resolvers find the name, it is ours, else theirs",
    ),
    (
        ("does not take us",),
        "the server guards itself against our address: its words say by which list; ask there to be taken"
        " off",
    ),
    (
        ("connection refused", "no answer in time", "no route to", "unreachable"),
        "where it is so with all destinations, the provider blocks port 25 on the way out: ask for it, or"
        " use a smart host (docs/sending.md); else their server is away: nothing",
    ),
    (("could not be read from the store",), "look at the store: malleposte fsck"),
    (
        ("a defect of this server",),
        "the log has the whole of it; report it; it is tried again",
    ),
    (("(8BITMIME)", "(SMTPUTF8)"), "their server is old: write to an address in ASCII letters"),
    (("takes messages of",), "send it in parts, or a link"),
    (("4.2.2",), "nothing: the mailbox is full, its owner has to make room; it is tried again"),
)
_LATER: Final = "nothing: it is sent at that time"
_FIRST: Final = "nothing: it is on its way"
_WAIT: Final = "nothing: it is tried again by itself; at once: malleposte queue retry {id}"


def advice(message: QueuedMessage, one: QueuedRecipient, *, rests: bool = False) -> str:
    """What to do about one recipient. ``rests``: this server does not send."""
    if one.state == "held":
        said, known = message.held, _HELD
    elif rests:
        return "turn sending on (sending.enabled): nothing leaves without"
    else:
        said, known = f"{one.way}\n{one.said}", _WAITS
    domain = one.address.rpartition("@")[2]
    for words, what in known:
        if any(word in said for word in words):
            return what.format(id=message.id, route=domain)
    if not said.strip():
        later = not one.attempts and one.due_at > time.time()
        return _LATER if later else _FIRST
    return _WAIT.format(id=message.id)
