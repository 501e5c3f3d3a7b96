"""Mail that this server writes to its own people: one letter, filed once however often it is asked for.

It has its place in the trace under a number of its own, by which a job that is run twice finds it.
"""

import time
from email.utils import formatdate
from hashlib import blake2b
from typing import Final

import msgspec

from malleposte.delivery.spool import Spool, prepare
from malleposte.directory.book import Account
from malleposte.mime import compose
from malleposte.store import Store
from malleposte.store.commands import Deliver, Filing

ADMINISTRATORS: Final = (
    "SELECT DISTINCT a.id FROM account a JOIN role_grant r ON r.account = a.id"
    " WHERE r.role IN ('owner', 'administrator') AND a.status = 'active' AND a.organisation = $1"
    " ORDER BY a.id"
)
"""Accounts that can do something about what happens in an organisation."""
_WRITTEN: Final = "SELECT 1 FROM trace WHERE id = $1 AND message_id = $2"


def number_of(job: str, at: int, reader: Account) -> int:
    """The letter's number in the trace. ``job``: kind and key; ``at``: the same whenever it is run."""
    digest = blake2b(f"{job}:{reader.id}".encode(), digest_size=4).digest()
    return at << 31 | int.from_bytes(digest, "big") & 0x7FFFFFFF


async def is_written(store: Store, number: int, identity: str) -> bool:
    """Whether a letter was filed already. ``identity``: its Message-ID."""
    return await store.reader.row(_WRITTEN, number, identity) is not None


async def file(
    store: Store,
    reader: Account,
    text: tuple[str, str],
    *,
    number: int,
    identity: str,
    about: str,
) -> None:
    """File a letter of subject and body. ``about``: whom it tells of, for the trace. Raises what the store
    raises."""
    spool = Spool(store.incoming)
    spool.write(letter(reader.address, reader.name, text, identity))
    message = await prepare(spool)
    await store.submit(
        Deliver(
            content=message.content,
            rendered=message.rendered,
            filings=(Filing(account=reader.id, exempt=True),),
            received_at=int(time.time()),
            direction="local",
            trace_id=number,
            trace=msgspec.msgpack.encode(
                {
                    "with": "notice",
                    "about": about,
                    "size": message.content.size,
                    "to": [(reader.address, (reader.id,), "NEVER", "")],
                }
            ),
        )
    )


def letter(address: str, name: str, text: tuple[str, str], identity: str) -> bytes:
    """A letter of subject and body to one of this server's people. ``identity``: its Message-ID."""
    subject, body = text
    domain = address.rpartition("@")[2]
    return compose.message(
        [
            compose.addresses("From", [compose.Mailbox("Malleposte", f"postmaster@{domain}")]),
            compose.addresses("To", [compose.Mailbox(name, address)]),
            compose.unstructured("Subject", subject),
            compose.field("Date", formatdate(localtime=True)),
            compose.message_ids("Message-ID", [identity]),
            compose.field("Auto-Submitted", "auto-generated"),  # RFC 3834 §5
        ],
        compose.text(body),
    )
