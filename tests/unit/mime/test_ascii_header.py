"""Headers that old programs write in 8 bits: the same texts in ASCII, and nothing else changed."""

import random

import pytest

from malleposte.mime import addresses, decode_text, last_values
from malleposte.mime.address import display_name, mailboxes
from malleposte.mime.ascii_header import ascii_header
from malleposte.mime.seven_bit import is_seven_bit
from support import corpora


@pytest.mark.parametrize("charset", ["utf-8", "latin-1"])
def test_texts_become_encoded_words(charset: str) -> None:
    header = "Subject: Grüße aus Zürich\r\n und so\r\nX-Mailer: x\r\n\r\n".encode(charset)
    made = ascii_header(header)
    assert made is not None
    assert made.isascii()
    assert made.endswith(b"\r\nX-Mailer: x\r\n\r\n")
    assert decode_text(last_values(made)[b"subject"]) == "Grüße aus Zürich und so"


def test_names_of_people_become_encoded_words_and_addresses_stay() -> None:
    header = 'To: "Müller, Jörg" <j@example.org>, Zoë <z@example.org>,\r\n b@example.org\r\n\r\n'
    made = ascii_header(header.encode())
    assert made is not None
    assert made.isascii()
    people = mailboxes(addresses(last_values(made)[b"to"]))
    assert [(display_name(one.name), one.addr_spec) for one in people] == [
        ("Müller, Jörg", b"j@example.org"),
        ("Zoë", b"z@example.org"),
        ("", b"b@example.org"),
    ]


@pytest.mark.parametrize(
    "header",
    [
        b"Subject: plain\r\n\r\n",
        "To: jürgen@example.org\r\n\r\n".encode(),
        "To: Freunde: Zoë <z@example.org>;\r\n\r\n".encode(),
        "X-Who-Knows: é\r\n\r\n".encode(),
        b"Subj\xe9ct: x\r\n\r\n",
        b"",
        b"\xff\xff\r\n\r\n",
    ],
)
def test_what_cannot_or_need_not_be_said_otherwise_stays(header: bytes) -> None:
    assert ascii_header(header) is None


def test_mixed_with_what_stays() -> None:
    header = "To: jürgen@example.org\r\nSubject: é\r\nFrom: Zoë <z@example.org>\r\n\r\n".encode()
    made = ascii_header(header)
    assert made is not None
    assert made.startswith("To: jürgen@example.org\r\nSubject: =?utf-8?".encode())
    assert made.count(b"\r\n") == 4


@pytest.mark.parametrize("seed", range(40))
def test_no_octets_make_it_fail(seed: int) -> None:
    chance = random.Random(seed)
    bits = [b"Subject: ", b"To: ", b"\r\n", b"\n", b" ", b"\xff", b"<", b">", b"@", b":", b"\0"]
    bits += [b"\xc3\xa9", b"(", b'"', b",", b";", b"=?utf-8?q?x?=", b"a" * 600]
    header = b"".join(chance.choices(bits, k=80)) + b"\r\n\r\n"
    made = ascii_header(header)
    assert made is None or made.count(b"\n\r\n") == header.count(b"\n\r\n")


def test_real_headers_say_what_they_said() -> None:
    changed = 0
    for message in (*corpora.mail(), *corpora.shapes()):
        header = message[: message.find(b"\r\n\r\n") + 4]
        made = ascii_header(header)
        if made is None:
            continue
        changed += 1
        before, after = last_values(header), last_values(made)
        assert before.keys() == after.keys()
        if not is_seven_bit(before.get(b"subject", b"")):
            said = decode_text(before[b"subject"])
            assert decode_text(after[b"subject"]).split() == said.split()
    assert changed > 5
