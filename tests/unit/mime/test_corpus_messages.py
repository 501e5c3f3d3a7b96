"""Every message of the corpus against the structure that its authors expect.

`NAME.json` is about the message without CR, `NAME.crlf.json` about the same with CRLF. Compared:
the tree, all offsets, the text, HTML and attachment lists, every header field with its offsets
and value, decoded texts and bytes. What differs is listed in `KNOWN`, `UNDECLARED` and `MARKED`, with
the reason, and is asserted exactly.
"""

from __future__ import annotations

import json
from binascii import a2b_base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from malleposte.mime import (
    Address,
    Field,
    Group,
    Kind,
    Part,
    addresses,
    body_bytes,
    body_lists,
    date_time,
    decode_text,
    fields,
    message_ids,
    parse,
)
from malleposte.mime.address import display_name
from malleposte.mime.charset import decode, guess
from malleposte.mime.content import content_disposition, content_type

CORPUS = Path(__file__).parents[3] / "../shared/corpora/mime/resources/eml"
MESSAGES = sorted(CORPUS.glob("*/*.eml"))
if not MESSAGES:
    pytest.skip(f"no corpus of messages at {CORPUS}", allow_module_level=True)

Json = Any


def embedded_root(parts: tuple[Part, ...], root: int) -> tuple[Part, ...]:
    """The parts of one message as a tree of its own, indexes counted from its root."""
    order: list[int] = []
    waiting = [root]
    while waiting:
        index = waiting.pop()
        order.append(index)
        if parts[index].kind == Kind.MULTIPART:
            waiting.extend(reversed(parts[index].children))
    return tuple(parts[index] for index in order)


def observe(data: bytes) -> Json:
    """A message in the form of the corpus."""
    parts = parse(data)
    return _message(data, parts, 0)


def _message(data: bytes, parts: tuple[Part, ...], root: int) -> Json:
    mine = embedded_root(parts, root)
    local = {id(part): number for number, part in enumerate(mine)}
    index = {id(part): number for number, part in enumerate(parts)}
    lists = body_lists(parts, root)
    return {
        "html_body": [local[id(part)] for part in lists.html],
        "text_body": [local[id(part)] for part in lists.text],
        # The corpus lists every part that is no text, also what RFC 8621 §4.1.4 shows inline.
        "attachments": sorted(
            {local[id(part)] for part in lists.attachments}
            | {local[id(part)] for part in lists.text + lists.html if part.type != "text"}
        ),
        "parts": [
            {
                "headers": [
                    _header(data, part.header_start, field)
                    for field in fields(data[part.header_start : part.body_start])
                ],
                "body": _body(data, parts, part, local, index),
                "offset_header": part.header_start,
                "offset_body": part.body_start,
                "offset_end": part.body_end,
            }
            for part in mine
        ],
    }


def _body(
    data: bytes,
    parts: tuple[Part, ...],
    part: Part,
    local: dict[int, int],
    index: dict[int, int],
) -> Json:
    if part.kind == Kind.MULTIPART:
        return {"Multipart": [local[id(parts[child])] for child in part.children]}
    if part.kind == Kind.MESSAGE:
        return {"Message": _message(data, parts, part.children[0])}
    found = body_bytes(data, part)
    if part.media == "message/rfc822" and part.encoding == "base64":
        # Encoded, which RFC 2046 §5.2.1 forbids: a leaf to us, a message to the corpus.
        return {"Message": observe(found)}
    if part.type == "text" or part.media == "message/rfc822":
        return {"Html" if part.subtype == "html" else "Text": decode(found, part.charset)}
    return {"Binary": list(found)}


NAMES = {
    "mime-version",
    "subject",
    "date",
    "from",
    "to",
    "cc",
    "bcc",
    "reply-to",
    "sender",
    "message-id",
    "content-type",
    "content-transfer-encoding",
    "content-disposition",
    "content-id",
    "content-description",
    "content-language",
    "content-location",
    "received",
    "return-path",
    "references",
    "in-reply-to",
    "dkim-signature",
    "list-id",
    "list-unsubscribe",
    "list-archive",
    "list-post",
    "list-help",
    "list-subscribe",
    "list-owner",
    "resent-from",
}


