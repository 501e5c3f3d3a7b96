"""The client engine: whole conversations from sent/, joined to our own server, and hostile servers.

A transcript has the server's lines (S) and what the client must say (C); `To`, `Envelope` and `Do` say
what is asked of it; A is an answer, in the order of the recipients, R a refusal, T the handshake with
what came in clear before it, X the end and why.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from malleposte.wire.dialogue import LocalProtocolError
from malleposte.wire.smtp import Limits, Mode, Settings, SmtpServer
from malleposte.wire.smtp.answers import MOST_OCTETS, RemoteReply, ReplyReader
from malleposte.wire.smtp.content import DotReader, DotWriter
from malleposte.wire.smtp.outgoing import Addressee, Extensions, Outgoing, xtext
from malleposte.wire.smtp.progress import (
    Answer,
    Closed,
    Go,
    Handshake,
    Ready,
    Refused,
    Sent,
    Step,
)
from malleposte.wire.smtp.sending import SmtpClient
from unit.wire.smtp.dialogue import Service

CONTENT = b"Subject: hi\r\n\r\n.x\r\n"


def shown(answer: Answer) -> str:
    return f"{answer.step.value} {answer.reply if answer.reply else 'lost ' + answer.lost}"


@dataclass
class Conversation:
    """Drives the client as a connection would, and asks for what the transcript wants."""

    client: SmtpClient
    outgoing: Outgoing | None = None
    todo: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    injected: bytes = b""

    def pump(self) -> bytes:
        while (event := self.client.next_event()) is not None:
            match event:
                case Ready():
                    self.ask()
                case Handshake():
                    self.heard.append("T")
                    self.client.tls_started()
                case Go():
                    for octet in CONTENT:
                        self.client.content(bytes((octet,)))
                    self.client.end_content()
                case Sent():
                    self.heard += ["A: " + shown(answer) for answer in event.answers]
                case Refused():
                    self.heard.append("R: " + shown(event.answer))
                case Closed():
                    self.heard.append(f"X: {event.why}".rstrip())
        return self.client.data_to_send()

    def ask(self) -> None:
        if self.todo:
            match self.todo.pop(0):
                case "tls":
                    self.client.start_tls()
                case "login":
                    self.client.authenticate("me", "secret")
        elif self.outgoing is not None:
            self.client.send(self.outgoing)
            self.outgoing = None
        else:
            self.client.quit()


@dataclass
class Transcript:
    name: str
    lmtp: bool = False
    outgoing: Outgoing | None = None
    todo: list[str] = field(default_factory=list)
    turns: list[tuple[bytes, bytes]] = field(default_factory=list)
    """(what the server says, what the client says to it)"""
    heard: list[str] = field(default_factory=list)

    def conversation(self) -> Conversation:
        client = SmtpClient("here.example", lmtp=self.lmtp)
        return Conversation(client, self.outgoing, list(self.todo))


def addressee(text: str) -> Addressee:
    address, *more = text.split("/")
    words = dict(word.split("=", 1) for word in more)
    return Addressee(address, words.get("NOTIFY", ""), words.get("ORCPT", ""))


def read(path: Path) -> Transcript:
    transcript = Transcript(path.stem)
    recipients: list[Addressee] = []
    options: dict[str, str] = {}
    server, client = b"", b""
    for line in path.read_text("utf-8").splitlines():
        kind, _, text = line.partition(":")
        text = text.removeprefix(" ")
        if kind in ("S", "T") and client:
            transcript.turns.append((server, client))
            server, client = b"", b""
        match kind:
            case "S":
                server += text.encode() + b"\r\n"
            case "T":
                server += text.encode() + b"\r\n"
                transcript.heard.append("T")
            case "C":
                client += text.encode() + b"\r\n"
            case "A" | "R" | "X":
                transcript.heard.append(line.rstrip())
            case "To":
                recipients = [addressee(one) for one in text.split()]
            case "Envelope":
                options = {k: v for k, _, v in (word.partition("=") for word in text.split())}
            case "Do":
                transcript.todo = text.split()
            case "Mode":
                transcript.lmtp = text == "lmtp"
            case _:
                assert line.startswith("#") or not line, line
    transcript.turns.append((server, client))
    if recipients:
        transcript.outgoing = Outgoing(
            "me@here.example",
            tuple(recipients),
            size=0 if options else len(CONTENT) + 1,
            eightbit="eightbit" in options,
            smtputf8="smtputf8" in options,
            ret=options.get("ret", ""),
            envid=options.get("envid", ""),
        )
    return transcript


TRANSCRIPTS = [read(path) for path in sorted((Path(__file__).parent / "sent").glob("*.txt"))]
every_transcript = pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=lambda t: t.name)


@every_transcript
def test_fed_in_whole_turns(transcript: Transcript) -> None:
    conversation = transcript.conversation()
    for server, client in transcript.turns:
        conversation.client.receive_data(server)
        assert conversation.pump().decode() == client.decode()
    assert conversation.heard == transcript.heard


@pytest.mark.parametrize(
    "transcript", [t for t in TRANSCRIPTS if "tls" not in t.todo], ids=lambda t: t.name
)
def test_fed_one_octet_at_a_time(transcript: Transcript) -> None:
    conversation = transcript.conversation()
    for server, client in transcript.turns:
        said = b""
        for octet in server:
            conversation.client.receive_data(bytes((octet,)))
            said += conversation.pump()
        assert said.decode() == client.decode()
    assert conversation.heard == transcript.heard


# Joined to our own server --------------------------------------------------------------------------


def exchange(conversation: Conversation, service: Service) -> None:
    for _ in range(200):
        said = service.pump()
        if said:
            conversation.client.receive_data(said)
        asked = conversation.pump()
        if not asked and not said:
            return
        if asked:
            service.engine.receive_data(asked)
    raise AssertionError("they go on for ever")


lines = st.lists(
    st.sampled_from([b"", b".", b"..", b"a", b".a", b"a.", b"\x00", b"\xff"]), max_size=8
)


@given(lines, st.sampled_from([b"\r\n", b"\n", b"\r"]), st.booleans())
@settings(max_examples=200, deadline=None)
def test_what_is_sent_is_received(parts: list[bytes], newline: bytes, ended: bool) -> None:
    """Byte for byte; a bare CR or LF arrives as CRLF, and no content ends where we see no end."""
    content = newline.join(parts) + (newline if ended else b"")
    writer, reader = DotWriter(), DotReader()
    wire = b"".join(writer.feed(content[at : at + 1]) for at in range(len(content))) + writer.end()
    got, rest = b"", None
    for at in range(len(wire)):
        piece, rest = reader.feed(wire[at : at + 1])
        got += piece
    assert rest == b""
    expected = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
    if expected and not expected.endswith(b"\r\n"):
        expected += b"\r\n"
    assert got == expected


@pytest.mark.parametrize("mode", [Mode.SMTP, Mode.LMTP])
def test_our_own_server_takes_it(mode: Mode) -> None:
    engine = SmtpServer(Settings("there.example", mode=mode, dsn=True), Limits())
    engine.greet()
    service = Service(engine)
    recipients = (Addressee("a@there.example", "FAILURE"), Addressee("b@there.example"))
    outgoing = Outgoing("me@here.example", recipients, size=len(CONTENT), ret="FULL", envid="1 2")
    conversation = Conversation(SmtpClient("here.example", lmtp=mode is Mode.LMTP), outgoing)
    exchange(conversation, service)
    (delivery,) = service.deliveries
    assert delivery.content == CONTENT
    assert delivery.recipients == ("a@there.example", "b@there.example")
    assert [line[:20] for line in conversation.heard] == ["A: end of content 25"] * 2 + ["X:"]


# Servers that misbehave ----------------------------------------------------------------------------


def ready_client(*extensions: str) -> SmtpClient:
    client = SmtpClient("here.example")
    client.receive_data(b"220 hi\r\n")
    hello = ["there.example", *extensions]
    client.receive_data(
        "".join(f"250{' ' if w is hello[-1] else '-'}{w}\r\n" for w in hello).encode()
    )
    assert isinstance(client.next_event(), Ready)
    client.data_to_send()
    return client


def events(client: SmtpClient) -> Iterator[object]:
    while (event := client.next_event()) is not None:
        yield event


ONE = Outgoing("me@here.example", (Addressee("a@there.example"),))


@pytest.mark.parametrize(
    ("replies", "step"),
    [
        (b"", Step.MAIL),
        (b"250 ok\r\n", Step.RCPT),
        (b"250 ok\r\n250 ok\r\n", Step.DATA),
        (b"250 ok\r\n250 ok\r\n354 go\r\n", Step.CONTENT),
    ],
)
def test_lost_at_any_step_leaves_nobody_without_an_answer(replies: bytes, step: Step) -> None:
    client = ready_client("PIPELINING")
    client.send(ONE)
    client.receive_data(replies)
    client.lost("connection reset")
    *_, sent, closed = events(client)
    assert sent == Sent((Answer(step, None, "connection reset"),))
    assert closed == Closed("connection reset")
    client.lost("again")
    client.receive_data(b"250 late\r\n")
    client.content(b"x")
    client.end_content()
    assert client.next_event() is None


@pytest.mark.parametrize(
    "flood",
    [
        b"250-" + b"x" * (MOST_OCTETS + 1),
        b"250-x\r\n" * 200,
        b"x" * (MOST_OCTETS + 1),
        b"\r\n",
        b"99 low\r\n",
        b"abc\r\n",
    ],
)
def test_a_reply_that_is_none_or_has_no_end_ends_it(flood: bytes) -> None:
    client = ready_client()
    client.send(ONE)
    client.receive_data(flood)
    assert client.closed
    sent, closed = events(client)
    assert isinstance(sent, Sent)
    assert "broke the protocol" in sent.answers[0].lost
    assert isinstance(closed, Closed)


def test_a_reply_to_nothing_ends_it() -> None:
    client = ready_client()
    client.receive_data(b"250 and another\r\n")
    assert client.closed
    idle = ready_client()
    idle.receive_data(b"421 4.4.2 idle for too long\r\n")
    assert list(events(idle)) == [Closed("421 4.4.2 idle for too long")]


@pytest.mark.parametrize("reply", ["552 5.3.4 too big", "452 4.3.1 disk full", "421 4.3.2 closing"])
def test_a_refusal_before_the_end_of_the_content_is_the_answer(reply: str) -> None:
    client = ready_client("PIPELINING")
    client.send(ONE)
    client.receive_data(b"250 ok\r\n250 ok\r\n354 go\r\n")
    client.content(CONTENT)
    client.receive_data(reply.encode() + b"\r\n")
    *_, sent, closed = events(client)
    assert isinstance(sent, Sent)
    assert [shown(answer) for answer in sent.answers] == [f"{Step.CONTENT.value} {reply}"]
    assert isinstance(closed, Closed)
    client.content(b"x")
    client.end_content()
    assert client.next_event() is None


def test_a_message_is_not_taken_before_its_end() -> None:
    client = ready_client("PIPELINING")
    client.send(ONE)
    client.receive_data(b"250 ok\r\n250 ok\r\n354 go\r\n")
    client.content(CONTENT)
    client.receive_data(b"250 2.0.0 queued\r\n")
    *_, sent, _ = events(client)
    assert isinstance(sent, Sent)
    assert not sent.answers[0].good


def test_250_to_data_takes_nothing() -> None:
    """A server out of step may not make us believe that it has the message."""
    client = ready_client("PIPELINING")
    client.send(ONE)
    client.receive_data(b"250 a\r\n250 b\r\n250 c\r\n")
    sent, _ = events(client)
    assert isinstance(sent, Sent)
    assert not sent.answers[0].good


@given(st.lists(st.binary(max_size=40), max_size=12))
@settings(max_examples=300, deadline=None)
def test_nothing_a_server_sends_raises(pieces: list[bytes]) -> None:
    client = SmtpClient("here.example")
    asked = False
    answered = 0
    for piece in [b"220 x\r\n250-y\r\n", b"250 PIPELINING\r\n", *pieces]:
        client.receive_data(piece)
        for event in list(events(client)):
            if isinstance(event, Ready) and not asked:
                client.send(ONE)
                asked = True
            elif isinstance(event, Go):
                client.end_content()
            elif isinstance(event, Sent):
                answered += 1
    client.lost("the end")
    answered += sum(isinstance(event, Sent) for event in events(client))
    assert answered == asked


# Small parts ---------------------------------------------------------------------------------------


def test_a_reply_is_shown_in_one_printable_line() -> None:
    reader = ReplyReader()
    reader.feed(b"550-5.7.1 first\r\n550-5.7.1\r\n550 5.7.1 sec\x1bond \xc3\xa9\xff\n")
    reply = reader.next()
    assert reply == RemoteReply(550, "5.7.1", ("first", "", "sec?ond é\ufffd"))
    assert str(reply) == "550 5.7.1 first sec?ond é\ufffd"
    assert reader.next() is None


@pytest.mark.parametrize("line", ["4.7.1 wait", "5.7.1x", "no code"])
def test_an_enhanced_code_of_another_class_is_none(line: str) -> None:
    assert RemoteReply.of(550, [line.encode()]).enhanced == ""


@pytest.mark.parametrize("address", ["a@b\r\nRCPT TO:<x@y>", "a b@c", "a>@c", "", "é@c", "a\x00@c"])
def test_no_address_ends_a_command(address: str) -> None:
    if address:
        with pytest.raises(ValueError, match="cannot stand"):
            Outgoing("", (Addressee(address),))
    else:
        with pytest.raises(ValueError, match="without a recipient"):
            Outgoing("", ())


def test_a_quoted_local_part_may_hold_a_space() -> None:
    assert (
        Outgoing("", (Addressee('"a b>"@c.example'),)).recipients[0].address == '"a b>"@c.example'
    )


def test_xtext() -> None:
    assert xtext("a+b=c d") == "a+2Bb+3Dc+20d"
    assert xtext("é") == "\\x{E9}"


def test_what_a_server_offers() -> None:
    reply = RemoteReply.of(250, [b"mx.example hi", b"SIZE 99", b"auth=PLAIN", b"AUTH LOGIN", b"X"])
    can = Extensions.of(reply)
    assert (can.name, can.size, can.mechanisms) == ("mx.example", 99, frozenset({"PLAIN", "LOGIN"}))
    assert Extensions.of(RemoteReply.of(250, [b"x", b"SIZE", b"SIZE abc"])).size == 0


def test_one_thing_at_a_time() -> None:
    client = ready_client()
    client.send(ONE)
    acts: list[Callable[[], None]] = [client.quit, client.start_tls, client.end_content]
    acts.append(partial(client.send, ONE))
    for act in acts:
        with pytest.raises(LocalProtocolError):
            act()
    with pytest.raises(ValueError, match="neither"):
        ready_client().authenticate("a", "b")
