r"""An INBOX with many messages, for the transcripts of clients: what is in it, told from the outside.

Message ``n`` has the sequence number n and the UID n + 7: seven that stood before it were expunged.
Everything about a message follows from n. ``Filled.hole`` gives the text that stands for a hole of a
transcript (see ``transcript``):

    {{u 17}}              the UID
    {{size 17}}           RFC822.SIZE
    {{flags 17}}          FLAGS with its parentheses, in any order
    {{date 17}}           INTERNALDATE
    {{subject 17}}        what the subject says
    {{fields 17 to cc}}   a literal: these header fields and an empty line
    {{header 17}}         a literal: the header; {{whole 17}}: all; {{text 17}}: what is behind the header
    {{part 17 2}}         a literal: a part; {{part 17 2 0.100}}: some octets of it, as <0.100>
    {{whole 17 0.100}}    a literal: some octets of the message
    {{numbers seen}}      sequence numbers of the messages that are so, with spaces (see ``WHICH``)
    {{uids seen}}         their UIDs with spaces; {{uidset seen}}: as a set, {{numberset seen}} as well
"""

from __future__ import annotations

import base64
import functools
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from malleposte.delivery.spool import rendered
from malleposte.mime import summarize
from malleposte.store import content, flags
from malleposte.store.commands import AppendAll, Enclosed
from malleposte.store.results import AppendedAll
from support.imap_client import ImapClient
from support.store import inbox
from unit.services.imapd.harness import Served

BEFORE = 7
"""Messages that were expunged."""
ATTACHMENT = base64.encodebytes(bytes(range(256)) * 180).replace(b"\n", b"\r\n")
"""63,058 octets: more than any client asks for at once."""
_FIRST = datetime(2026, 11, 1, 8, tzinfo=UTC)


def _flags(n: int) -> list[str]:
    found = [
        (n % 3 == 0, "\\Seen"),
        (n % 10 == 0, "\\Answered"),
        (n % 7 == 0, "\\Flagged"),
        (n % 100 == 0, "\\Deleted"),
        (n % 25 == 3, "$Forwarded"),
        (n % 30 == 7, "$label1"),
    ]
    return [name for has, name in found if has]


def _date(n: int) -> datetime:
    """Ten a day, from 1 November 2026 on."""
    return _FIRST + timedelta(days=(n - 1) // 10, minutes=n % 10)


WHICH: dict[str, Callable[[int], bool]] = {
    "all": lambda n: True,
    "seen": lambda n: "\\Seen" in _flags(n),
    "unseen": lambda n: "\\Seen" not in _flags(n),
    "flagged": lambda n: "\\Flagged" in _flags(n),
    "deleted": lambda n: "\\Deleted" in _flags(n),
    "undeleted": lambda n: "\\Deleted" not in _flags(n),
    "answered": lambda n: "\\Answered" in _flags(n),
    "unseen_undeleted": lambda n: not {"\\Seen", "\\Deleted"} & set(_flags(n)),
    "label1": lambda n: "$label1" in _flags(n),
    "since_21": lambda n: _date(n).day >= 21,
    "since_21_undeleted": lambda n: _date(n).day >= 21 and "\\Deleted" not in _flags(n),
    "sixth": lambda n: n % 6 == 0,
    "last_100_undeleted": lambda n: n > 200 and "\\Deleted" not in _flags(n),
}


def _sender(n: int) -> str:
    return f"Person {n % 20} <p{n % 20}@example.com>"


def _body(n: int) -> tuple[str, bytes, list[bytes]]:
    """Content-Type, body, and its parts."""
    text = b"Hello, this is message %d.\r\nIt has two lines.\r\n" % n
    if n % 50 == 0:
        parts = [text, ATTACHMENT]
        types = [
            b"text/plain; charset=us-ascii",
            b'application/octet-stream; name="data.bin"\r\nContent-Transfer-Encoding: base64',
        ]
        kind = f'multipart/mixed; boundary="cut{n}"'
    elif n % 4 == 0:
        parts = [text, b"<p>Hello, this is message %d.</p>\r\n" % n]
        types = [b"text/plain; charset=utf-8", b"text/html; charset=utf-8"]
        kind = f'multipart/alternative; boundary="cut{n}"'
    else:
        return "text/plain; charset=utf-8", text, [text]
    cut = b"--cut%d" % n
    pieces = [
        b"%b\r\nContent-Type: %b\r\n\r\n%b\r\n" % (cut, type_, part)
        for type_, part in zip(types, parts, strict=True)
    ]
    return kind, b"".join(pieces) + cut + b"--\r\n", parts


def _header(n: int) -> list[tuple[str, str]]:
    subject = f"Message {n}" if n % 9 else f"=?utf-8?q?Gr=C3=BC=C3=9Fe_{n}?="
    fields = [("From", _sender(n)), ("To", "<bob@example.org>")]
    if n % 6 == 0:
        fields.append(("Cc", "Zoe <zoe@example.net>,\r\n bob@example.org"))
    fields += [
        ("Subject", subject),
        ("Date", _date(n).strftime("%a, %d %b %Y %H:%M:%S +0000")),
        ("Message-ID", f"<m{n}@example.com>"),
    ]
    if n % 5 == 0:
        fields += [
            ("In-Reply-To", f"<m{n - 1}@example.com>"),
            ("References", f"<m{n - 1}@example.com>"),
        ]
    if n % 8 == 0:
        fields.append(("List-Id", "<list.example.com>"))
    if n % 10 == 0:
        fields.append(("X-Priority", "3"))
    fields += [("MIME-Version", "1.0"), ("Content-Type", _body(n)[0])]
    return fields


def _lines(fields: list[tuple[str, str]]) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in fields).encode() + b"\r\n"


