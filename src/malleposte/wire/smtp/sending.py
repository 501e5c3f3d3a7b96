"""The client's side of SMTP, LMTP and submission as a state machine without I/O.

The caller moves octets (`receive_data`, `data_to_send`), takes events from `next_event`, and says what
is wanted: `send`, `start_tls`, `authenticate`, `quit`. One thing at a time; `Ready` tells that the next
may be asked for.

    while (event := client.next_event()) is not None: ...
    socket.send(client.data_to_send()); client.receive_data(socket.recv())

Each recipient of an envelope gets exactly one `Answer` in `Sent`: a reply, or that the connection was
lost, with the step it was lost at. Lost after the end of the content, nobody knows whether the message
was taken: it must be sent again, and may arrive twice (RFC 5321 §4.5.3.2.6, RFC 1047).

Envelopes are pipelined where the server allows it (RFC 2920). A reply that is none, or one nobody asked
for, ends the conversation.
"""

import base64
from collections import deque
from collections.abc import Callable
from functools import partial

from malleposte.wire.dialogue import LocalProtocolError

from .answers import Garbled, RemoteReply, ReplyReader
from .content import DotWriter
from .outgoing import Extensions, Outgoing, mail_command, rcpt_commands
from .progress import Answer, Closed, Event, Go, Handshake, Ready, Refused, Sent, Step


