"""Runs smtp.txt against the engine, and the attacks that need counting."""

from pathlib import Path

import pytest

from malleposte.wire.smtp import Limits, Mode, RcptTo, Reply, Settings
from support.attacks import Attack, every_way, read_attacks
from support.dialogues import HOST
from unit.wire.smtp.dialogue import Service, codes, serve

EVIL = (
    b"MAIL FROM:<evil@example.com>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n"
    b"From: evil@example.com\r\n\r\nsmuggled"
)


def special(octets: bytes) -> bytes:
    octets = octets.replace(b"{evil2}", b"TURN\r\n" + EVIL + b"\r\n.\r\n")
    return octets.replace(b"{evil}", EVIL).replace(b"{end}", b"\r\n.\r\n")


PRELUDES = {
    "start": b"",
    "hello": b"HELO c\r\n",
    "mail": b"HELO c\r\nMAIL FROM:<a@example.com>\r\n",
    "rcpt": b"HELO c\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.org>\r\n",
    "data": b"HELO c\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.org>\r\nDATA\r\nhonest",
    "auth": b"EHLO c\r\n",
    "tls": b"EHLO c\r\n",
}


def prepare(state: str) -> Service:
    settings = Settings(HOST)
    if state == "auth":
        settings = Settings(HOST, mode=Mode.SUBMISSION)
    elif state == "tls":
        settings = Settings(HOST, starttls=True)
    no = Reply(535, "5.7.8", "Authentication failed")
    service = serve(settings, answers={"AUTH wrong wrong": no}, loopback=True)
    service.feed(PRELUDES[state])
    service.events.clear()
    return service


def check(attack: Attack, service: Service, replies: bytes) -> None:
    assert codes(replies) == attack.codes
    assert (service.closed is not None) is attack.closed
    senders = [delivery.sender.partition("@")[0] for delivery in service.deliveries]
    assert senders == attack.comes.split()
    assert not service.handshake_due
    if attack.comes == "a" and attack.state == "data":
        (delivery,) = service.deliveries
        assert delivery.recipients == ("b@example.org",)
        assert delivery.content.startswith(b"honest")
        assert (b"smuggled" in delivery.content) is (b"smuggled" in attack.octets)


ATTACKS = read_attacks(Path(__file__).with_name("smtp.txt"), special)
test_whole, test_one_octet_at_a_time, test_cut_in_two_everywhere = every_way(
    ATTACKS, prepare, check
)


def test_ten_thousand_recipients() -> None:
    """1,000 are taken, the rest told to come again; no more is kept than that."""
    service = serve()
    service.feed(b"HELO c\r\nMAIL FROM:<a@example.com>\r\n")
    lines = b"".join(b"RCPT TO:<%d@example.org>\r\n" % number for number in range(10_000))
    replies = codes(service.feed(lines + b"DATA\r\n"))
    assert replies == [250] * 1_000 + [452] * 9_000 + [354]
    assert len(service.engine.recipients) == 1_000
    assert codes(service.feed(b"x\r\n.\r\n")) == [250]
    assert len(service.deliveries[0].recipients) == 1_000


def test_harvesting_addresses_ends_the_connection() -> None:
    answers = {f"RCPT {n}@example.org": Reply(550, "5.1.1", "No such user") for n in range(1_000)}
    service = serve(answers=answers)
    service.feed(b"HELO c\r\nMAIL FROM:<a@example.com>\r\n")
    lines = b"".join(b"RCPT TO:<%d@example.org>\r\n" % number for number in range(1_000))
    assert codes(service.feed(lines)) == [550] * 200 + [421]
    assert sum(isinstance(event, RcptTo) for event in service.events) == 200


def test_endless_idle_commands_end_the_connection() -> None:
    service = serve()
    assert codes(service.feed(b"NOOP\r\nRSET\r\n" * 100)) == [250] * 100 + [421]


def test_endless_empty_chunks_end_the_connection() -> None:
    service = prepare("rcpt")
    assert codes(service.feed(b"BDAT 0\r\n" * 200)) == [250] * 99 + [421]  # one was HELO


def test_accepted_messages_restore_patience() -> None:
    service = serve(limits=Limits(errors=3, idle_commands=3))
    envelope = b"MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n"
    service.feed(b"HELO c\r\n")
    for _ in range(5):
        assert service.feed(b"X\r\nX\r\nNOOP\r\nNOOP\r\n" + envelope + b".\r\n")
        assert service.closed is None
    assert codes(service.feed(b"X\r\nX\r\nX\r\n")) == [500, 500, 500, 421]


def test_transactions_are_bounded() -> None:
    service = serve(limits=Limits(transactions=2))
    service.feed(b"HELO c\r\n")
    assert codes(service.feed(b"MAIL FROM:<a@b.c>\r\nRSET\r\n" * 2)) == [250] * 4
    assert codes(service.feed(b"MAIL FROM:<a@b.c>\r\n")) == [421]
    assert service.closed == "SERVICE"


@pytest.mark.parametrize("chunked", [False, True])
def test_refused_content_is_drained_only_so_far(chunked: bool) -> None:
    """DATA that never ends after it was refused: the answer, then the end."""
    service = serve(limits=Limits(message=1_000, drain=10_000))
    service.feed(b"HELO c\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.org>\r\n")
    service.feed(b"BDAT 20000\r\n" if chunked else b"DATA\r\n")
    for _ in range(12):
        service.feed(b"x" * 1_000)
        assert sum(map(len, service.content)) <= 1_000
    assert service.closed == "ABUSE"
    assert service.resets == ["TOO_LARGE"]
    assert service.most_buffered <= 1_000


def test_a_long_line_is_never_held() -> None:
    service = serve()
    for _ in range(60):
        assert service.feed(b"x" * 1_000) == b""
        assert len(service.engine._buffer) <= 2_048
    assert codes(service.feed(b"\r\nNOOP\r\n")) == [500, 250]
