"""A report about a day's TLS sessions with the servers of a domain: as JSON and as mail (RFC 8460 §4, §5).

``submitter``: the domain that reports; its keys sign the mail.
"""

import datetime
import gzip
import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any, Final

import msgspec

from malleposte.mime import compose
from malleposte.store.read.tls import TlsResult

DAY: Final = 86_400
MEDIA: Final = "application/tlsrpt+gzip"
MOST_FAILURES: Final = 200
"""Failures of one policy that are told apart."""


@dataclass(frozen=True, slots=True)
class Report:
    """``day``: days since 1970, UTC."""

    day: int
    domain: str
    submitter: str
    organisation: str
    contact: str
    results: Sequence[TlsResult]

    @property
    def identity(self) -> str:
        """Its name, the same whenever it is made."""
        return f"{_date(self.day)}.{self.domain}@{self.submitter}"

    @property
    def file(self) -> str:
        """Name of the file that holds it (RFC 8460 §5.1)."""
        begin = self.day * DAY
        return f"{self.submitter}!{self.domain}!{begin}!{begin + DAY - 1}.json.gz"

    @property
    def octets(self) -> bytes:
        """The JSON, compressed; the same octets whenever it is made."""
        return gzip.compress(msgspec.json.encode(self.document()), mtime=0)

    def document(self) -> dict[str, Any]:
        """The JSON (RFC 8460 §4.4)."""
        return {
            "organization-name": self.organisation,
            "date-range": {
                "start-datetime": f"{_date(self.day)}T00:00:00Z",
                "end-datetime": f"{_date(self.day)}T23:59:59Z",
            },
            "contact-info": self.contact,
            "report-id": self.identity,
            "policies": _policies(self.results),
        }

    def mail(self, to: str) -> bytes:
        """The message (RFC 8460 §5.3), unsigned."""
        identity = re.sub(r"[^\x21-\x7e]", "", self.identity)
        good, bad = self.sessions
        text = (
            f"This is a report about TLS between {self.submitter} and the mail servers of"
            f" {self.domain}\r\non {_date(self.day)} (UTC): {good} sessions went well, {bad} did not.\r\n"
            "The attached file has the details; RFC 8460 says how to read it.\r\n"
        )
        return compose.message(
            [
                compose.addresses("From", [compose.Mailbox("TLS reports", self.contact)]),
                compose.addresses("To", [compose.Mailbox("", to)]),
                compose.unstructured(
                    "Subject",
                    f"Report Domain: {self.domain} Submitter: {self.submitter}"
                    f" Report-ID: <{identity}>",
                ),
                compose.field("Date", formatdate((self.day + 1) * DAY)),
                compose.message_ids("Message-ID", [identity]),
                compose.field("TLS-Report-Domain", self.domain),
                compose.field("TLS-Report-Submitter", self.submitter),
                compose.field("TLS-Required", "No"),  # RFC 8689 §5
                compose.field("Auto-Submitted", "auto-generated"),
            ],
            compose.Multipart(
                "report",
                (compose.text(text), compose.attachment(self.octets, MEDIA, self.file)),
                (("report-type", "tlsrpt"),),
            ),
        )

    @property
    def sessions(self) -> tuple[int, int]:
        """How many went well, and how many did not."""
        good = sum(one.sessions for one in self.results if not one.failure)
        return good, sum(one.sessions for one in self.results) - good


def _policies(results: Sequence[TlsResult]) -> list[dict[str, Any]]:
    found: dict[str, list[TlsResult]] = {}
    for one in results:
        found.setdefault(one.policy, []).append(one)
    return [_policy(text, those) for text, those in found.items()]


def _policy(text: str, results: Sequence[TlsResult]) -> dict[str, Any]:
    failures = sorted(
        (one for one in results if one.failure), key=lambda one: (-one.sessions, one.failure)
    )
    shown: dict[str, Any] = {
        "policy": msgspec.json.decode(text),
        "summary": {
            "total-successful-session-count": sum(o.sessions for o in results if not o.failure),
            "total-failure-session-count": sum(one.sessions for one in failures),
        },
    }
    if failures:
        shown["failure-details"] = [
            {**msgspec.json.decode(one.failure), "failed-session-count": one.sessions}
            for one in failures[:MOST_FAILURES]
        ]
    return shown


def _date(day: int) -> str:
    return (datetime.date(1970, 1, 1) + datetime.timedelta(days=day)).isoformat()
