"""Messages that we build: they come back as what went in, and nothing gets in besides."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malleposte.mime import (
    Address,
    addresses,
    body_bytes,
    body_text,
    compose,
    decode_text,
    fields,
    last_values,
    parse,
)
from malleposte.mime.charset import plain_text
from malleposte.mime.compose import Mailbox
from malleposte.mime.content import content_type

LINES = re.compile(rb"(?:[^\r\n\0]{0,998}\r\n)*")


def value(field: bytes) -> bytes:
    """The value of the one field that `field` must be."""
    assert LINES.fullmatch(field), field
    (found,) = fields(field)
    assert found.end == len(field)
    return found.value


texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=200)


@given(texts)
def test_any_subject_comes_back_on_one_line(text: str) -> None:
    field = compose.unstructured("Subject", text)
    assert field.isascii()
    assert decode_text(value(field)) == " ".join(plain_text(text).split())


@given(st.lists(texts.map(lambda name: Mailbox(name, "a@example.org")), min_size=1, max_size=5))
def test_any_names_come_back(mailboxes: list[Mailbox]) -> None:
    found = addresses(value(compose.addresses("To", mailboxes)))
    assert len(found) == len(mailboxes)
    for mailbox, address in zip(mailboxes, found, strict=True):
        assert isinstance(address, Address)
        assert address.addr_spec == b"a@example.org"
        assert decode_text(address.name) == " ".join(plain_text(mailbox.name).split())


@given(texts, texts)
def test_any_parameters_come_back(first: str, second: str) -> None:
    field = compose.field("Content-Type", "text/plain", (("name", first), ("x", second)))
    found = content_type(value(field))
    assert found is not None
    assert (found.type, found.subtype) == ("text", "plain")
    assert found.get("name") == plain_text(first)
    if second:
        assert (found.get("x") or "") == plain_text(second)


@given(texts, st.binary(max_size=300))
def test_any_content_comes_back(text: str, data: bytes) -> None:
    entity = compose.Multipart(
        "mixed",
        (
            compose.Multipart("alternative", (compose.text(text), compose.text(text, "html"))),
            compose.attachment(data, "application/octet-stream", "ä.bin"),
        ),
    )
    message = compose.message([compose.unstructured("Subject", "x")], entity)
    assert LINES.fullmatch(message)
    assert message.isascii()
    root, alternative, plain, html, attached = parse(message)
    assert [root.media, alternative.media] == ["multipart/mixed", "multipart/alternative"]
    expected = "".join(
        re.sub("[\x00-\x08\x0b-\x1f\x7f]", " ", line) + "\n" for line in text.splitlines()
    )
    assert body_text(message, plain) == expected.removeprefix("\ufeff")
    assert html.media == "text/html"
    assert body_bytes(message, attached) == data
    assert attached.name == "ä.bin"
    assert attached.disposition == "attachment"


def test_the_same_gives_the_same_bytes() -> None:
    def build() -> bytes:
        return compose.message([], compose.Multipart("mixed", (compose.text("a"),)))

    assert build() == build()


def test_no_field_can_be_smuggled_in() -> None:
    evil = "x\r\nBcc: eve@example.org\r\n\r\nbody"
    message = compose.message(
        [
            compose.unstructured("Subject", evil),
            compose.addresses("From", [Mailbox(evil, "a@example.org")]),
            compose.message_ids("References", [evil]),
            compose.field("X-Other", evil, (("p", evil),)),
        ],
        compose.text("hello"),
    )
    assert set(last_values(message[: parse(message)[0].body_start])) == {
        b"subject",
        b"from",
        b"references",
        b"x-other",
        b"mime-version",
        b"content-type",
    }
    for name in ("Subject\r\nBcc", "Sub ject", "", "Subject:", "Ü"):
        with pytest.raises(ValueError):
            compose.unstructured(name, "x")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "local",
        "@example.org",
        "a@",
        "a b@c",
        "a@b>, <c@d",
        "a@b\r\nBcc: c@d",
        'a"@b',
        "a@b,c@d",
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError):
        compose.addresses("To", [Mailbox("", address)])


def test_international_addresses() -> None:
    field = compose.addresses("To", [Mailbox("", "a@exämple.org"), Mailbox("", "jö@example.org")])
    assert field == "To: <a@xn--exmple-cua.org>, <jö@example.org>\r\n".encode()


def test_a_report_with_what_it_is_about() -> None:
    # The shape of a DSN (RFC 3462, RFC 3464).
    original = "Subject: ä\n\nbody".encode()
    message = compose.message(
        [compose.addresses("From", [Mailbox("Mail system", "postmaster@example.org")])],
        compose.Multipart(
            "report",
            (
                compose.text("It failed."),
                compose.enclosed(b"Reporting-MTA: dns; x\n", "message/delivery-status"),
                compose.enclosed(original, "message/rfc822"),
            ),
            (("report-type", "delivery-status"),),
        ),
    )
    root, text, status, enclosed, inner = parse(message)
    assert (b"report-type", b"delivery-status") in root.parameters
    assert root.encoding == enclosed.encoding == "8bit"
    assert body_bytes(message, text) == b"It failed.\r\n"
    assert status.media == "message/delivery-status"
    assert body_bytes(message, enclosed) == "Subject: ä\r\n\r\nbody\r\n".encode()
    assert inner.section == "3.1"


def test_long_lines_are_folded() -> None:
    many = [Mailbox(f"Person number {n}", f"person{n}@example.org") for n in range(50)]
    for field in (
        compose.addresses("To", many),
        compose.unstructured("Subject", "word " * 300),
        compose.message_ids("References", [f"{n}@example.org" for n in range(50)]),
        compose.unstructured("Subject", "w" * 3_000),
    ):
        assert max(map(len, field.split(b"\r\n"))) <= 78