def _header(data: bytes, base: int, field: Field) -> Json:
    name = field.name.decode("latin-1")
    lower = name.lower()
    return {
        "name": lower.replace("-", "_") if lower in NAMES else {"other": name},
        "value": _value(lower, field.value),
        "offset_field": base + field.start,
        "offset_start": base + field.value_start,
        "offset_end": base + field.end,
    }


def _value(name: str, value: bytes) -> Json:
    if name in ("from", "to", "cc", "bcc", "reply-to", "sender") or name.startswith("list-"):
        return {"Address": _addresses(value)}
    if name in ("content-type", "content-disposition"):
        read = content_type if name == "content-type" else content_disposition
        found = read(value)
        if found is None:
            return "Empty"
        pairs = [(p.name, p.text) for p in found.parameters]
        pairs += [(p.name + "-language", p.language) for p in found.parameters if p.language]
        return {
            "ContentType": {
                "c_type": found.type,
                "c_subtype": found.subtype,
                "attributes": [{"name": n, "value": v} for n, v in sorted(pairs)] or None,
            }
        }
    if name == "date":
        date = date_time(value)
        if date is None:
            return "Empty"
        return {"DateTime": _date(date)}
    if name in ("message-id", "references", "in-reply-to", "content-id", "return-path"):
        ids = message_ids(value)
        if not ids:
            return "Empty"
        return {"Text": ids[0]} if len(ids) == 1 else {"TextList": ids}
    if name not in NAMES:
        return {"Text": guess(value.strip())}  # the corpus leaves unknown fields raw
    if name == "received":
        return {"Received": None}
    text = decode_text(value)
    return {"Text": text} if text else "Empty"


def _date(date: Any) -> Json:
    zone = abs(date.zone)
    return {
        "year": date.year,
        "month": date.month,
        "day": date.day,
        "hour": date.hour,
        "minute": date.minute,
        "second": date.second,
        "tz_before_gmt": date.zone < 0,
        "tz_hour": zone // 60,
        "tz_minute": zone % 60,
    }


def _addresses(value: bytes) -> Json:
    found = addresses(value)
    if not any(isinstance(entry, Group) for entry in found):
        return {"List": [_address(entry) for entry in found if isinstance(entry, Address)]}
    groups: list[Json] = []
    for entry in found:
        if isinstance(entry, Group):
            groups.append(
                {
                    "name": _with_comment(entry.name, entry.comment),
                    "addresses": [_address(member) for member in entry.members],
                }
            )
        else:
            if not groups or groups[-1]["name"] is not None:
                groups.append({"name": None, "addresses": []})
            groups[-1]["addresses"].append(_address(entry))
    return {"Group": groups}


def _address(address: Address) -> Json:
    spec = address.addr_spec
    if address.route:
        spec = address.route + b":" + spec
    return {
        "name": _with_comment(address.name, address.comment),
        "address": display_name(spec) or None,
    }


def _with_comment(raw_name: bytes, raw_comment: bytes) -> str | None:
    name, comment = display_name(raw_name), display_name(raw_comment)
    if name and comment:
        return f"{name} ({comment})"
    return name or comment or None


def normal(expected: Json) -> Json:
    """An expectation with what is only the manner of its authors taken out."""
    if isinstance(expected, dict):
        known = {k: normal(v) for k, v in expected.items() if k != "is_encoding_problem"}
        if "InlineBinary" in known:
            known = {"Binary": known["InlineBinary"]}
        if "Received" in known:
            known = {"Received": None}  # test_corpus_fields.py has its own
        if known.get("attributes"):
            known["attributes"].sort(key=lambda pair: (pair["name"], pair["value"]))
        return known
    if isinstance(expected, list):
        return [normal(item) for item in expected]
    return expected


def pairs(want: Json, got: Json, path: str = "") -> Iterator[tuple[str, Json, Json]]:
    """Where two trees differ: path, what is expected, what we found."""
    if isinstance(want, dict) and isinstance(got, dict) and want.keys() == got.keys():
        for key in want:
            yield from pairs(want[key], got[key], f"{path}/{key}")
    elif isinstance(want, list) and isinstance(got, list) and len(want) == len(got):
        for number, (left, right) in enumerate(zip(want, got, strict=True)):
            yield from pairs(left, right, f"{path}/{number}")
    elif want != got:
        yield path, want, got


