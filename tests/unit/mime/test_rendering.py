"""ENVELOPE, BODY and BODYSTRUCTURE of all the corpus are what IMAP's formal syntax allows."""

from __future__ import annotations

from pathlib import Path

import pytest

from malleposte.mime import body, load_structure, summarize
from unit.mime.imap_grammar import check_body, check_envelope, read

SHARED = Path(__file__).parents[3] / "../shared/corpora"


def check(data: bytes) -> None:
    """Every rendered form of a message parses by the strict grammar."""
    summary = summarize(data)
    parts = load_structure(summary.structure)
    check_envelope(read(summary.envelope, utf8=False))
    check_body(read(summary.bodystructure, utf8=False), extended=True, global_=False)
    check_body(read(body(parts), utf8=False), extended=False, global_=False)
    check_body(read(body(parts, utf8=True), utf8=True), extended=False, global_=True)
    if summary.envelope_utf8 is not None:
        assert summary.envelope_utf8 != summary.envelope
        check_envelope(read(summary.envelope_utf8, utf8=True))
    if summary.bodystructure_utf8 is not None:
        assert summary.bodystructure_utf8 != summary.bodystructure
        check_body(read(summary.bodystructure_utf8, utf8=True), extended=True, global_=True)


@pytest.mark.parametrize("folder", ["ham", "ham-hard", "spam"])
def test_real_mail(folder: str) -> None:
    messages = sorted((SHARED / "spam" / folder).glob("*"))
    if not messages:
        pytest.skip(f"no corpus of real mail at {SHARED}")
    for path in messages:
        check(path.read_bytes())


def test_mail_of_every_shape() -> None:
    messages = sorted((SHARED / "mime/resources/eml").glob("*/*.eml"))
    if not messages:
        pytest.skip(f"no corpus of messages at {SHARED}")
    for path in messages:
        check(path.read_bytes())
