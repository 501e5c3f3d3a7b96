"""What must hold of any bytes holds of all the mail we have, with either line end."""

from __future__ import annotations

from pathlib import Path

import pytest

from unit.mime.invariants import check_message

SHARED = Path(__file__).parents[3] / "../shared/corpora"


@pytest.mark.parametrize(
    "folder",
    [
        "spam/ham",
        "spam/ham-hard",
        "spam/spam",
        "mime/resources/eml/legacy",
        "mime/resources/eml/malformed",
        "mime/resources/eml/rfc",
        "mime/resources/eml/thirdparty",
    ],
)
def test_real_mail(folder: str) -> None:
    messages = [path for path in sorted((SHARED / folder).glob("*")) if path.suffix != ".json"]
    if not messages:
        pytest.skip(f"no corpus at {SHARED / folder}")
    for path in messages:
        data = path.read_bytes().replace(b"\r\n", b"\n")
        lf = check_message(data)
        crlf = check_message(data.replace(b"\n", b"\r\n"))
        # Only offsets and octets differ.
        assert (lf.subject, lf.from_, lf.preview, lf.thread_ids, lf.lines) == (
            crlf.subject,
            crlf.from_,
            crlf.preview,
            crlf.thread_ids,
            crlf.lines,
        )
