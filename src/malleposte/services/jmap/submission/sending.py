"""A message is sent: read from the store, and given to what takes submitted mail from everybody."""

import time
from dataclasses import dataclass
from typing import Any

from malleposte.delivery.leaving import addresses_in
from malleposte.delivery.spool import Spool
from malleposte.delivery.submitted import HEADER, header_size
from malleposte.delivery.trace_header import Origin
from malleposte.delivery.verdict import FILED, Recipient, Reports, Verdict
from malleposte.services.jmap.access import Access
from malleposte.services.jmap.context import Context
from malleposte.services.jmap.errors import SetError
from malleposte.services.jmap.mail.blob_reading import Blobs
from malleposte.services.jmap.mail.blobs import email_blob
from malleposte.services.jmap.submission import envelopes
from malleposte.services.jmap.submission.envelopes import Envelope
from malleposte.services.jmap.submission.identities import may_send_as
from malleposte.services.jmap.submission.submissions import state_of
from malleposte.store.commands import Submitted
from malleposte.store.commands.submissions import MAX_SENT
from malleposte.store.read.submissions import Identity

TOO_LARGE = SetError("tooLarge", "The message is larger than what can be sent")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be sent: an email of an account with its thread, for an identity, in an envelope that was
    ``given`` or in that of its header."""

    account: int
    email: int
    thread: int
    identity: Identity
    given: Any


async def send(context: Context, wanted: Wanted) -> int:
    """Send an email; the trace of its submission, which is kept with the mail that it becomes. Raises
    ``SetError``, and what the store and the spool raise."""
    account = wanted.account
    spool = Spool(context.store.incoming, account)
    try:
        blobs = Blobs(context.store, context.settings, Access(account, account))
        async with blobs.opened(email_blob(wanted.email)) as blob:
            if blob is None:
                raise SetError(
                    "invalidProperties", "There is no such email", properties=["emailId"]
                )
            if not await blobs.spooled(blob, spool):
                raise TOO_LARGE
        with spool.buffer() as buffer:
            start = bytes(buffer[:HEADER])
        header = start[: max(0, header_size(start))]
        return await _handed_over(context, wanted, header, spool)
    finally:
        spool.close()


async def _handed_over(context: Context, wanted: Wanted, header: bytes, spool: Spool) -> int:
    account, identity = wanted.account, wanted.identity
    if wanted.given is None:
        envelope = envelopes.of_header(header, identity.address)
    else:
        envelope = envelopes.given(wanted.given)
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
    waits = asked.release > now
    # One answer for all: where it is good, each recipient has this one.
    good = said(FILED)
    answers = [(one.remote, good, not (waits or one.leaves)) for one in recipients]
    state = state_of(envelope, answers)
    if len(state) > MAX_SENT:
        raise SetError("tooLarge", "The envelope is too long")
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
        submitted=Submitted(
            account=account,
            identity=identity.n,
            email=wanted.email,
            thread=wanted.thread,
            send_at=max(asked.release, int(now)),
            state=state,
        ),
    )
    if not any(verdict.good for verdict in verdicts):
        raise refused(verdicts[0])
    return trace


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
