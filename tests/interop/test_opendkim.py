"""What we sign, verified by OpenDKIM: each signature by itself, since one good one is enough for it."""

import re
from pathlib import Path

import pytest

from malleposte.delivery.signing.dkim import sign
from support import opendkim
from support.corpora import mail
from unit.delivery.signing.test_dkim import MESSAGE
from unit.delivery.signing.verifying import NOW, pair

pytestmark = pytest.mark.interop

RECORDS = {key.name: key.record for key in pair().keys}
NOT_MAIL = "Syntax error"
"""It looks at no message whose header breaks RFC 5322: no Date, two of what may be there once."""


def signed(message: bytes, at: int) -> bytes:
    header, _, body = message.partition(b"\r\n\r\n")
    return sign(header + b"\r\n\r\n", [body], [pair().keys[at]], NOW) + message


@pytest.mark.parametrize("at", [0, 1], ids=["rsa", "ed25519"])
def test_each_algorithm_verifies_and_only_what_was_signed(at: int, tmp_path: Path) -> None:
    header = MESSAGE.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    good = [
        MESSAGE,
        header,
        header + b"\r\n \r\n",
        header + b"a \t b \r\n\r\n\r\n",
        header.replace(b"Report", b"\r\n caf\xe9 " + b"x " * 300) + b"8 bit \xe9\r\n",
        b"Sender: s@example.org\r\nList-Id: <l.example.org>\r\n" + MESSAGE,
    ]
    bad = [
        signed(MESSAGE, at).replace(b"figures", b"Figures"),
        signed(MESSAGE, at).replace(b"Report", b"Reports"),
        signed(MESSAGE, at).replace(b"From: Ada", b"Reply-To: e@example.com\r\nFrom: Ada"),
    ]
    messages = [*(signed(one, at) for one in good), *bad]
    said = opendkim.verdicts(tmp_path, messages, RECORDS)
    assert said == [opendkim.RIGHT] * len(good) + ["Bad signature"] * len(bad)


def verify_mail(messages: tuple[bytes, ...], folder: Path) -> None:
    # A bare CR, which mail must not have (RFC 5321 §2.3.8), it takes for a line end.
    messages = tuple(one for one in messages if not re.search(rb"\r(?!\n)", one))
    said = opendkim.verdicts(
        folder, [signed(one, n % 2) for n, one in enumerate(messages)], RECORDS
    )
    assert set(said) <= {opendkim.RIGHT, NOT_MAIL}
    assert said.count(opendkim.RIGHT) > 0.95 * len(said)


def test_real_mail_verifies(tmp_path: Path) -> None:
    verify_mail(mail()[::40], tmp_path)


@pytest.mark.slow
def test_all_real_mail_verifies(tmp_path: Path) -> None:
    verify_mail(mail(), tmp_path)
