"""A message is sent: read from the store, and given to what takes submitted mail from everybody."""

import time
from dataclasses import dataclass
from typing import Any

from malleposte.delivery.leaving import addresses_in
from malleposte.delivery.spool import Spool
from malleposte.delivery.submitted import HEADER, header_size
from malleposte.delivery.trace_header import Origin
from malleposte.delivery.verdict import Recipient, Reports, Verdict
from malleposte.services.jmap.context import Context
from malleposte.services.jmap.errors import SetError
from malleposte.services.jmap.mail.blob_reading import Blobs
from malleposte.services.jmap.mail.blobs import email_blob
from malleposte.services.jmap.submission import envelopes
from malleposte.services.jmap.submission.envelopes import Envelope
from malleposte.services.jmap.submission.identities import may_send_as
from malleposte.store.read.submissions import Identity

TOO_LARGE = SetError("tooLarge", "The message is larger than what can be sent")


@dataclass(frozen=True, slots=True)
class Sent:
    """What was handed over. ``answers``: for each recipient the address other servers are told, what
    SMTP would have answered, and whether it is filed already."""

    trace: int
    send_at: int
    envelope: Envelope
    answers: list[tuple[str, str, bool]]


async def send(context: Context, account: int, email: int, identity: Identity, given: Any) -> Sent:
    """Send an email. Raises ``SetError``, and what the store and the spool raise."""
    spool = Spool(context.store.incoming, account)
    try:
        blobs = Blobs(context.store, context.settings, account)
        async with blobs.opened(email_blob(email)) as blob:
            if blob is None:
                raise SetError(
                    "invalidProperties", "There is no such email", properties=["emailId"]
                )
            if not await blobs.spooled(blob, spool):
                raise TOO_LARGE
        with spool.buffer() as buffer:
            start = bytes(buffer[:HEADER])
        header = start[: max(0, header_size(start))]
        return await _handed_over(context, account, identity, given, header, spool)
    finally:
        spool.close()


async def _handed_over(
    context: Context, account: int, identity: Identity, given: Any, header: bytes, spool: Spool
) -> Sent:
    if given is None:
        envelope = envelopes.of_header(header, identity.address)
    else:
        envelope = envelopes.given(given)
    envelope = envelopes.checked(context, envelope)
    sender = envelope.mail_from.email
    if sender and not await may_send_as(context, account, sender):
        raise SetError("forbiddenMailFrom", f"You may not send as {sender[:300]}")
    for author in addresses_in(header, b"from")[:20]:
        if not await may_send_as(context, account, author):
            raise SetError("forbiddenFrom", f"You may not send as {author[:300]}")
    asked = envelopes.asked(context, envelope.mail_from)
    recipients = await _recipients(context, account, envelope, spool.size)
    now = time.time()
    origin = Origin(
        peer=context.peer,
        hello="",
        protocol="HTTPS",
        account=account,
        login=context.account.address,
    )
    verdicts, trace = await context.reception.file(
        sender,
        recipients,
        spool,
        origin,
        each=False,
        now=now,
        reports=Reports(returned=asked.returned, envelope=asked.envelope),
        release=asked.release,
    )
    if not any(verdict.good for verdict in verdicts):
        raise refused(verdicts[0])
    waits = asked.release > now
    return Sent(
        trace,
        max(asked.release, int(now)),
        envelope,
        [
            (recipient.remote, said(verdict), not (waits or recipient.leaves))
            for recipient, verdict in zip(recipients, verdicts, strict=True)
        ],
    )


async def _recipients(
    context: Context, account: int, envelope: Envelope, size: int
) -> list[Recipient]:
    recipients: list[Recipient] = []
    bad: dict[str, Verdict] = {}
    for one in envelope.rcpt_to:
        notify, original = envelopes.reports(one)
        local, _, domain = one.email.rpartition("@")
        verdict, resolution = await context.reception.route(
            local, domain, size=size, account=account, sender=envelope.mail_from.email
        )
        if not verdict.good:
            bad[one.email] = verdict
        recipients.append(Recipient(one.email, resolution, notify, original))
    if bad:
        (address, verdict), *_ = bad.items()
        if verdict.code < 500 or verdict.enhanced.startswith("5.7"):
            raise refused(verdict)
        raise SetError(
            "invalidRecipients", f"{address}: {verdict.text}", invalidRecipients=list(bad)
        )
    return recipients


def refused(verdict: Verdict) -> SetError:
    """The error of a message that is not taken."""
    if verdict.code < 500:
        return SetError("serverUnavailable", verdict.text)
    if verdict.enhanced.startswith(("5.6", "5.4")):
        return SetError("invalidEmail", verdict.text, properties=["headers"])
    return SetError("forbiddenToSend", verdict.text)


def said(verdict: Verdict) -> str:
    """What SMTP answers."""
    return f"{verdict.code} {verdict.enhanced} {verdict.text}"
