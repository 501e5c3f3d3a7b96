"""Replies keep the conversation whole, whatever text is put into them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malleposte.wire.smtp import PeerError, Reply
from malleposte.wire.smtp.reply import Disconnect


def test_one_line() -> None:
    assert Reply(250, "2.1.0", "Sender OK").encode() == b"250 2.1.0 Sender OK\r\n"


def test_without_enhanced_code() -> None:
    assert Reply(334, "", "").encode() == b"334 \r\n"  # RFC 4954 §4: the space stays


def test_several_lines_repeat_both_codes() -> None:
    """RFC 2034 §4: the enhanced code stands on each line."""
    reply = Reply(550, "5.7.1", "No.\nReally\r\nnot")
    assert reply.encode() == b"550-5.7.1 No.\r\n550-5.7.1 Really?\r\n550 5.7.1 not\r\n"


def test_text_beyond_ascii_needs_smtputf8() -> None:
    reply = Reply(550, "5.1.1", "Empfänger\x85 unbekannt")
    assert reply.encode() == b"550 5.1.1 Empf?nger? unbekannt\r\n"
    assert reply.encode(utf8=True) == "550 5.1.1 Empfänger? unbekannt\r\n".encode()


@given(st.text(), st.booleans(), st.sampled_from(["", "5.7.1"]))
def test_nothing_in_the_text_gets_out_of_its_lines(text: str, utf8: bool, enhanced: str) -> None:
    octets = Reply(550, enhanced, text).encode(utf8=utf8)
    assert octets.endswith(b"\r\n")
    lines = octets[:-2].split(b"\r\n")
    for number, line in enumerate(lines):
        assert line.startswith(b"550 " if number == len(lines) - 1 else b"550-")
        assert len(line) <= 510
        assert not any(octet < 32 or octet == 127 for octet in line)
        assert utf8 or line.isascii()
        line.decode("utf-8")


@pytest.mark.parametrize("utf8", [False, True])
def test_long_text_is_cut_into_lines_and_bounded(utf8: bool) -> None:
    octets = Reply(550, "5.7.1", "ü" * 100_000).encode(utf8=utf8)
    lines = octets.splitlines(keepends=True)
    assert len(lines) == 50
    assert max(map(len, lines)) <= 512  # RFC 5321 §4.5.3.1.5


@pytest.mark.parametrize(("code", "enhanced"), [(199, ""), (600, ""), (250, "5.1.1"), (0, "")])
def test_a_reply_that_cannot_be_is_a_bug(code: int, enhanced: str) -> None:
    with pytest.raises(ValueError, match=r"code|class"):
        Reply(code, enhanced, "x")


def test_peer_error_carries_its_reply() -> None:
    assert PeerError(501, "5.5.4", "x").reply == Reply(501, "5.5.4", "x")
    assert Disconnect.of(Reply(421, "4.7.0", "x")).reply.code == 421
