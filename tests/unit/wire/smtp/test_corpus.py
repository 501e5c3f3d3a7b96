"""Real mail goes through DATA and BDAT byte for byte, and none of it is refused."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from unit.wire.smtp.dialogue import codes, serve

CORPORA = Path(__file__).parents[5] / "shared" / "corpora"

pytestmark = pytest.mark.skipif(
    not CORPORA.is_dir(), reason="the corpora are not beside the project (../shared/corpora)"
)


def messages() -> Iterator[tuple[Path, bytes]]:
    """As a client would send them: lines that end with LF end with CRLF, a bare CR stays."""
    for folder in ("spam", "mime/resources/eml"):
        for path in sorted((CORPORA / folder).rglob("*")):
            if path.is_file() and path.suffix not in (".json", ".md", ".txt"):
                yield path, re.sub(rb"\r?\n", b"\r\n", path.read_bytes())


def test_byte_for_byte() -> None:
    count = odd = 0
    service = serve()
    service.feed(b"HELO c\r\n")
    envelope = b"MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.org>\r\n"
    for path, message in messages():
        ended = message if message.endswith(b"\r\n") else message + b"\r\n"
        stuffed = re.sub(rb"(\A|\r\n)\.", rb"\1..", ended) + b".\r\n"
        replies = service.feed(envelope + b"DATA\r\n")
        for at in range(0, len(stuffed), 4_000):
            replies += service.feed(stuffed[at : at + 4_000])
        assert codes(replies) == [250, 250, 354, 250], path
        assert service.deliveries.pop().content == ended, path
        chunk = b"BDAT %d LAST\r\n" % len(message)
        assert codes(service.feed(envelope + chunk + message)) == [250, 250, 250], path
        assert service.deliveries.pop().content == message, path
        count += 1
        odd += b"\r" in message.replace(b"\r\n", b"")
    assert count > 3_700
    assert odd > 0, "the reason why bare newlines are kept"
