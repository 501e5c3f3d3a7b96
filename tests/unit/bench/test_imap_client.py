"""The client finds the end of an answer, whatever literals hold and however bytes arrive."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from malleposte.bench.imap_client import AnswerFrame, ImapClient
from malleposte.bench.subject import Account, Endpoint
from malleposte.bench.trouble import BenchTrouble

LYING = b"a\r\nb1 OK not yet\r\nb1 OK nor here\r\n"
ANSWERS = [
    b"b1 OK nothing else\r\n",
    b"* 1 EXISTS\r\nb1 OK done\r\n",
    b"* 1 FETCH (BODY[] {%d}\r\n%b)\r\nb1 OK done\r\n" % (len(LYING), LYING),
    b"* 1 FETCH (BODY[] {%d}\r\n%b UID 3)\r\nb1 OK done\r\n" % (len(LYING), LYING),
    # The literal ends with a line end: what follows it is no start of a line.
    b"* 1 FETCH (X {4}\r\nab\r\nb1 OK)\r\nb1 NO failed\r\n",
    # A literal that announces another one, in text only.
    b"* 1 FETCH (X {9}\r\n{999}\r\nab Y {0}\r\n)\r\nb1 OK done\r\n",
    b"* 1 FETCH (X ~{3}\r\n\0\0\0 Y {2+}\r\n}\r)\r\nb1 OK done\r\n",
    # Tags that only begin alike, and the tag inside a line.
    b"* OK b1 OK\r\n* b1 OK\r\nb10 OK\r\nb1 OK done\r\n",
]


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("size", [1, 2, 7, 10_000])
def test_the_answer_ends_at_its_tagged_line(answer: bytes, size: int) -> None:
    frame = AnswerFrame(b"b1")
    for start in range(0, len(answer), size):
        piece = answer[start : start + size]
        settled = frame.settle() if frame.feed(piece) else None
        if start + size < len(answer):
            assert settled is None
    assert settled == (answer, b"")


def test_what_follows_the_tagged_line_is_kept() -> None:
    frame = AnswerFrame(b"b1")
    assert frame.feed(b"b1 OK done\r\n* 2 EXISTS\r\n")
    assert frame.settle() == (b"b1 OK done\r\n", b"* 2 EXISTS\r\n")


def test_many_literals_are_stepped_over_once() -> None:
    """10,000 literals with the tag only at the very end: not a search from each to the end."""
    answer = b"".join(b"* %d FETCH (X {5}\r\nabcde)\r\n" % number for number in range(10_000))
    frame = AnswerFrame(b"b1")
    assert not frame.feed(answer)
    assert frame.feed(b"b1 OK done\r\n")
    assert frame.settle() == (answer + b"b1 OK done\r\n", b"")


@contextmanager
def peer(serve: Callable[[socket.socket], None]) -> Iterator[Endpoint]:
    """A server of one connection, its whole behaviour in `serve`."""

    def accept() -> None:
        connection, _ = listener.accept()
        with connection:
            serve(connection)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield Endpoint("127.0.0.1", listener.getsockname()[1])
        finally:
            thread.join(10)


def test_a_command_is_sent_whole_and_its_answer_read_byte_by_byte() -> None:
    received: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        connection.sendall(b"* OK ready\r\n")
        received.append(connection.recv(1000))
        for byte in ANSWERS[2]:
            connection.sendall(bytes([byte]))

    with peer(serve) as endpoint, ImapClient(endpoint) as client:
        answer = client.command(b"FETCH 1 BODY.PEEK[]")
    assert received == [b"b1 FETCH 1 BODY.PEEK[]\r\n"]
    assert answer.data == ANSWERS[2]
    assert answer.took.seconds > 0


def test_a_refusal_is_trouble_and_hides_the_password() -> None:
    def serve(connection: socket.socket) -> None:
        connection.sendall(b"* OK ready\r\n")
        connection.recv(1000)
        connection.sendall(b"b1 NO [AUTHENTICATIONFAILED] wrong\r\n")

    with (
        peer(serve) as endpoint,
        ImapClient(endpoint) as client,
        pytest.raises(BenchTrouble, match="AUTHENTICATIONFAILED") as caught,
    ):
        client.login(Account("a@example.test", "secret-word"))
    assert "secret-word" not in str(caught.value)


def test_one_refusal_among_pipelined_commands_is_trouble() -> None:
    def serve(connection: socket.socket) -> None:
        connection.sendall(b"* OK ready\r\n")
        connection.recv(1000)
        connection.sendall(b"b1 OK\r\nb2 NO over quota\r\nb3 OK\r\n")

    with (
        peer(serve) as endpoint,
        ImapClient(endpoint) as client,
        pytest.raises(BenchTrouble, match="two"),
    ):
        client.pipeline([b"one", b"two", b"three"])


def test_an_end_in_the_middle_is_trouble() -> None:
    def serve(connection: socket.socket) -> None:
        connection.sendall(b"* OK ready\r\n")
        connection.recv(1000)
        connection.sendall(b"* 1 EXISTS\r\n")

    with (
        peer(serve) as endpoint,
        ImapClient(endpoint) as client,
        pytest.raises(BenchTrouble, match="closed"),
    ):
        client.command(b"NOOP")


def test_idle_waits_for_the_continuation_and_a_refusal_is_trouble() -> None:
    def serve(connection: socket.socket) -> None:
        connection.sendall(b"* OK ready\r\n")
        connection.recv(1000)
        connection.sendall(b"* 3 EXISTS\r\n+ idling\r\n")
        connection.recv(1000)
        connection.sendall(b"b2 BAD no\r\n")

    with peer(serve) as endpoint, ImapClient(endpoint) as client:
        client.idle()
        with pytest.raises(BenchTrouble, match="BAD"):
            client.idle()


def test_a_greeting_that_says_bye_is_trouble() -> None:
    def serve(connection: socket.socket) -> None:
        connection.sendall(b"* BYE too many\r\n")

    with peer(serve) as endpoint, pytest.raises(BenchTrouble):
        ImapClient(endpoint)