def _literal(octets: bytes) -> str:
    return f"{{{len(octets)}}}\r\n" + octets.decode("utf-8", "surrogateescape")


def _cut(octets: bytes, partial: str) -> bytes:
    first, count = map(int, partial.split("."))
    return octets[first : first + count]


def _set(numbers: list[int]) -> str:
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(f"{a}" if a == b else f"{a}:{b}" for a, b in runs)


def _message(n: int) -> bytes:
    return _lines(_header(n)) + _body(n)[1]


class Filled:
    """See the module."""

    def __init__(self, count: int) -> None:
        self.count = count

    def hole(self, inner: str) -> str | None:
        """The text for a hole; None where it is none of these. ``flags`` is ``flags_pattern``'s."""
        word, *rest = inner.split(" ")
        if word in ("numbers", "uids", "numberset", "uidset"):
            chosen = [n for n in range(1, self.count + 1) if WHICH[rest[0]](n)]
            if word.startswith("uid"):
                chosen = [n + BEFORE for n in chosen]
            return _set(chosen) if word.endswith("set") else " ".join(map(str, chosen))
        if not rest or not rest[0].isdigit():
            return None
        n = int(rest[0])
        match word:
            case "u":
                return str(n + BEFORE)
            case "size":
                return str(len(_message(n)))
            case "date":
                return _date(n).strftime('"%d-%b-%Y %H:%M:%S +0000"').replace('"0', '" ')
            case "subject":
                return f"Message {n}"
            case "fields":
                wanted = {name.lower() for name in rest[1:]}
                return _literal(_lines([f for f in _header(n) if f[0].lower() in wanted]))
            case "header":
                return _literal(_lines(_header(n)))
            case "text":
                return _literal(_body(n)[1])
            case "whole":
                octets = _message(n)
                return _literal(_cut(octets, rest[1]) if rest[1:] else octets)
            case "part":
                octets = _body(n)[2][int(rest[1]) - 1]
                return _literal(_cut(octets, rest[2]) if rest[2:] else octets)
        return None

    def flags_pattern(self, n: int) -> str:
        """A regular expression for FLAGS of a message, in any order."""
        names = _flags(n)
        each = "".join(rf"(?=[^)]*(?<=[( ]){re.escape(name)}[ )])" for name in names)
        return rf"\({each}[^)]{{{len(' '.join(names))}}}\)"


async def fill(served: Served, account: int, address: str, count: int) -> Filled:
    """Put the messages into an INBOX; a session has seen them all, so that none is recent."""
    enclosed = [_enclosed(n) for n in range(1 - BEFORE, count + 1)]
    for first in range(0, len(enclosed), 100):
        part = tuple(enclosed[first : first + 100])
        command = AppendAll(actor=account, mailbox=inbox(account), messages=part)
        result = await served.store.submit(command)
        assert isinstance(result, AppendedAll), result
    client: ImapClient = await served.signed_in(address)
    await client.command(b"SELECT INBOX")
    await client.command(b"UID STORE 1:%d +FLAGS.SILENT (\\Deleted)" % BEFORE)
    await client.command(b"UID EXPUNGE 1:%d" % BEFORE)
    await client.command(b"LOGOUT")
    client.close()
    return Filled(count)


@functools.cache
def _enclosed(n: int) -> Enclosed:
    """A message, or one of those before the first."""
    octets = _message(n) if n > 0 else b"Subject: gone\r\n\r\n%d\r\n" % -n
    names = [name.lower() for name in _flags(n)] if n > 0 else []
    bits = 0
    for name in names:
        bits |= flags.BITS.get(name, 0)
    return Enclosed(
        content=content.in_rows(octets),
        rendered=rendered(summarize(octets)),
        received_at=int(_date(max(n, 1)).timestamp()),
        flags=bits,
        keywords=tuple(name for name in names if name == "$label1"),
        deleted="\\deleted" in names,
    )
