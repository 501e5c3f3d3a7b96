"""Header fields of the corpus against the parse that its authors expect.

What differs is listed in `KNOWN`, by file and number, with the reason; it is asserted exactly.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from malleposte.mime import Address, Group, addresses, date_time, decode_text, message_ids
from malleposte.mime.address import display_name
from malleposte.mime.content import content_type
from malleposte.mime.received import received
from malleposte.mime.text_list import text_list

CORPUS = Path(__file__).parents[3] / "../shared/corpora/mime/resources"
if not CORPUS.is_dir():
    pytest.skip(f"no corpus of header fields at {CORPUS}", allow_module_level=True)

Json = Any


def field_value(header: str) -> bytes:
    """The raw value that a field parser would be given: without the fields that follow."""
    raw = header.encode().lstrip(b"\n")
    end = re.search(rb"\n(?![ \t])", raw)
    return raw[: end.start()] if end else raw


def name_and_comment(raw_name: bytes, raw_comment: bytes) -> str | None:
    name, comment = display_name(raw_name), display_name(raw_comment)
    return (f"{name} ({comment})" if name and comment else name or comment) or None


def one_address(address: Address) -> Json:
    spec = address.addr_spec
    if address.route:
        spec = address.route + b":" + spec
    return {
        "name": name_and_comment(address.name, address.comment),
        "address": display_name(spec) or None,
    }


def address_list(value: bytes) -> Json:
    found = addresses(value)
    if not any(isinstance(entry, Group) for entry in found):
        return {"List": [one_address(entry) for entry in found if isinstance(entry, Address)]}
    groups: list[Json] = []
    for entry in found:
        if isinstance(entry, Group):
            members = [one_address(member) for member in entry.members]
            name = name_and_comment(entry.name, entry.comment)
            groups.append({"name": name, "addresses": members})
        else:
            if not groups or groups[-1]["name"] is not None:
                groups.append({"name": None, "addresses": []})
            groups[-1]["addresses"].append(one_address(entry))
    return {"Group": groups}


def media(value: bytes) -> Json:
    found = content_type(value)
    if found is None:
        return None
    pairs = [[p.name, p.text] for p in found.parameters]
    pairs += [[p.name + "-language", p.language] for p in found.parameters if p.language]
    return {"c_type": found.type, "c_subtype": found.subtype, "attributes": sorted(pairs)}


def date(value: bytes) -> Json:
    found = date_time(value)
    return None if found is None else date_json(found)


def date_json(found: Any) -> Json:
    zone = abs(found.zone)
    names = ("year", "month", "day", "hour", "minute", "second")
    return dict(zip(names, found, strict=False)) | {
        "tz_before_gmt": found.zone < 0,
        "tz_hour": zone // 60,
        "tz_minute": zone % 60,
    }


def trace(value: bytes) -> Json:
    found = received(value)
    shown = {name: getattr(found, name) for name in found.__struct_fields__}
    shown["date"] = None if found.date is None else date_json(found.date)
    return {name: shown[name] for name in shown if shown[name] is not None}


def normal_media(want: Json) -> Json:
    return want and {
        "c_type": want["c_type"],
        "c_subtype": want["c_subtype"],
        "attributes": sorted(want.get("attributes") or []),  # they have no order (RFC 2045 §5.1)
    }


def normal_trace(want: Json) -> Json:
    """Names as ours; hosts as text; protocols and versions in one spelling."""
    shown = dict(want or {})
    for ours, theirs in (("from_", "from"), ("with_", "with")):
        if theirs in shown:
            shown[ours] = shown.pop(theirs)
    for name in ("from_", "by", "helo"):
        if name in shown:
            (shown[name],) = shown[name].values()
    for name in ("with_", "helo_cmd"):
        if name in shown:
            shown[name] = shown[name].upper()
    if shown.get("date") and not shown["date"]["tz_hour"] + shown["date"]["tz_minute"]:
        shown["date"] = shown["date"] | {"tz_before_gmt": False}  # -0000
    if "tls_version" in shown:
        shown["tls_version"] = shown["tls_version"].replace("_", ".")
    return shown


def same(want: Json) -> Json:
    return want


FILES: dict[str, tuple[Callable[[bytes], Json], Callable[[Json], Json]]] = {
    "address": (address_list, same),
    "content_type": (media, normal_media),
    "date": (date, same),
    "id": (lambda value: message_ids(value) or None, same),
    "list": (text_list, same),
    "received": (trace, normal_trace),
    "unstructured": (decode_text, same),
}

CTIME = "In the form of ctime the year stands at the end; the corpus does not know it."
TWO_DIGITS = "Two-digit years are 1950 to 2049 (RFC 5322 §4.3)."
ZONE = "PST, PDT and EDT are zones of RFC 5322 §4.3."
SLASH = "An id or ident may hold a slash."
DOTS = "White space about the dots of a domain is no part of it (RFC 5322 §4.4)."
IN_COMMENT = "A word in a comment names no clause."

# File and number: why we differ, and what we find instead.
KNOWN: dict[tuple[str, int], tuple[str, dict[str, Json]]] = {
    ("address", 11): (
        "A group that holds nothing but a comment has no member (RFC 5322 §3.4).",
        {"/Group/0/addresses": []},
    ),
    ("address", 9): (
        "A backslash before a fold quotes the space after it, so that the comment ends earlier.",
        {"/List/0/name": "Pete chap) (A nice his account his host)"},
    ),
    ("address", 13): (DOTS, {"/List/1/address": "jdoe@test.example"}),
    ("address", 14): (DOTS, {"/List/0/address": "jdoe@machine.example"}),
    ("content_type", 34): (
        "White space between encoded words is none (RFC 2047 §6.2), in quotes too.",
        {"/attributes/0/1": "áéí.jpeg"},
    ),
    ("content_type", 59): ("NUL is never text.", {"/attributes/0/1": "foobazba%"}),
    ("received", 13): (
        CTIME,
        {
            "/date/day": 7,
            "/date/hour": 10,
            "/date/minute": 18,
            "/date/month": 2,
            "/date/second": 12,
            "/date/year": 2003,
        },
    ),
    ("received", 28): (SLASH, {"/id": "EE/20-30863-33CE1054"}),
    ("received", 29): (SLASH, {"/id": "8B/57-16227-3764EB44"}),
    ("received", 30): (SLASH, {"/id": "52/92-02454-89FBA054"}),
    ("received", 39): (SLASH, {"/ident": "W9VcNxE2vKxgWHD05PJbLzIHSxcmZQ/O"}),
    ("received", 65): ("The envelope sender is no ident.", {"/ident": "jdavid"}),
    ("received", 67): (ZONE, {"/date/tz_hour": 8, "/date/tz_before_gmt": True}),
    ("received", 89): (TWO_DIGITS, {"/date/year": 2003}),
    ("received", 90): (TWO_DIGITS, {"/date/year": 2004}),
    ("received", 116): (
        SLASH,
        {"/ident": "?dXqpg3b0hiH9faI2OxLT94P/YKDD3rQ1?@64.253.199.166"},
    ),
    ("received", 117): (
        CTIME,
        {
            "/date/day": 13,
            "/date/hour": 14,
            "/date/minute": 50,
            "/date/month": 11,
            "/date/second": 12,
            "/date/year": 2005,
        },
    ),
    ("received", 118): (
        CTIME,
        {
            "/date/day": 13,
            "/date/hour": 15,
            "/date/minute": 38,
            "/date/month": 11,
            "/date/second": 52,
            "/date/year": 2005,
        },
    ),
    ("received", 123): ("The first `by` counts, not the last.", {"/by": "alpha"}),
    ("received", 128): (TWO_DIGITS, {"/date/year": 2003}),
    ("received", 144): ("Fractions end the second, not the minute.", {"/date/second": 55}),
    ("received", 151): (
        f"{CTIME} {ZONE}",
        {
            "/date/day": 14,
            "/date/hour": 14,
            "/date/minute": 36,
            "/date/month": 9,
            "/date/second": 56,
            "/date/tz_hour": 4,
            "/date/tz_before_gmt": True,
            "/date/year": 2018,
        },
    ),
    ("received", 155): ("`-with` inside a word names no clause.", {"/tls_cipher": None}),
    ("received", 163): (ZONE, {"/date/tz_hour": 7, "/date/tz_before_gmt": True}),
    ("received", 165): (IN_COMMENT, {"/from_": None}),
    ("received", 171): (IN_COMMENT, {"/from_": None}),
    ("unstructured", 22): (
        "Nothing is put between text and an encoded word that touch.",
        {"": "Some text here"},
    ),
}


def cases() -> list[Any]:
    found: list[Any] = []
    for name in FILES:
        content = json.loads((CORPUS / f"{name}.json").read_text())
        found += [
            pytest.param(name, number, case["header"], case["expected"], id=f"{name}-{number}")
            for number, case in enumerate(content)
        ]
    return found


def differences(want: Json, got: Json, path: str = "") -> dict[str, Json]:
    """Where two values differ: path to what we found instead."""
    if isinstance(want, dict) and isinstance(got, dict):
        found: dict[str, Json] = {}
        for key in sorted(want.keys() | got.keys()):
            found |= differences(want.get(key), got.get(key), f"{path}/{key}")
        return found
    if isinstance(want, list) and isinstance(got, list) and len(want) == len(got):
        found = {}
        for number, (left, right) in enumerate(zip(want, got, strict=True)):
            found |= differences(left, right, f"{path}/{number}")
        return found
    return {} if want == got else {path: got}


@pytest.mark.parametrize(("name", "number", "header", "expected"), cases())
def test_the_field_is_what_its_authors_expect(
    name: str, number: int, header: str, expected: Json
) -> None:
    parse, normal = FILES[name]
    found = differences(normal(expected), parse(field_value(header)))
    assert found == KNOWN.get((name, number), ("", {}))[1]