def differences(want: Json, got: Json) -> tuple[dict[str, Json], set[str]]:
    """Paths to what we found instead; paths where only 8-bit text without a charset is read otherwise."""
    found: dict[str, Json] = {}
    guessed: set[str] = set()
    for path, left, right in pairs(want, got):
        if isinstance(right, str) and left == undeclared(right):
            guessed.add(path)
        else:
            found[path] = outline(right) if path.endswith("/parts") else right
    return found, guessed


def marked(expected: Json, path: str = "") -> Iterator[str]:
    """Paths of the parts whose encoding the corpus says has a problem."""
    if isinstance(expected, dict):
        if expected.get("is_encoding_problem"):
            yield path
        for key, value in expected.items():
            yield from marked(value, f"{path}/{key}")
    elif isinstance(expected, list):
        for number, value in enumerate(expected):
            yield from marked(value, f"{path}/{number}")


def undeclared(text: str) -> str:
    """What the corpus makes of 8-bit text without a charset: U+FFFD. We read windows-1252."""
    return text.encode("cp1252", "ignore").decode("utf-8", "replace")


def outline(parts: Json) -> list[str]:
    """One line a part: what it is, its children, header start, body start, end."""
    lines: list[str] = []
    for part in parts:
        ((kind, inner),) = part["body"].items()
        children = "".join(f" {child}" for child in inner) if kind == "Multipart" else ""
        offsets = part["offset_header"], part["offset_body"], part["offset_end"]
        lines.append(f"{kind}{children} @ {' '.join(map(str, offsets))}")
    return lines


def moved(lines: list[str], data: bytes) -> list[str]:
    """An outline with its offsets as they are once every LF has a CR before it."""
    shifted: list[str] = []
    for line in lines:
        kind, offsets = line.split(" @ ")
        there = [int(offset) for offset in offsets.split()]
        shifted.append(f"{kind} @ {' '.join(str(o + data.count(10, 0, o)) for o in there)}")
    return shifted


DAMAGED = (
    "The corpus takes a part whose base64 is damaged or whose last delimiter is missing for an"
    " attachment; RFC 8621 §4.1.4 shows it."
)
OUTER = "The delimiter of an outer multipart ends the inner one (RFC 2046 §5.1.2)."
LONGEST = "Of several boundaries that begin a line the longest counts, not the innermost."

