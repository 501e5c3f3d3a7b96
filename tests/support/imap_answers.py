"""A strict reader of IMAP responses, written from RFC 9051 §9 alone: it knows nothing of the server's code.

Whatever is not exactly the grammar raises ``AssertionError``. A response is one line with the literals in
it; ``next_response`` cuts it from a stream, ``check`` holds it against the grammar, ``fetched`` reads a
FETCH into Python values. ENVELOPE and BODYSTRUCTURE are checked by ``unit.mime.imap_grammar``.
"""

import re
from dataclasses import dataclass, field

from unit.mime.imap_grammar import check_body, check_envelope, read

Value = bytes | int | None | tuple[bytes, ...]

_LITERAL = re.compile(rb"~?\{(\d+)\}\r\n")
_ATOM = rb"[^\x00-\x20\x7f-\xff(){%*\"\\\]]+"
_FLAG = rb"(?:\\?" + _ATOM + rb"|\\\*)"
_FLAG_LIST = re.compile(rb"\((?:" + _FLAG + rb"(?: " + _FLAG + rb")*)?\)")
_STRING = rb"\"(?:[^\"\\\x00\r\n\x80-\xff]|\\[\"\\])*\""
_SET = rb"\d+(?::\d+)?(?:,\d+(?::\d+)?)*"
_PAGE = rb"PARTIAL \((?:\d+:\d+|-\d+:-\d+) (?:NIL|" + _SET + rb")\)"
_DATE = re.compile(rb"\"[ 0-3]\d-(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)-\d{4}"
                   rb" \d\d:\d\d:\d\d [+-]\d{4}\"")  # fmt: skip
_SECTION = re.compile(
    rb"BODY(\[(?:[1-9]\d*(?:\.[1-9]\d*)*)?\.?"
    rb"(?:HEADER(?:\.FIELDS(?:\.NOT)? \([^)]*\))?|TEXT|MIME)?\](?:<\d+>)?)"
)
_STATUS = re.compile(
    rb"(?:OK|NO|BAD|BYE|PREAUTH) (?:\[[A-Z][A-Z0-9\-]*(?: [^\]\r\n]+)?\] )?[\x01-\x09\x0b\x0c\x0e-\x7f]+"
)
_ASTRING = rb"(?:[^\x00-\x20\x7f-\xff(){%*\"\\]+|" + _STRING + rb")"
_RIGHTS = rb" (?:[a-z0-9]+|\"[a-z0-9]*\")"
_OBJECT_ID = re.compile(rb"\([A-Za-z0-9_\-]{1,255}\)")  # RFC 8474 §7
_STATUS_ITEM = rb"[A-Z\-]+ (?:\d+|NIL|" + _OBJECT_ID.pattern + rb")"
_UNTAGGED = tuple(
    re.compile(words)
    for words in (
        rb"\d+ (?:EXISTS|RECENT|EXPUNGE)",
        rb"VANISHED (?:\(EARLIER\) )?" + _SET,
        rb"FLAGS " + _FLAG_LIST.pattern,
        rb"CAPABILITY(?: " + _ATOM + rb")+",
        rb"ENABLED(?: " + _ATOM + rb")*",
        rb"(?:SEARCH|SORT)(?: [1-9]\d*)*(?: \(MODSEQ \d+\))?",
        rb"ESEARCH(?: \(TAG " + _STRING + rb"\))?(?: UID)?(?: (?:[A-Z]+ [\d,:]+|" + _PAGE + rb"))*",
        rb"THREAD(?: [\d() ]+)?",
        rb"(?:LIST|LSUB) \((?:\\\w+(?: \\\w+)*)?\) (?:\"[^\"\\]\"|NIL) "
        + _ASTRING
        + rb"(?: \(.*\))?",
        rb"STATUS " + _ASTRING + rb" \((?:" + _STATUS_ITEM + rb"(?: " + _STATUS_ITEM + rb")*)?\)",
        rb"NAMESPACE .+",
        # RFC 4314 §7.
        rb"ACL " + _ASTRING + rb"(?: " + _ASTRING + _RIGHTS + rb")*",
        rb"LISTRIGHTS " + _ASTRING + rb" " + _ASTRING + rb"(?:" + _RIGHTS + rb")+",
        rb"MYRIGHTS " + _ASTRING + _RIGHTS,
        rb"ID (?:NIL|\(.*\))",
        # RFC 5464 §5 (values may be literals), RFC 9208 §7.
        rb"METADATA " + _ASTRING + rb" \((?s:\"?/.+)\)",
        rb"METADATA " + _ASTRING + rb"(?: " + _ASTRING + rb")+",
        rb"QUOTA " + _ASTRING + rb" \((?:[A-Z\-]+ \d+ \d+(?: [A-Z\-]+ \d+ \d+)*)?\)",
        rb"QUOTAROOT " + _ASTRING + rb"(?: " + _ASTRING + rb")*",
    )
)


def next_response(buffer: bytearray) -> bytes | None:
    """Cut one whole response, CRLF included, from the front; None while it is not complete."""
    at = 0
    while True:
        end = buffer.find(b"\r\n", at)
        if end < 0:
            return None
        brace = buffer.rfind(b"{", at, end)
        literal = _LITERAL.fullmatch(buffer, brace, end + 2) if brace >= 0 else None
        if literal is None:
            found = bytes(buffer[: end + 2])
            del buffer[: end + 2]
            return found
        at = end + 2 + int(literal[1])
        if at > len(buffer):
            return None


