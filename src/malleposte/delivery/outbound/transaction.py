"""One message over one connection: what the server must know for it, and its answers as outcomes."""

from collections.abc import Sequence
from dataclasses import dataclass

from malleposte.store.commands import EIGHTBIT, SMTPUTF8
from malleposte.store.results import TakenMessage, TakenRecipient
from malleposte.wire.smtp.outgoing import Addressee, Extensions, Outgoing
from malleposte.wire.smtp.progress import Answer

from .connection import Connection
from .office import Office, Parcel
from .outcome import Judge, Settled, ends_session, is_too_many, lost
from .words import Trouble


@dataclass(frozen=True, slots=True)
class Offered:
    """What came of it. ``rest``: recipients to be offered again at once, since there were too many;
    ``broke``: the connection did, or was ended by the server, and how."""

    settled: Sequence[Settled]
    rest: tuple[TakenRecipient, ...] = ()
    broke: Trouble | None = None


async def offer(connection: Connection, parcel: Parcel, office: Office, until: float) -> Offered:
    """Offer a message. Raises ``ContentUnreadable``."""
    message, recipients, judge = parcel.message, parcel.recipients, office.judge
    host = connection.described
    missing = _missing(message, connection)
    if missing is not None:
        return Offered([judge.troubled(message, r, missing, host) for r in recipients])
    settled: list[Settled] = []
    recipients, later = _that_it_takes(connection.can, recipients)
    good: Sequence[TakenRecipient] = recipients
    try:
        outgoing = _outgoing(message, good)
    except ValueError:
        good = []
        for recipient in recipients:
            trouble = _unspeakable(message, recipient)
            if trouble is None:
                good.append(recipient)
            else:
                settled.append(judge.troubled(message, recipient, trouble, host))
        if not good:
            return Offered(settled, later)
        outgoing = _outgoing(message, good)
    answers = await connection.send(outgoing, office.content(message), until)
    some_taken = any(answer.good for answer in answers)
    rest: list[TakenRecipient] = []
    broke: Trouble | None = None
    for recipient, answer in zip(good, answers, strict=True):
        if some_taken and is_too_many(answer):
            rest.append(recipient)
            continue
        settled.append(_judged(judge, message, recipient, answer, connection))
        if broke is None and ends_session(answer):
            broke = (
                lost(answer, connection.name, ended=connection.ended)
                if answer.reply is None
                else Trouble(
                    answer.reply.enhanced or "4.3.2",
                    f"{connection.host} ended the session: «{answer.reply}»",
                    reply=str(answer.reply),
                    host=connection.host,
                )
            )
    return Offered(settled, (*rest, *later), broke)


def _that_it_takes(
    can: Extensions, recipients: tuple[TakenRecipient, ...]
) -> tuple[tuple[TakenRecipient, ...], tuple[TakenRecipient, ...]]:
    """Recipients for this transaction, and for the next ones (RFC 9422 §4.2, §4.3)."""
    now = recipients
    if can.most_domains:
        domains = list(dict.fromkeys(map(_domain, recipients)))[: can.most_domains]
        now = tuple(one for one in recipients if _domain(one) in domains)
    if can.most_recipients:
        now = now[: can.most_recipients]
    chosen = {one.n for one in now}
    return now, tuple(one for one in recipients if one.n not in chosen)


def _domain(recipient: TakenRecipient) -> str:
    return recipient.address.rpartition("@")[2].lower()


def _outgoing(message: TakenMessage, recipients: Sequence[TakenRecipient]) -> Outgoing:
    return Outgoing(
        message.sender,
        tuple(Addressee(one.address, one.notify, one.original) for one in recipients),
        size=message.size,
        eightbit=bool(message.needs & EIGHTBIT),
        smtputf8=bool(message.needs & SMTPUTF8),
        ret=message.ret,
        envid=message.envelope,
    )


def _unspeakable(message: TakenMessage, recipient: TakenRecipient) -> Trouble | None:
    """Why an address cannot be said to a server, None if it can."""
    try:
        _outgoing(message, [recipient])
    except ValueError as error:
        return Trouble("5.1.3", f"not sent: {error}", permanent=True)
    return None


def _missing(message: TakenMessage, connection: Connection) -> Trouble | None:
    """What the server lacks for this message, None if nothing."""
    can, host = connection.can, connection.host
    if message.needs & SMTPUTF8 and not can.smtputf8:  # RFC 6531 §3.2: no downgrade on the way
        words = (
            f"{host} cannot take addresses or headers beyond ASCII (SMTPUTF8), and this message has"
            " some: write to an address in ASCII letters, or ask its operator"
        )
        return Trouble("5.6.7", words, permanent=True, host=connection.name)
    if message.needs & EIGHTBIT and not can.eightbit:  # RFC 6152 §3
        words = f"{host} cannot take 8-bit content (8BITMIME), and this message has some"
        return Trouble("5.6.3", words, permanent=True, host=connection.name)
    if can.size and message.size > can.size:  # RFC 1870 §6.1
        words = (
            f"{host} takes messages of {can.size:,} octets at most, and this one has"
            f" {message.size:,}: send it in parts, or a link to it"
        )
        return Trouble("5.3.4", words, permanent=True, host=connection.name)
    return None


def _judged(
    judge: Judge,
    message: TakenMessage,
    recipient: TakenRecipient,
    answer: Answer,
    connection: Connection,
) -> Settled:
    return judge.answered(
        message,
        recipient,
        answer,
        remote=connection.name,
        host=connection.described,
        ended=connection.ended,
        reports=connection.can.dsn,
        secured=connection.channel.tls is not None,
    )
