"""Whatever a client describes as an email: it is refused in words, or comes out as mail that says it."""

import base64
import quopri
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from malleposte.mime import fields
from malleposte.services.jmap.errors import SetError
from malleposte.services.jmap.mail import drafts, header_forms
from malleposte.services.jmap.mail.draft_writing import encoded
from malleposte.services.jmap.mail.drafts import Branch, Node
from malleposte.services.jmap.mail.header_writing import Headers

TEXTS = st.text(max_size=40) | st.sampled_from(
    [
        "\r\nBcc: evil@example.com",
        "a@b.example",
        "text/plain",
        "multipart/mixed",
        "=?utf-8?q?=0D=0AX:?=",
        "1",
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
PART_NAMES = [
    *("partId", "blobId", "size", "name", "type", "charset", "disposition", "cid", "language"),
    *("location", "headers", "header:Content-X:asText", "header:Content-Type", "nonsense"),
]
PARTS = st.recursive(
    st.dictionaries(st.sampled_from(PART_NAMES), VALUES, max_size=4)
    | st.fixed_dictionaries({"partId": st.just("1"), "type": st.just("text/plain")}),
    lambda inner: st.fixed_dictionaries(
        {"type": st.just("multipart/mixed"), "subParts": st.lists(inner, max_size=3) | VALUES}
    ),
    max_leaves=6,
)
HEADER_NAMES = [*header_forms.CONVENIENT] + [
    f"header:X-A:{form}{every}" for form in header_forms.FORMS for every in ("", ":all")
]
ADDRESSES = st.lists(
    st.fixed_dictionaries({"name": st.none() | TEXTS, "email": TEXTS}) | VALUES, max_size=3
)
GROUPS = st.lists(
    st.fixed_dictionaries({"name": st.none() | TEXTS, "addresses": ADDRESSES}), max_size=2
)
EMAILS = st.dictionaries(
    st.sampled_from(
        [*HEADER_NAMES, *drafts.BODIES, "bodyStructure", "bodyValues", "id", "nonsense"]
    ),
    VALUES | ADDRESSES | GROUPS | st.lists(PARTS, max_size=2) | PARTS,
    max_size=5,
)


def lines_of(node: Node) -> list[bytes]:
    found = list(node.fields)
    if isinstance(node, Branch):
        for part in node.parts:
            found += lines_of(part)
    return found


def described(properties: dict[str, Any]) -> drafts.Draft | SetError:
    try:
        return drafts.described(properties)
    except SetError as error:
        return error


def put(headers: Headers, name: str, value: Any) -> SetError | None:
    try:
        headers.put(name, value)
    except SetError as error:
        return error
    return None


@settings(max_examples=150, deadline=None)
@given(EMAILS, st.dictionaries(st.just("1"), st.fixed_dictionaries({"value": TEXTS}), max_size=1))
def test_an_object_is_refused_in_words_or_is_a_message(
    properties: dict[str, Any], texts: dict[str, Any]
) -> None:
    draft = described({"bodyValues": texts} | properties)
    if isinstance(draft, SetError):
        assert draft.kind == "invalidProperties"
        assert draft.description
        return
    # Each line is one field of the name it was given for: none was smuggled in.
    for line in (*draft.fields, *lines_of(draft.root)):
        (one,) = fields(line)
        assert (one.start, one.end) == (0, len(line))
        assert all(len(part) <= 998 for part in line.split(b"\r\n"))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(HEADER_NAMES), VALUES | ADDRESSES | GROUPS)
def test_a_field_is_one_field(name: str, value: Any) -> None:
    headers = Headers()
    refused = put(headers, name, value)
    assert refused is None or refused.more["properties"] == [name]
    for line in headers.fields:
        (one,) = fields(line)
        assert one.name.lower().decode() in headers.names


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=300) | st.text("a \t\r\n.=é\0", max_size=300))
def test_a_text_comes_back_as_it_was_given(text: str) -> None:
    encoding, body = encoded(text)
    assert body.isascii()
    assert all(len(line) <= 78 for line in body.split(b"\r\n"))
    match encoding:
        case "base64":
            octets = base64.b64decode(body)
        case "quoted-printable":
            octets = quopri.decodestring(body)
        case _:
            octets = body
    plain = text.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")
    assert octets.decode().replace("\r\n", "\n") == plain
