"""What a filter in front of this server calls junk or malware, and what only looks like that."""

import pytest

from malleposte.delivery.junk import is_junk


@pytest.mark.parametrize(
    "line",
    [
        b"X-Spam-Flag: YES",
        b"x-spam-flag:yes",
        b"X-Spam-Status: Yes, score=15.2 required=5.0 tests=BAYES_99",
        b"X-Spam: Yes",
        b"X-Virus-Infected: true",
        b"X-Infected: yes (Eicar-Test-Signature)",
        b"X-Virus-Status: Infected (Eicar-Test-Signature)",
        b"X-Amavis-Alert: INFECTED, message contains virus: Eicar",
    ],
)
def test_junk_and_malware_are_known(line: bytes) -> None:
    assert is_junk(b"From: a@b.example\r\n" + line + b"\r\nSubject: x\r\n\r\n")


@pytest.mark.parametrize(
    "line",
    [
        b"X-Spam-Flag: NO",
        b"X-Spam-Status: No, score=-1.0 tests=yes",
        b"X-Virus-Status: Clean",
        b"X-Spam-Level: yes",
        b"Subject: X-Spam-Flag: YES",
        b"Subject: x\r\n X-Spam-Flag: YES",
        b"X-Spam-Flag: yesterday",
    ],
)
def test_other_mail_is_not(line: bytes) -> None:
    assert not is_junk(b"From: a@b.example\r\n" + line + b"\r\n\r\n")