# Name: why we differ, and what we find instead (offsets of the LF form).
KNOWN: dict[str, tuple[str, dict[str, Json]]] = {
    "malformed/000": (
        "Each delimiter line begins a part, also without a blank line; the corpus finds none.",
        {
            "/html_body": [1, 2, 3, 4],
            "/text_body": [1, 2, 3, 4],
            "/parts": [
                "Multipart 1 2 3 4 @ 0 48 159",
                "Text @ 55 55 55",
                "Text @ 62 87 87",
                "Text @ 94 119 119",
                "Html @ 126 150 150",
            ],
        },
    ),
    "malformed/001": (
        f"{LONGEST} {DAMAGED}",
        {
            "/attachments": [],
            "/parts": ["Multipart 1 2 @ 0 46 132", "Multipart @ 51 96 96", "Text @ 101 127 132"],
        },
    ),
    "malformed/002": (
        "A multipart without a delimiter is text to read, not something to download.",
        {"/attachments": [], "/html_body": [0], "/text_body": [0]},
    ),
    "malformed/003": (DAMAGED, {"/attachments": [], "/html_body": [2], "/text_body": [2]}),
    "malformed/004": (
        f"The whole line is the delimiter, the header begins after it. {DAMAGED}",
        {
            "/attachments": [],
            "/html_body": [2],
            "/text_body": [2],
            "/parts/1/offset_header": 50,
            "/parts/2/offset_header": 100,
        },
    ),
    "malformed/006": (DAMAGED, {"/attachments": [], "/html_body": [2], "/text_body": [2]}),
    "malformed/007": (
        "A delimiter in a header ends it, though the blank line is missing.",
        {
            "/attachments": [],
            "/html_body": [2, 3],
            "/text_body": [2, 3],
            "/parts": [
                "Multipart 1 2 3 @ 0 45 157",
                "Multipart @ 49 112 112",
                "Text @ 117 143 143",
                "Text @ 150 150 150",
            ],
        },
    ),
    "malformed/008": (
        f"{LONGEST} {DAMAGED}",
        {
            "/attachments": [],
            "/html_body": [2, 3],
            "/text_body": [2, 3],
            "/parts/0/body/Multipart": [1, 3],
            "/parts/1/body/Multipart": [2],
            "/parts/1/offset_end": 130,
            "/parts/3/body": {"Html": "body2\n"},
            "/parts/3/offset_header": 136,
        },
    ),
    "malformed/009": (
        f"{OUTER} {DAMAGED}",
        {
            "/attachments": [],
            "/html_body": [2, 3, 4],
            "/text_body": [2, 3, 4],
            "/parts": [
                "Multipart 1 4 @ 0 45 193",
                "Multipart 2 3 @ 49 94 158",
                "Text @ 98 124 125",
                "Text @ 130 156 158",
                "Text @ 163 189 193",
            ],
        },
    ),
    "malformed/011": (
        f"{OUTER} {DAMAGED}",
        {
            "/attachments": [],
            "/html_body": [2, 3, 4],
            "/text_body": [2, 3, 4],
            "/parts": [
                "Multipart 1 4 @ 0 45 193",
                "Multipart 2 3 @ 49 94 158",
                "Text @ 98 124 125",
                "Text @ 130 156 158",
                "Text @ 163 189 193",
            ],
        },
    ),
    "malformed/012": (
        OUTER,
        {
            "/attachments": [2, 3, 4],
            "/parts": [
                "Multipart 1 4 @ 0 45 283",
                "Multipart 2 3 @ 49 94 218",
                "Message @ 98 128 155",
                "Message @ 160 190 218",
                "Message @ 223 253 283",
            ],
        },
    ),
    "malformed/016": (
        f"{OUTER} {LONGEST} {DAMAGED}",
        {
            "/attachments": [],
            "/html_body": [3, 4],
            "/text_body": [3, 4],
            "/parts": [
                "Multipart 1 4 @ 0 126 997",
                "Multipart 2 @ 211 336 654",
                "Multipart 3 @ 420 544 654",
                "Text @ 627 653 654",
                "Text @ 740 766 997",
            ],
        },
    ),
    "malformed/019": (
        "An unfinished multipart at the end of the message holds its last line end too.",
        {"/parts/5/offset_end": 2804, "/parts/7/offset_end": 2804},
    ),
    "malformed/022": (
        "A delimiter ends what should have been a message and is none.",
        {"/parts/2/offset_end": 278},
    ),
    "rfc/000": (
        f"{DAMAGED} What base64 there is, is decoded (RFC 2045 §6.8).",
        {
            "/html_body": [1, 2, 4, 5],
            "/text_body": [1, 2, 4, 5],
            "/parts/4/body": {
                "Binary": list(
                    a2b_base64("base64encoded8000Hzsinglechannelmulawformataudiodatagoeshere")
                )
            },
            "/parts/5/body": {"Binary": list(a2b_base64("base64encodedimagedatagoeshere=="))},
        },
    ),
    "thirdparty/002": (
        f"{DAMAGED} Base64 ends at its padding (RFC 2045 §6.8).",
        {
            "/attachments": [],
            "/html_body": [1, 2, 3],
            "/text_body": [1, 2, 3],
            "/parts/2/body/Text": "yötä vaan.\n",
            "/parts/3/body/Text": "\ufffd\ufffd\ufffdj\x07",
        },
    ),
    "thirdparty/005": (
        "A delimiter stands at the beginning of a line, also in a binary body.",
        {"/parts/5/body/Text": "invalid--1--\n", "/parts/5/offset_end": 610},
    ),
    "thirdparty/015": (
        f"{OUTER} Here two embedded headers are cut off by it.",
        {
            "/attachments": [2, 3, 4],
            "/parts": [
                "Multipart 1 2 3 4 @ 0 10496 19855",
                "Text @ 10533 10622 12146",
                "Message @ 12184 12344 14532",
                "Message @ 14569 14727 17108",
                "Message @ 17145 17297 19815",
            ],
        },
    ),
}

