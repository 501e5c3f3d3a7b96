"""ID before sign-in (RFC 2971): clients send it first, and its lawful size is larger than a stranger's
other commands may be."""

from __future__ import annotations

from malleposte.wire.imap import Connection, Limits
from malleposte.wire.imap.commands.session import Id
from malleposte.wire.imap.events import NEED_DATA, Closed, Rejected


def _id(pairs: int, value: bytes) -> bytes:
    fields = b" ".join(b'"%030d" "%b"' % (number, value) for number in range(pairs))
    return b"a ID (" + fields + b")\r\n"


def test_the_largest_lawful_id_is_taken_from_a_stranger() -> None:
    conn = Connection()
    # Escaped, each octet of a value takes two on the wire (§3.3 bounds the value).
    line = _id(30, b'\\"' * 1024)
    for at in range(0, len(line), 4096):
        assert conn.next_event() is NEED_DATA
        conn.receive_data(line[at : at + 4096])
    event = conn.next_event()
    assert isinstance(event, Id)
    assert len(event.fields) == 30


def test_an_endless_id_and_other_long_commands_are_cut_off() -> None:
    limits = Limits()
    for start, bound in (
        (b"a ID (", limits.id_bytes_before_sign_in),
        (b"a NOOP (", limits.command_bytes_before_sign_in),
        (b"a LOGIN x ID (", limits.command_bytes_before_sign_in),
    ):
        conn = Connection(limits)
        conn.receive_data(start + b"x" * (bound - len(start)))
        assert conn.next_event() is NEED_DATA
        conn.receive_data(b"xxxx")
        assert isinstance(conn.next_event(), Rejected | Closed)
        assert b"[TOOBIG]" in conn.data_to_send()
