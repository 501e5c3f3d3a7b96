"""The commands that turn CONDSTORE on: RFC 7162 §3.1."""

from __future__ import annotations

import pytest

from malleposte.wire.imap import Connection
from malleposte.wire.imap.commands.base import Command
from malleposte.wire.imap.condstore import enables_condstore


@pytest.mark.parametrize(
    ("text", "enables"),
    [
        (b"SELECT x (CONDSTORE)", True),
        (b"EXAMINE x (QRESYNC (1 2))", True),
        (b"SELECT x", False),
        (b"STATUS x (MESSAGES HIGHESTMODSEQ)", True),
        (b"STATUS x (MESSAGES)", False),
        (b'LIST "" * RETURN (STATUS (HIGHESTMODSEQ))', True),
        (b'LIST "" *', False),
        (b"FETCH 1 (MODSEQ)", True),
        (b"FETCH 1 FLAGS (CHANGEDSINCE 1)", True),
        (b"FETCH 1 FLAGS", False),
        (b"STORE 1 (UNCHANGEDSINCE 0) FLAGS ()", True),
        (b"STORE 1 FLAGS ()", False),
        (b"SEARCH OR SEEN NOT (UNSEEN MODSEQ 1)", True),
        (b"SEARCH OR SEEN NOT UNSEEN", False),
        (b"ENABLE CONDSTORE", True),
        (b"ENABLE QRESYNC", True),
        (b"ENABLE UTF8=ACCEPT", False),
        (b"NOOP", False),
    ],
)
def test_enables_condstore(text: bytes, enables: bool) -> None:
    conn = Connection()
    conn.signed_in()
    conn.selected()
    conn.receive_data(b"a " + text + b"\r\n")
    command = conn.next_event()
    assert isinstance(command, Command)
    assert enables_condstore(command) is enables