@dataclass(slots=True)
class Fetched:
    """One FETCH response: item names in capitals as sent, say ``BODY[HEADER]``, to their values.

    Strings are bytes, numbers int, NIL None, FLAGS a tuple; MODSEQ is its number; structures are bytes
    that were checked.
    """

    seq: int
    items: dict[bytes, Value] = field(default_factory=dict)

    def octets(self, name: bytes) -> bytes:
        """A string item."""
        value = self.items[name]
        assert isinstance(value, bytes), (name, value)
        return value

    def number(self, name: bytes) -> int:
        """A number item."""
        value = self.items[name]
        assert isinstance(value, int), (name, value)
        return value

    @property
    def flags(self) -> frozenset[bytes]:
        """FLAGS."""
        value = self.items[b"FLAGS"]
        assert isinstance(value, tuple)
        assert len(set(value)) == len(value), f"a flag twice: {value}"
        return frozenset(value)


def check(response: bytes) -> None:
    """Hold one response, tagged, untagged or a continuation, against the grammar."""
    assert response.endswith(b"\r\n")
    line = response[:-2]
    if line == b"+" or line.startswith(b"+ "):
        return
    tag, _, rest = line.partition(b" ")
    if _STATUS.fullmatch(rest):
        assert re.fullmatch(rb"[A-Za-z0-9.]+|\*", tag), line
        return
    assert tag == b"*", line[:200]
    if re.match(rb"\d+ FETCH ", rest):
        fetched(response)
        return
    assert any(form.fullmatch(rest) for form in _UNTAGGED), line[:300]


def fetched(response: bytes) -> Fetched:
    """Read a FETCH response (message-data, msg-att)."""
    head = re.match(rb"\* ([1-9]\d*) FETCH \(", response)
    assert head is not None, response[:100]
    assert response.endswith(b")\r\n"), response[-100:]
    found = Fetched(int(head[1]))
    at = head.end()
    while True:
        name, at = _name(response, at)
        assert name not in found.items, f"{name!r} twice"
        assert response[at : at + 1] == b" ", response[at - 20 : at + 20]
        found.items[name], at = _value(name, response, at + 1)
        mark = response[at : at + 1]
        at += 1
        if mark == b")":
            assert at == len(response) - 2, response[at : at + 40]
            return found
        assert mark == b" ", (name, response[at - 20 : at + 20])


def _name(data: bytes, at: int) -> tuple[bytes, int]:
    section = _SECTION.match(data, at)
    if section is not None:
        return section[0].upper(), section.end()
    word = re.compile(rb"[A-Z0-9.]+").match(data, at)
    assert word is not None, data[at : at + 60]
    return word[0], word.end()


def _value(name: bytes, data: bytes, at: int) -> tuple[Value, int]:
    if name in (b"UID", b"RFC822.SIZE"):
        number = re.compile(rb"0|[1-9]\d*").match(data, at)
        assert number is not None, data[at : at + 40]
        assert int(number[0]) < 2**32
        return int(number[0]), number.end()
    if name == b"MODSEQ":
        modseq = re.compile(rb"\(([1-9]\d*)\)").match(data, at)
        assert modseq is not None, data[at : at + 40]
        assert int(modseq[1]) < 2**63
        return int(modseq[1]), modseq.end()
    if name == b"FLAGS":
        flags = _FLAG_LIST.match(data, at)
        assert flags is not None, data[at : at + 80]
        assert b"\\*" not in flags[0]
        return tuple(flags[0][1:-1].split()), flags.end()
    if name in (b"EMAILID", b"THREADID"):
        object_id = _OBJECT_ID.match(data, at)
        assert object_id is not None, data[at : at + 80]
        return object_id[0][1:-1], object_id.end()
    if name == b"SAVEDATE" and data.startswith(b"NIL", at):
        return None, at + 3
    if name in (b"INTERNALDATE", b"SAVEDATE"):
        date = _DATE.match(data, at)
        assert date is not None, data[at : at + 40]
        return date[0], date.end()
    if name.startswith((b"BODY[", b"RFC822", b"PREVIEW")):
        return _nstring(data, at)
    end = _end_of_list(data, at)
    structure = data[at:end]
    if name == b"ENVELOPE":
        check_envelope(read(structure, utf8=False))
    else:
        assert name in (b"BODYSTRUCTURE", b"BODY"), name
        check_body(read(structure, utf8=False), extended=name == b"BODYSTRUCTURE", global_=True)
    return structure, end


def _nstring(data: bytes, at: int) -> tuple[bytes | None, int]:
    if data.startswith(b"NIL", at):
        return None, at + 3
    literal = _LITERAL.match(data, at)
    if literal is not None:
        end = literal.end() + int(literal[1])
        octets = data[literal.end() : end]
        assert len(octets) == int(literal[1]), "a literal is shorter than it says"
        assert b"\0" not in octets, "NUL in a literal"
        return octets, end
    quoted = re.compile(_STRING).match(data, at)
    assert quoted is not None, data[at : at + 60]
    return re.sub(rb"\\(.)", rb"\1", quoted[0][1:-1]), quoted.end()


_PIECE = re.compile(rb"\(|\)|" + _STRING + rb"|~?\{(\d+)\}\r\n|[^(){\"]+")


def _end_of_list(data: bytes, at: int) -> int:
    depth = 0
    while True:
        piece = _PIECE.match(data, at)
        assert piece is not None, data[at : at + 60]
        at = piece.end()
        if piece[0] == b"(":
            depth += 1
        elif piece[0] == b")":
            depth -= 1
        elif piece[1] is not None:
            at += int(piece[1])
        if depth == 0:
            return at
