"""Replies of who is away (RFC 5230 §5): a reply says that a program wrote it (``answering``).

Who forges senders chooses whom they go to: an account writes so many an hour (of each worker), and what is
past that is dropped.
"""

import re
from dataclasses import dataclass, field
from email.utils import formatdate
from itertools import islice
from typing import Final

import structlog

from malleposte.delivery.reports.letter import to_line
from malleposte.directory.book import Account
from malleposte.mime import addresses, compose, fields
from malleposte.mime.address import display_name, mailboxes
from malleposte.policy.hourly import Hourly
from malleposte.store.results import LeasedJob

from .answering import Answer, Answering, number_of
from .work import Reply, read_reply

log = structlog.get_logger(__name__)

HOURLY: Final = 200
"""Replies of one account in an hour."""
_LONGEST_ID: Final = 900
_BLANK: Final = re.compile(r"\r?\n\r?\n")


@dataclass(frozen=True, slots=True)
class Replies(Answering):
    """Runs jobs of the kind ``REPLY_JOB``."""

    bounds: Hourly = field(default_factory=lambda: Hourly(HOURLY))

    async def run(self, leased: LeasedJob) -> None:
        """Write the reply of a job."""
        job = read_reply(leased.payload)
        number = number_of(job.at, leased.key)
        identity = f"reply.{leased.key}@{self.hostname}"
        account = await self.book.account(job.account)
        if account is None or account.status != "active":
            return
        if await self.is_written(number, identity):
            return
        if not self.bounds.take(job.account):
            log.warning("a reply is not sent", account=job.account, reason="too many in an hour")
            return
        author = await self._author(job, account)
        await self.send(
            Answer(
                account,
                author.address,
                job.to,
                letter(job, author, identity),
                "vacation",
                number,
                job.trace,
            )
        )

    async def _author(self, job: Reply, account: Account) -> compose.Mailbox:
        """Whom it is from: what the script says, if that is the account's to write as."""
        own = compose.Mailbox(account.name, account.address)
        for address in islice(mailboxes(addresses(job.sender.encode())), 1):
            spec = address.addr_spec.decode("utf-8", "replace")
            if await self.book.owns(account.id, spec):
                return compose.Mailbox(display_name(address.name) or account.name, spec)
        return own


def letter(job: Reply, author: compose.Mailbox, identity: str) -> bytes:
    """The finished message."""
    about = [job.message_id] if _fit(job.message_id) else []
    references = [one for one in job.references if _fit(one) and one not in about]
    try:
        sender = compose.addresses("From", [author])
    except ValueError:  # an account's address that is rarely written
        sender = f"From: <{author.address}>\r\n".encode()
    lines = [
        sender,
        to_line("", job.to),
        compose.unstructured("Subject", job.subject),
        compose.field("Date", formatdate(localtime=True)),
        compose.message_ids("Message-ID", [identity]),
    ]
    if about:
        lines.append(compose.message_ids("In-Reply-To", about))
        lines.append(compose.message_ids("References", [*references, *about]))
    lines += [
        compose.field("Auto-Submitted", "auto-replied"),  # RFC 5230 §5.8, RFC 3834 §5
        compose.field("X-Auto-Response-Suppress", "All"),  # what Exchange goes by
    ]
    return compose.message(lines, entity(job))


def entity(job: Reply) -> compose.Leaf:
    """What it says. Of an entity of the script's own (``:mime``) only fields of content are taken."""
    if not job.mime:
        return compose.text(job.reason)
    blank = _BLANK.search(job.reason)
    if blank is None:
        return compose.text(job.reason)
    header = job.reason[: blank.start()].replace("\r\n", "\n").replace("\n", "\r\n") + "\r\n"
    body = job.reason[blank.end() :].replace("\r\n", "\n").replace("\n", "\r\n")
    octets = header.encode("utf-8", "replace")
    kept = [
        octets[one.start : one.end]
        for one in fields(octets)
        if one.name.lower().startswith(b"content-") and octets[one.start : one.end].isascii()
    ]
    if not kept:
        return compose.text(job.reason)
    raw = body.encode("utf-8", "replace")
    return compose.Leaf(tuple(kept), raw if raw.endswith(b"\r\n") else raw + b"\r\n")


def _fit(identity: str) -> bool:
    return bool(identity) and identity.isascii() and len(identity) <= _LONGEST_ID
