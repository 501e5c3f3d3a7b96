"""What a report's job knows: the message as it stood in the queue, and what became of some recipients."""

from typing import Final

import msgspec

REPORT_JOB: Final = "delivery-report"
"""Kind of the job that writes a report; payload ``ReportJob``."""

VERSION: Final = 1


class Fate(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """What became of one recipient. ``original``: ORCPT, ``type;address``; ``said``: in our words;
    ``reply``: in those of the server ``remote``; ``asked``: NOTIFY was given."""

    address: str
    status: str
    original: str = ""
    reply: str = ""
    said: str = ""
    remote: str = ""
    asked: bool = False


class ReportJob(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """The payload, of a version; fields are only added, at the end and with a default.

    ``key`` names the report for ever; ``action`` as in RFC 3464 §2.3.3; ``at``: when it happened.
    """

    version: int = VERSION
    key: str
    action: str
    at: int
    message: int
    trace: int
    account: int
    sender: str
    blob: int
    prefix: bytes
    size: int
    ret: str
    envelope: str
    created_at: int
    expires_at: int
    fates: tuple[Fate, ...]
    header: bytes = b""
    """The message's, where its content is not named."""


def read_job(payload: bytes) -> ReportJob:
    """A job's payload. Raises ``ValueError`` for one of a newer version: a newer node runs it."""
    job = msgspec.msgpack.decode(payload, type=ReportJob)
    if job.version != VERSION:
        raise ValueError(f"a report of version {job.version}; this server knows {VERSION}")
    return job