class SmtpClient:
    """One connection, just opened. ``hello``: our own name. ``lmtp``: RFC 2033."""

    def __init__(self, hello: str, *, lmtp: bool = False) -> None:
        self._hello = hello
        self._lmtp = lmtp
        self._replies = ReplyReader()
        self._out = bytearray()
        self._events: deque[Event] = deque()
        self._expected: deque[Callable[[RemoteReply], None]] = deque()
        self._step = Step.GREETING
        self._can = Extensions()
        self._outgoing: Outgoing | None = None
        self._answers: list[Answer | None] = []
        self._dots: DotWriter | None = None
        self._closed = False
        self._expected.append(self._greeted)

    # Octets and events ----------------------------------------------------------------------------

    @property
    def step(self) -> Step:
        """What is waited for; for deadlines and for words."""
        return self._step

    @property
    def closed(self) -> bool:
        """Whether nothing can be asked for any more."""
        return self._closed

    def data_to_send(self) -> bytes:
        """Octets for the wire, once."""
        out = bytes(self._out)
        self._out.clear()
        return out

    def next_event(self) -> Event | None:
        """What happened; None: more octets are needed, or something is to be asked for."""
        return self._events.popleft() if self._events else None

    def receive_data(self, octets: bytes) -> None:
        """Take what came."""
        if self._closed:
            return
        self._replies.feed(octets)
        try:
            while self._expected and (reply := self._replies.next()) is not None:
                self._take(reply)
            if not self._expected and not self._replies.empty:
                reply = self._replies.next()
                if reply is not None and self._dots is not None and reply.code >= 400:
                    self._stopped(reply)
                elif reply is not None and reply.code == 421:
                    self.lost(str(reply))  # it has waited long enough for us
                elif reply is not None:
                    raise Garbled(f"a reply to nothing: «{reply}»")
        except Garbled as error:
            self.lost(f"the server broke the protocol: {error}")

    def lost(self, why: str) -> None:
        """The connection is gone, or was too slow: what waits is answered with that."""
        if self._closed:
            return
        if self._outgoing is not None:
            self._decide(Answer(self._step, None, why))
            self._finish()
        self._close(why)

    def _take(self, reply: RemoteReply) -> None:
        if reply.code == 421 and self._step is not Step.QUIT:
            # RFC 5321 §3.8: the channel closes; whatever waits hears it.
            if self._outgoing is not None:
                self._decide(Answer(self._step, reply))
                self._finish()
            else:
                self._events.append(Refused(Answer(self._step, reply)))
            self._close(str(reply))
            return
        self._expected.popleft()(reply)

    def _close(self, why: str) -> None:
        self._closed = True
        self._expected.clear()
        self._events.append(Closed(why))

    # The beginning --------------------------------------------------------------------------------

    def _greeted(self, reply: RemoteReply) -> None:
        if not reply.positive:
            self._refuse(reply, ends=True)
            return
        self._say_hello()

    def _say_hello(self) -> None:
        self._step = Step.HELLO
        word = "LHLO" if self._lmtp else "EHLO"
        self._ask(f"{word} {self._hello}\r\n", self._hello_answered)

    def _hello_answered(self, reply: RemoteReply) -> None:
        if reply.positive:
            self._can = Extensions.of(reply)
            self._ready()
        elif reply.permanent and not self._lmtp:
            self._ask(f"HELO {self._hello}\r\n", self._old_hello_answered)
        else:
            self._refuse(reply, ends=True)

    def _old_hello_answered(self, reply: RemoteReply) -> None:
        if reply.positive:
            self._can = Extensions(name=reply.lines[0].split(" ")[0])
            self._ready()
        else:
            self._refuse(reply, ends=True)

    def _ready(self) -> None:
        self._events.append(Ready(self._can))

    def _refuse(self, reply: RemoteReply, *, ends: bool = False) -> None:
        self._events.append(Refused(Answer(self._step, reply)))
        if ends:
            self.quit()

    def _ask(self, line: str, answer: Callable[[RemoteReply], None]) -> None:
        self._out += line.encode("utf-8")
        self._expected.append(answer)

    def _idle(self) -> None:
        if self._closed or self._expected or self._outgoing is not None:
            raise LocalProtocolError("the conversation is not ready for this")

    # TLS and sign-in ------------------------------------------------------------------------------

    def start_tls(self) -> None:
        """Ask for TLS: ``Handshake`` or ``Refused``."""
        self._idle()
        self._step = Step.STARTTLS
        self._ask("STARTTLS\r\n", self._tls_answered)

    def _tls_answered(self, reply: RemoteReply) -> None:
        if not reply.positive:
            self._refuse(reply)
            return
        # What came after it in clear would be taken for the server's words under TLS (CVE-2011-0411).
        self._replies = ReplyReader()
        self._events.append(Handshake())

    def tls_started(self) -> None:
        """The handshake is done: what was learned before is forgotten (RFC 3207 §4.2)."""
        self._idle()
        self._can = Extensions()
        self._say_hello()

    def authenticate(self, user: str, password: str) -> None:
        """Sign in by PLAIN or LOGIN, whichever is offered: ``Ready`` or ``Refused``. Raises
        ``ValueError`` where neither is; the caller sees to TLS."""
        self._idle()
        self._step = Step.AUTH
        if "PLAIN" in self._can.mechanisms:
            secret = _base64(f"\0{user}\0{password}")
            self._ask(f"AUTH PLAIN {secret}\r\n", self._signed_in)
        elif "LOGIN" in self._can.mechanisms:
            self._ask("AUTH LOGIN\r\n", lambda reply: self._prompted(reply, [user, password]))
        else:
            raise ValueError("the server offers neither AUTH PLAIN nor AUTH LOGIN")

    def _prompted(self, reply: RemoteReply, words: list[str]) -> None:
        if reply.code != 334:
            self._refuse(reply)
            return
        first, *rest = words
        line = f"{_base64(first)}\r\n"
        if rest:
            self._ask(line, lambda reply: self._prompted(reply, rest))
        else:
            self._ask(line, self._signed_in)

    def _signed_in(self, reply: RemoteReply) -> None:
        if reply.positive:
            self._ready()
        else:
            self._refuse(reply)

    # An envelope ----------------------------------------------------------------------------------

    def send(self, outgoing: Outgoing) -> None:
        """Offer a message: ``Go`` where the content is wanted, and in the end ``Sent``."""
        self._idle()
        self._outgoing = outgoing
        self._answers = [None] * len(outgoing.recipients)
        self._step = Step.MAIL
        self._out += mail_command(outgoing, self._can)
        self._expected.append(self._mail_answered)
        if self._can.pipelining:
            self._name_recipients()
            self._ask("DATA\r\n", self._data_answered)

    def _mail_answered(self, reply: RemoteReply) -> None:
        self._step = Step.RCPT
        if not reply.positive:
            self._decide(Answer(Step.MAIL, reply))
        elif not self._can.pipelining:
            self._name_recipients()
        self._next_of_envelope()

    def _name_recipients(self) -> None:
        assert self._outgoing is not None
        recipients = self._outgoing.recipients
        if self._can.pipelining:
            self._out += rcpt_commands(recipients, self._can)
        else:
            self._out += rcpt_commands(recipients[:1], self._can)
        for at in range(len(recipients)):
            self._expected.append(partial(self._rcpt_answered, at))

    def _rcpt_answered(self, at: int, reply: RemoteReply) -> None:
        assert self._outgoing is not None
        if self._answers[at] is None and not reply.positive:
            self._answers[at] = Answer(Step.RCPT, reply)
        after = at + 1
        if not self._can.pipelining and after < len(self._answers):
            self._out += rcpt_commands(self._outgoing.recipients[after : after + 1], self._can)
        if after == len(self._answers):
            self._step = Step.DATA
        self._next_of_envelope()

    def _next_of_envelope(self) -> None:
        """Without pipelining: what follows once nothing is waited for."""
        if self._can.pipelining or self._expected:
            return
        if None in self._answers:
            self._ask("DATA\r\n", self._data_answered)
        else:
            self._ask("RSET\r\n", self._reset)

    def _data_answered(self, reply: RemoteReply) -> None:
        if reply.code == 354:
            self._step = Step.CONTENT
            if None in self._answers:
                self._dots = DotWriter()
                self._events.append(Go())
            else:
                # RFC 2920 §3.1: it takes content for nobody, so it gets none.
                self._ask(".\r\n", self._reset)
            return
        if reply.positive:  # 2yz is no answer to DATA
            self.lost(f"the server broke the protocol: «{reply}» after DATA")
            return
        self._decide(Answer(Step.DATA, reply))
        self._ask("RSET\r\n", self._reset)

    def content(self, octets: bytes) -> None:
        """A piece of the content, as it is stored."""
        if self._closed:
            return
        if self._dots is None:
            raise LocalProtocolError("no content is wanted")
        self._out += self._dots.feed(octets)

    def end_content(self) -> None:
        """All of the content was given."""
        if self._closed:
            return
        if self._dots is None:
            raise LocalProtocolError("no content is wanted")
        self._out += self._dots.end()
        self._dots = None
        waiting = [at for at, answer in enumerate(self._answers) if answer is None]
        groups = [[at] for at in waiting] if self._lmtp else [waiting]
        for group in groups:
            self._expected.append(partial(self._ended, group, group is groups[-1]))

    def _stopped(self, reply: RemoteReply) -> None:
        """It has seen enough of the content: an answer, though it comes too early. What follows would no
        longer be in step."""
        self._decide(Answer(self._step, reply))
        self._finish()
        self._close(str(reply))

    def _ended(self, recipients: list[int], last: bool, reply: RemoteReply) -> None:
        for at in recipients:
            self._answers[at] = Answer(Step.CONTENT, reply)
        if last:
            self._finish()
            self._ready()

    def _reset(self, reply: RemoteReply) -> None:
        self._finish()
        if reply.positive or self._step is Step.CONTENT:
            self._ready()
        else:
            self.quit()

    def _decide(self, answer: Answer) -> None:
        """Answer all recipients that have none yet."""
        self._answers = [known or answer for known in self._answers]

    def _finish(self) -> None:
        answers = tuple(a if a is not None else Answer(self._step, None) for a in self._answers)
        self._outgoing, self._answers, self._dots = None, [], None
        self._events.append(Sent(answers))

    # The end --------------------------------------------------------------------------------------

    def quit(self) -> None:
        """Say goodbye; ``Closed`` follows."""
        self._idle()
        self._step = Step.QUIT
        self._ask("QUIT\r\n", lambda _: self._close(""))


def _base64(text: str) -> str:
    return base64.b64encode(text.encode("utf-8")).decode("ascii")
