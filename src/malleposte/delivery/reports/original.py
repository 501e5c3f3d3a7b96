"""The message that a report is about, as far as the report needs it."""

import dataclasses
import re
from dataclasses import dataclass, field
from typing import Final

import structlog

from malleposte.mime import decode_text, last_values, message_ids
from malleposte.mime.content import content_type
from malleposte.store import Store
from malleposte.store.ids import frame_id
from malleposte.store.read import emails
from malleposte.store.read.traces import waited_until

from .job import ReportJob

log = structlog.get_logger(__name__)

HEADER: Final = 64 * 1024
"""Octets of a header that go back."""
WHOLE: Final = 1024 * 1024
"""Octets of a message that goes back whole where its sender asked for that (RET=FULL); of a larger one the
header goes back (RFC 3461 §6.2)."""
LONGEST_ID: Final = 900

_BLANK: Final = re.compile(rb"(?:\A|\n)\r?\n")
_FIELD_END: Final = re.compile(rb"\n(?![ \t])")
_REPORTS: Final = frozenset(("delivery-status", "disposition-notification"))
_MANY: Final = frozenset(("bulk", "list", "junk"))
_CONTENT = (
    "SELECT b.organisation, b.size, b.place, f.data FROM blob b"
    " LEFT JOIN blob_frame f ON f.id = $1 WHERE b.id = $2"
)


@dataclass(frozen=True, slots=True)
class Original:
    """A message. ``organisation``: whose content it is, 0 where that is gone; ``header``: with its blank
    line; ``whole``: b'' where it is not wanted or too large; ``release``: until when it was to wait."""

    organisation: int = 0
    header: bytes = b""
    whole: bytes = b""
    fields: dict[bytes, bytes] = field(default_factory=dict)
    release: int = 0

    @property
    def subject(self) -> str:
        return decode_text(self.fields.get(b"subject", b""))

    @property
    def message_id(self) -> str:
        ids = message_ids(self.fields.get(b"message-id", b""))
        return ids[0] if ids and ids[0].isascii() and len(ids[0]) <= LONGEST_ID else ""

    @property
    def languages(self) -> list[str]:
        """What Content-Language says (RFC 3282)."""
        value = self.fields.get(b"content-language", b"")[:1_000].decode("ascii", "replace")
        return [tag.strip() for tag in value.split(",")]

    @property
    def is_report(self) -> bool:
        """It is a report itself: about that nobody is told anything, whatever its sender."""
        media = content_type(self.fields.get(b"content-type", b""))
        if media is None or (media.type, media.subtype) != ("multipart", "report"):
            return False
        return self._automatic or (media.get("report-type") or "").lower() in _REPORTS

    @property
    def is_unattended(self) -> bool:
        """A program or a list sent it: nobody waits for it to arrive."""
        precedence = self.fields.get(b"precedence", b"").strip().lower().decode("ascii", "replace")
        return self._automatic or precedence in _MANY

    @property
    def _automatic(self) -> bool:
        """RFC 3834 §5: anything but "no"."""
        value = self.fields.get(b"auto-submitted", b"no").partition(b";")[0].partition(b"(")[0]
        return value.strip().lower() != b"no"


async def original_of(store: Store, job: ReportJob) -> Original:
    """The message of a job; an empty one where its content cannot be read: its sender must hear all the
    same."""
    release = await waited_until(store.reader, job.trace)
    return dataclasses.replace(await _read(store, job), release=release)


async def _read(store: Store, job: ReportJob) -> Original:
    if job.header:
        return Original(0, job.header, b"", last_values(job.header))
    row = await store.reader.row(_CONTENT, frame_id(job.blob, 0), job.blob) if job.blob else None
    if row is None:
        # Of what was never kept, since a script rejected it, the header came with the job.
        header = header_of(job.prefix) if not job.blob else b""
        return Original(header=header, fields=last_values(header)) if header else Original()
    organisation, size, place, first = row
    stored = emails.Stored(
        uid=0,
        email=0,
        size=len(job.prefix) + size,
        prefix=job.prefix,
        structure=b"",
        blob=job.blob,
        content_size=size,
        place=place,
        first=first,
    )
    wanted = job.action == "failed" and job.ret == "FULL" and stored.size <= WHOLE
    end = stored.size if wanted else min(stored.size, len(job.prefix) + 2 * HEADER)
    try:
        pieces = emails.read(store.reader, store.blobs, stored, 0, end)
        octets = b"".join([piece async for piece in pieces])
    except emails.Damaged as error:
        log.warning("a report goes without its message", about=job.message, reason=str(error))
        return Original(organisation)
    header = header_of(octets)
    return Original(organisation, header, octets if wanted else b"", last_values(header))


def header_of(octets: bytes) -> bytes:
    """The header of a message, with a blank line; cut after a field where it is too long."""
    blank = _BLANK.search(octets)
    if blank is not None and blank.end() <= HEADER:
        return octets[: blank.end()]
    cut = octets[:HEADER]
    if blank is not None or len(octets) > HEADER:
        ends = [match.start() + 1 for match in _FIELD_END.finditer(cut)]
        cut = cut[: ends[-1]] if ends else b""
    return cut.rstrip(b"\r\n") + b"\r\n\r\n" if cut.strip() else b"\r\n"
