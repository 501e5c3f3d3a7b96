"""Recoding to 7 bits: the same message to whoever reads it, nothing changed that was signed."""

import email
import email.policy
import quopri
import random

import pytest

from malleposte.mime.seven_bit import PIECE, is_seven_bit, recoded, recoding
from malleposte.mime.structure import parse


def recode(message: bytes) -> bytes:
    return b"".join(recoded(message, recoding(message, parse(message))))


def leaves(message: bytes) -> list[tuple[str, bytes]]:
    """Types and decoded octets of all leaves, as another implementation sees them."""
    whole = email.message_from_bytes(message, policy=email.policy.compat32)
    found = []
    for part in whole.walk():
        if not part.is_multipart():
            octets = part.get_payload(decode=True)
            assert isinstance(octets, bytes)
            found.append((part.get_content_type(), octets))
    return found


TEXT = (
    b"From: a@b.example\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: 8bit\r\n\r\n"
)


def test_a_text_is_quoted_printable_and_reads_the_same() -> None:
    body = "Grüße aus Zürich, with much that is ASCII.\r\n= and a trailing space \r\n".encode()
    made = recode(TEXT + body)
    assert made.isascii()
    assert b"Content-Transfer-Encoding: quoted-printable\r\n" in made
    assert made.count(b"Content-Transfer-Encoding") == 1
    assert leaves(made) == [("text/plain", body)]


def test_a_text_beyond_latin_letters_is_shorter_in_base64() -> None:
    body = "こんにちは世界。\r\n".encode() * 40
    made = recode(TEXT + body)
    assert b"Content-Transfer-Encoding: base64\r\n" in made
    assert made.endswith(b"\r\n")
    assert leaves(made) == [("text/plain", body)]


def test_what_is_not_mime_becomes_so() -> None:
    made = recode("Subject: x\r\n\r\nGrüße\r\n".encode())
    whole = email.message_from_bytes(made)
    assert whole["MIME-Version"] == "1.0"
    assert whole.get_content_charset() == "utf-8"
    assert leaves(made) == [("text/plain", "Grüße\r\n".encode())]
    latin = email.message_from_bytes(recode("Subject: x\r\n\r\nGrüße\r\n".encode("latin-1")))
    assert latin.get_content_charset() == "unknown-8bit"


MIXED = (
    b"From: a@b.example\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: 8bit\r\n"
    b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
    b"--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    b"\xc3\xa9\xc3\xa9 and more text than that\r\n"
    b"--b\r\nContent-Type: text/plain\r\n\r\nplain\r\n"
    b"--b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    b"%%PDF\n\x00\xff\r\n\xfe end\r\n"
    b"--b\r\nContent-Type: message/rfc822\r\n\r\n"
    b"Subject: inner\r\n\r\n\xc3\xa9 inner text, some of it longer\r\n"
    b"--b--\r\n"
)


def test_each_leaf_is_recoded_by_itself_and_the_rest_stays() -> None:
    made = recode(MIXED)
    assert made.isascii()
    before, after = leaves(MIXED), leaves(made)
    # An embedded message without MIME fields gets them; the octets of all leaves are the same.
    assert after == before
    assert b"\r\n\r\nplain\r\n--b\r\n" in made
    assert made.split(b"\r\n\r\n")[0].endswith(b"Content-Transfer-Encoding: 7bit")
    assert b"MIME-Version: 1.0" in made.split(b"Subject: inner")[1].split(b"\r\n\r\n")[0]


SIGNED = (
    b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\n"
    b"--o\r\nContent-Type: multipart/%s; boundary=s; protocol=x\r\n\r\n"
    b"--s\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\xc3\xa9 signed\r\n"
    b"--s\r\nContent-Type: application/x\r\n\r\nsignature\r\n--s--\r\n"
    b"--o\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\xc3\xa9 a footer, in many words\r\n"
    b"--o--\r\n"
)


@pytest.mark.parametrize("kind", [b"signed", b"encrypted"])
def test_what_is_signed_or_encrypted_stays_octet_by_octet(kind: bytes) -> None:
    message = SIGNED % kind
    made = recode(message)
    part = message.split(b"--o\r\n")[1]
    assert part in made
    assert b"\xc3\xa9 a footer" not in made
    assert not is_seven_bit(made)


@pytest.mark.parametrize(
    "message",
    [
        # It says that it is encoded, and is not.
        b"MIME-Version: 1.0\r\nContent-Type: text/plain\r\n"
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\n\xc3\xa9\r\n",
        b"Content-Type: message/partial; id=a\r\n\r\n\xc3\xa9\r\n",
        b"Content-Type: multipart/mixed\r\n\r\n\xc3\xa9\r\n",
        "Subject: Grüße\r\n\r\nplain\r\n".encode(),
        b"plain\r\n\r\nplain\r\n",
        b"",
    ],
)
def test_what_cannot_or_need_not_be_recoded_is_left_alone(message: bytes) -> None:
    assert recoding(message, parse(message)) == []
    assert recode(message) == message


@pytest.mark.parametrize("seed", range(12))
def test_whatever_the_text_it_reads_the_same_in_lines_that_are_short_enough(seed: int) -> None:
    chance = random.Random(seed)
    alphabet = [b"a", b" ", b"\t", b"=", b".", b"\r\n", b"From ", "é".encode(), b"x" * 90]
    body = b"".join(chance.choices(alphabet, k=200)) + "é".encode()
    if seed % 3 == 0:
        body = b"y" * chance.randrange(PIECE - 3, PIECE + 3) + b" \r\n" + body + b"z" * (2 * PIECE)
    made = recode(TEXT + body)
    assert made.isascii()
    assert max(map(len, made.split(b"\r\n"))) <= 76
    assert b"\n" not in made.replace(b"\r\n", b"")
    head, _, coded = made.partition(b"\r\n\r\n")
    assert b"quoted-printable" in head
    assert quopri.decodestring(coded) == body


def test_octets_that_are_no_text_come_back_as_they_were() -> None:
    octets = random.Random(1).randbytes(3 * PIECE + 5)
    head = (
        b"MIME-Version: 1.0\r\nContent-Type: image/x\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    )
    made = recode(head + octets)
    assert leaves(made) == [("image/x", octets)]
    assert max(map(len, made.split(b"\r\n"))) <= 76


@pytest.mark.parametrize("seed", range(40))
def test_no_octets_make_it_fail(seed: int) -> None:
    chance = random.Random(seed)
    bits = [b"\r\n", b"--b", b"--", b"\xff", b"Content-Type: multipart/mixed; boundary=b\r\n"]
    bits += [b"Content-Transfer-Encoding: 8bit\r\n", b"\r\n\r\n", b":", b"\0", b"message/rfc822"]
    message = b"".join(chance.choices(bits, k=60))
    made = recode(message)
    assert recode(made) == made or not made.isascii()
