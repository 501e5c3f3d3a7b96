"""A message that is put into mailboxes: by Email/set, Email/import and Email/copy."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from malleposte.delivery.spool import Spool, prepare
from malleposte.services.jmap.context import Context
from malleposte.services.jmap.errors import SetError, invalid
from malleposte.services.jmap.mail import keywords
from malleposte.services.jmap.mail.blobs import email_blob
from malleposte.services.jmap.times import seconds_of
from malleposte.store import DiskFull, PermanentFailure, StoreError
from malleposte.store.commands import Append
from malleposte.store.flags import MAX_KEYWORDS_EMAIL
from malleposte.store.ids import (
    LOW,
    MAILBOX_LETTER,
    account_of,
    email_text,
    id_number,
    thread_text,
)
from malleposte.store.incoming import NoRoom
from malleposte.store.read import emails
from malleposte.store.read.emails import Damaged
from malleposte.store.results import AnyResult, Appended, Refused


@dataclass(frozen=True, slots=True)
class Place:
    """Where an email goes, and how."""

    mailboxes: tuple[int, ...]
    flags: int
    words: tuple[str, ...]
    received_at: int


def place(context: Context, account: int, properties: Mapping[str, Any], now: int) -> Place:
    """Out of ``mailboxIds``, ``keywords`` and ``receivedAt``. Raises ``SetError``."""
    flags, words = keywords_of(properties.get("keywords"))
    received = properties.get("receivedAt")
    if received is not None:
        try:
            now = seconds_of(received)
        except (ValueError, TypeError) as error:
            raise invalid(str(error), "receivedAt") from None
    return Place(mailboxes_of(context, account, properties.get("mailboxIds")), flags, words, now)


def mailboxes_of(context: Context, account: int, given: Any) -> tuple[int, ...]:
    """The mailboxes of ``mailboxIds``, at least one. Raises ``SetError``."""
    if not isinstance(given, dict) or not given:
        raise invalid("An email is in one mailbox at least", "mailboxIds")
    if any(value is not True for value in given.values()):
        raise invalid("The value of each mailbox is true", "mailboxIds")
    return tuple(dict.fromkeys(mailbox_of(context, account, id_) for id_ in given))


def mailbox_of(context: Context, account: int, id_: str) -> int:
    """One mailbox by its id, or by the id it was created with. Raises ``SetError``."""
    number = id_number(MAILBOX_LETTER, context.id_of(id_))
    if account_of(number) != account:
        raise invalid(f"There is no mailbox {id_!r}", "mailboxIds")
    return number


def keywords_of(given: Any) -> tuple[int, tuple[str, ...]]:
    """Bits and words of ``keywords``. Raises ``SetError``."""
    if given is None:
        return 0, ()
    if not isinstance(given, dict) or any(value is not True for value in given.values()):
        raise invalid("The value of each keyword is true", "keywords")
    try:
        flags, words = keywords.split(given)
    except ValueError as error:
        raise invalid(str(error), "keywords") from None
    if len(words) > MAX_KEYWORDS_EMAIL:
        raise SetError("tooManyKeywords", f"An email has at most {MAX_KEYWORDS_EMAIL} keywords")
    return flags, words


async def file(context: Context, to: Place, spool: Spool) -> tuple[int, int]:
    """Put the message of a spool into mailboxes; its email and its octets. Raises ``SetError``, and what
    ``Spool`` and the store raise."""
    prepared = await prepare(spool)
    try:
        result = await context.submit(
            Append(
                actor=context.actor,
                mailbox=to.mailboxes[0],
                also=to.mailboxes[1:],
                content=prepared.content,
                rendered=prepared.rendered,
                received_at=to.received_at,
                flags=to.flags,
                keywords=to.words,
            ),
            prepared.descriptor,
        )
    finally:
        prepared.close()
    if isinstance(result, Appended):
        return result.email, spool.size
    raise refusal(result)


def refusal(result: AnyResult) -> SetError:
    """The error of one object, for a command that was not carried out."""
    assert isinstance(result, Refused), result
    return refused(result.reason, result.text)


def refused(reason: str, text: str) -> SetError:
    """The same, for a reason."""
    words = f"{text[:1].upper()}{text[1:]}"
    match reason:
        case "no-such-email":
            return SetError("notFound")
        case "no-such-mailbox":
            return invalid("There is no such mailbox", "mailboxIds")
        case "nowhere":
            return invalid("An email is in one mailbox at least", "mailboxIds")
        case "no-rights" | "shared":
            return SetError("forbidden", words)
        case "over-quota":
            return SetError("overQuota", "The mailbox is full")
        case "too-many":
            return SetError("tooManyKeywords", words)
        case "purging":
            return SetError("rateLimit", words)
    return SetError("forbidden", words or reason)


FAILURES: Final = (OSError, StoreError, Damaged)
"""What ends one object of several, and not those beside it."""


def failure(error: Exception) -> SetError:
    """The error of one object: as it is, or one of ``FAILURES`` that the server could not help."""
    if isinstance(error, SetError):
        return error
    if isinstance(error, NoRoom | DiskFull):
        return SetError("overQuota", str(error) if isinstance(error, DiskFull) else error.text)
    if isinstance(error, Damaged):
        return SetError("serverFail", "Content of this is damaged on the server")
    if isinstance(error, PermanentFailure):
        return SetError("serverFail", "This went wrong in the server")
    return SetError("serverUnavailable", "The server cannot do this now; try again later")


async def described(
    context: Context, account: int, filed: Mapping[str, tuple[int, int]]
) -> dict[str, Any]:
    """What a client is told of emails that were made: by creation id, (email, octets)."""
    numbers = sorted(email & LOW for email, _ in filed.values())
    rows: list[Any] = []
    if numbers:
        rows = await emails.columns_of(context.store.reader, account, numbers, ("e.thread",))
    threads = {account << 32 | number: thread for number, thread in rows}
    return {
        id_: {
            "id": email_text(email),
            "blobId": email_blob(email),
            "threadId": thread_text(threads[email]) if email in threads else None,
            "size": size,
        }
        for id_, (email, size) in filed.items()
    }
