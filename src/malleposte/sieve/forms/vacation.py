"""The reply of who is away (RFC 5230; the members are those of JMAP's VacationResponse, RFC 8621 §8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

import msgspec

from malleposte.mime import compose
from malleposte.sieve.address import sendable

from . import kept
from .kept import FormError
from .words import listed, quoted, require

MOST_TEXT: Final = 60_000
"""Characters of a text."""
MOST_ADDRESSES: Final = 100
_LATEST: Final = 253_370_764_799


class _Fields(msgspec.Struct, frozen=True, kw_only=True):
    enabled: bool = False
    start: int | None = None
    end: int | None = None
    subject: str = ""
    text: str = ""
    html: str = ""
    days: int = 7
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Vacation:
    """The form.

    `start` and `end`: from and until when, Unix seconds; None: open. `html`: the same as `text`, '' for
    none. `days` between two replies to one person. `addresses`: further ones of the user, mail to which is
    answered.
    """

    enabled: bool = False
    start: int | None = None
    end: int | None = None
    subject: str = ""
    text: str = ""
    html: str = ""
    days: int = 7
    addresses: tuple[str, ...] = ()
    rest: kept.Rest = ()

    @classmethod
    def read(cls, octets: bytes) -> Vacation:
        """A form as it was kept. Raises `FormError`."""
        fields, rest = kept.read(octets, _Fields)
        return cls(**msgspec.structs.asdict(fields), rest=rest)

    def write(self) -> bytes:
        """The form to be kept."""
        return kept.write(self._fields(), self.rest)

    def _fields(self) -> _Fields:
        return _Fields(
            enabled=self.enabled,
            start=self.start,
            end=self.end,
            subject=self.subject,
            text=self.text,
            html=self.html,
            days=self.days,
            addresses=self.addresses,
        )

    def script(self) -> bytes:
        """The Sieve made of it, b"" where nobody is answered. Raises `FormError`."""
        self._check()
        if not self.enabled:
            return b""
        extensions = {"vacation"}
        tests = []
        for moment, relation in ((self.start, "ge"), (self.end, "lt")):
            if moment is not None:
                extensions |= {"date", "relational"}
                shown = datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
                # Years have four digits, so that the order of texts is that of times.
                tests.append(
                    f'currentdate :zone "+0000" :value "{relation}" "iso8601" {quoted(shown)}'
                )
        reply = self._reply()
        if tests:
            reply = f"if allof ({', '.join(tests)}) {{\r\n    {reply}\r\n}}"
        return (require(extensions) + reply + "\r\n").encode()

    def _reply(self) -> str:
        words = [f"vacation :days {self.days} :handle {quoted(self._handle())}"]
        if self.subject:
            words.append(f":subject {quoted(' '.join(self.subject.split()))}")
        if self.addresses:
            words.append(f":addresses {listed(self.addresses)}")
        if self.html:
            parts = (compose.text(self.text), compose.text(self.html, "html"))
            entity = compose.Multipart("alternative", parts if self.text else parts[1:])
            words.append(":mime")
            words.append(quoted(entity.lines().decode("ascii", "replace")))
        else:
            words.append(quoted(self.text))
        return " ".join(words) + ";"

    def _handle(self) -> str:
        """Another absence, or another text, is told anew."""
        about = "\0".join((str(self.start), self.subject, self.text, self.html))
        return "form-" + sha256(about.encode("utf-8", "replace")).hexdigest()[:16]

    def _check(self) -> None:
        for moment in (self.start, self.end):
            if moment is not None and not 0 <= moment <= _LATEST:
                raise FormError("a time is out of range")
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise FormError("the absence ends before it begins")
        if max(len(self.text), len(self.html)) > MOST_TEXT:
            raise FormError(f"the text has more than {MOST_TEXT:,} characters")
        if self.enabled and not (self.text.strip() or self.html.strip()):
            raise FormError("the reply has no text")
        if not 1 <= self.days <= 365:
            raise FormError("a person is answered again after 1 to 365 days")
        if len(self.addresses) > MOST_ADDRESSES:
            raise FormError(f"there are more than {MOST_ADDRESSES} addresses")
        for address in self.addresses:
            if sendable(address) is None:
                raise FormError(f"{address[:100]!r} is no mail address")