# 9 files. The corpus makes U+FFFD of 8-bit octets that no charset is given for; we read them as
# windows-1252, in which nearly all such mail is written, and show what the sender wrote.
SUBJECT = "/parts/0/headers/2/value/Text"
SENDER = "/parts/0/headers/1/value/Address/List/0/name"
UNDECLARED: dict[str, set[str]] = {
    "legacy/010": {
        "/parts/0/headers/5/value/Address/List/0/name",
        "/parts/0/headers/7/value/Text",
    },
    "legacy/016": {
        "/parts/3/headers/0/value/ContentType/attributes/0/value",
        "/parts/3/headers/1/value/ContentType/attributes/0/value",
    },
    "legacy/017": {"/parts/0/headers/4/value/Address/List/0/name"},
    "legacy/020": {SENDER, SUBJECT},
    "legacy/022": {SENDER, SUBJECT},
    "legacy/023": {"/parts/4/headers/2/value/ContentType/attributes/0/value"},
    "legacy/026": {
        "/parts/2/headers/0/value/ContentType/attributes/0/value",
        "/parts/2/headers/2/value/ContentType/attributes/0/value",
        "/parts/2/body/Text",
    },
    "legacy/027": {SENDER, SUBJECT},
    "legacy/052": {SENDER, SUBJECT, "/parts/0/body/Text"},
}

# 13 files. The corpus marks parts whose base64 is damaged or whose last delimiter is missing. We keep no
# such mark: what there is, is shown (the differences of these parts stand in `KNOWN`).
MARKED: dict[str, set[str]] = {
    "malformed/001": {"/parts/3"},
    "malformed/003": {"/parts/2"},
    "malformed/004": {"/parts/2"},
    "malformed/006": {"/parts/2"},
    "malformed/007": {"/parts/2"},
    "malformed/008": {"/parts/3"},
    "malformed/009": {"/parts/3"},
    "malformed/011": {"/parts/3"},
    "malformed/012": {"/parts/3/body/Message/parts/0"},
    "malformed/016": {"/parts/6"},
    "malformed/022": {"/parts/2"},
    "rfc/000": {"/parts/4", "/parts/5"},
    "thirdparty/002": {"/parts/3"},
}

NAMES_OF_MESSAGES = [f"{path.parent.name}/{path.stem}" for path in MESSAGES]


@pytest.mark.parametrize("name", NAMES_OF_MESSAGES)
def test_the_message_is_what_its_authors_expect(name: str) -> None:
    data = (CORPUS / f"{name}.eml").read_bytes().replace(b"\r", b"")
    want = json.loads((CORPUS / f"{name}.json").read_text())
    known = KNOWN.get(name, ("", {}))[1]
    assert differences(normal(want), observe(data)) == (known, UNDECLARED.get(name, set()))
    assert set(marked(want)) == MARKED.get(name, set())


@pytest.mark.parametrize("name", [name for name in NAMES_OF_MESSAGES if name not in KNOWN])
def test_so_it_is_with_crlf(name: str) -> None:
    data = (CORPUS / f"{name}.eml").read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    want = json.loads((CORPUS / f"{name}.crlf.json").read_text())
    assert differences(normal(want), observe(data)) == ({}, UNDECLARED.get(name, set()))
    assert set(marked(want)) == set()


@pytest.mark.parametrize("name", NAMES_OF_MESSAGES)
def test_line_ends_change_offsets_only(name: str) -> None:
    data = (CORPUS / f"{name}.eml").read_bytes().replace(b"\r", b"")
    with_crlf = observe(data.replace(b"\n", b"\r\n"))["parts"]
    assert outline(with_crlf) == moved(outline(observe(data)["parts"]), data)


def test_the_known_differences_are_about_messages_of_the_corpus() -> None:
    assert KNOWN.keys() | UNDECLARED.keys() | MARKED.keys() <= set(NAMES_OF_MESSAGES)
    assert MARKED.keys() <= KNOWN.keys()
