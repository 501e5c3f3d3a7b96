"""Real mail recoded to 7 bits: every leaf says what it said, and what was signed is untouched."""

import pytest

from malleposte.mime import Kind, body_bytes, parse
from malleposte.mime.part import Part
from malleposte.mime.seven_bit import is_seven_bit, recoded, recoding
from support import corpora


def leaves(message: bytes, parts: tuple[Part, ...]) -> list[tuple[str, bytes]]:
    """Types and decoded octets; line ends as they would travel."""
    found = []
    for part in parts:
        if part.kind == Kind.LEAF:
            octets = body_bytes(message, part)
            if part.type == "text":
                octets = octets.replace(b"\r\n", b"\n").replace(b"\r", b"\n").rstrip(b"\n")
            found.append((part.media, octets))
    return found


@pytest.mark.parametrize("messages", [corpora.mail, corpora.shapes], ids=["mail", "shapes"])
def test_what_is_recoded_reads_the_same(messages: object) -> None:
    changed = 0
    for message in messages():  # type: ignore[operator]
        if is_seven_bit(message):
            continue
        parts = parse(message)
        changes = recoding(message, parts)
        if not changes:
            continue
        changed += 1
        made = b"".join(recoded(message, changes))
        again = parse(made)
        assert leaves(made, again) == leaves(message, parts)
        assert [(p.section, p.media, p.charset, p.name) for p in again[1:]] == [
            (p.section, p.media, p.charset, p.name) for p in parts[1:]
        ]
        # What it could do is done: once more changes nothing.
        assert recoding(made, again) == []
    assert changed > 5
