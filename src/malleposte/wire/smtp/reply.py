"""Replies: three digits, an enhanced status code, text (RFC 5321 §4.2, RFC 3463, RFC 2034).

A reply cannot break the conversation: whatever stands in its text, the octets on the wire are
lines of at most 512 octets that each begin with the code. Does not know which reply fits where;
that is the engine's.
"""

from dataclasses import dataclass, field
from typing import Self

_LINE_WIDTH = 480  # RFC 5321 §4.5.3.1.5: 512 with code, enhanced code and CRLF
_UTF8_WIDTH = _LINE_WIDTH // 4  # characters, each at most four octets
_MOST_LINES = 50  # RFC 5321 sets no bound; clients keep replies in memory and in logs


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply. `enhanced` is "" where RFC 2034 §4 wants none (greeting, EHLO, 3yz).

    `text` may hold several lines, separated by LF. Control characters are shown as "?"; characters
    outside ASCII too, unless the peer asked for SMTPUTF8 (RFC 6531 §3.7.4.2).

    Raises ValueError for a code that is none or an enhanced code of another class: a local bug.
    """

    code: int
    enhanced: str
    text: str
    _ascii: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not 200 <= self.code <= 599:
            raise ValueError(f"no SMTP reply code: {self.code}")
        if self.enhanced and int(self.enhanced[0]) != self.code // 100:
            raise ValueError(f"{self.enhanced} is of another class than {self.code}")
        object.__setattr__(self, "_ascii", self._render(utf8=False))

    @property
    def positive(self) -> bool:
        """2yz: the command was done."""
        return self.code < 300

    @property
    def permanent(self) -> bool:
        """5yz: trying again will not help."""
        return self.code >= 500

    def encode(self, *, utf8: bool = False) -> bytes:
        """The octets on the wire, with CRLF, continuation lines as `250-` (RFC 5321 §4.2.1)."""
        return self._render(utf8=True) if utf8 else self._ascii

    def _render(self, *, utf8: bool) -> bytes:
        prefix = self.enhanced + " " if self.enhanced else ""
        text = self.text
        if len(text) <= _UTF8_WIDTH and text.isascii() and text.isprintable():
            return f"{self.code} {prefix}{text}\r\n".encode("ascii")
        lines: list[str] = []
        width = _UTF8_WIDTH if utf8 else _LINE_WIDTH
        for line in text.split("\n")[:_MOST_LINES]:
            clean = "".join(c if c.isprintable() and (utf8 or c < "\x7f") else "?" for c in line)
            lines.extend(clean[at : at + width] for at in range(0, len(clean) or 1, width))
        del lines[_MOST_LINES:]
        last = len(lines) - 1
        return "".join(
            f"{self.code}{' ' if i == last else '-'}{prefix}{line}\r\n"
            for i, line in enumerate(lines)
        ).encode("utf-8")


class PeerError(Exception):
    """The peer did something wrong, or asked for what it cannot have; the reply says it.

    Raised by the parsers of this package and usable by services; the engine sends `reply`.
    """

    def __init__(self, code: int, enhanced: str, text: str) -> None:
        super().__init__(code, enhanced, text)
        self.reply = Reply(code, enhanced, text)

    @classmethod
    def of(cls, reply: Reply) -> Self:
        return cls(reply.code, reply.enhanced, reply.text)


class Disconnect(PeerError):
    """The peer did what the conversation cannot survive: the reply, then the end."""


# Positive
HELP = Reply(214, "2.0.0", "Commands: EHLO MAIL RCPT DATA BDAT RSET NOOP VRFY AUTH STARTTLS QUIT")
READY_FOR_TLS = Reply(220, "2.0.0", "Ready to start TLS")
SIGNED_IN = Reply(235, "2.7.0", "Authentication succeeded")
OK = Reply(250, "2.0.0", "OK")
SENDER_OK = Reply(250, "2.1.0", "Sender OK")
RECIPIENT_OK = Reply(250, "2.1.5", "Recipient OK")
ACCEPTED = Reply(250, "2.0.0", "Message accepted")
CANNOT_VERIFY = Reply(252, "2.5.0", "Cannot verify, but will take mail and try")
START_INPUT = Reply(354, "", "Start mail input; end with <CRLF>.<CRLF>")

# Temporary
TIMED_OUT = Reply(421, "4.4.2", "Timeout, closing connection")
SHUTTING_DOWN = Reply(421, "4.3.2", "Shutting down, please try again soon")
TOO_MANY_ERRORS = Reply(421, "4.7.0", "Too many errors, closing connection")
TOO_MANY_COMMANDS = Reply(421, "4.7.0", "Too many commands without mail, closing connection")
TOO_MANY_MESSAGES = Reply(421, "4.7.0", "Enough for one connection, please open another")
TOO_MANY_SIGN_INS = Reply(421, "4.7.0", "Too many failed sign-ins, closing connection")
NOT_SMTP = Reply(421, "4.7.0", "This is a mail server")
TOO_MANY_RECIPIENTS = Reply(452, "4.5.3", "Too many recipients, send the rest separately")

# Permanent
UNKNOWN_COMMAND = Reply(500, "5.5.1", "Command not recognized")
LINE_TOO_LONG = Reply(500, "5.5.2", "Line too long")
AUTH_LINE_TOO_LONG = Reply(500, "5.5.6", "Authentication exchange line is too long")
BAD_OCTETS = Reply(500, "5.5.2", "Bare CR, bare LF or NUL in command")
NO_ARGUMENT = Reply(501, "5.5.4", "No argument allowed")
ARGUMENT_MISSING = Reply(501, "5.5.4", "Argument missing")
BAD_HELLO = Reply(501, "5.5.4", "A domain name or address literal is needed")
BAD_BDAT = Reply(501, "5.5.4", "Syntax: BDAT size [LAST]")
AUTH_CANCELLED = Reply(501, "5.7.0", "Authentication cancelled")
NOT_IMPLEMENTED = Reply(502, "5.5.1", "Command not implemented")
HELLO_FIRST = Reply(503, "5.5.1", "Say hello first")
MAIL_FIRST = Reply(503, "5.5.1", "MAIL first")
NESTED_MAIL = Reply(503, "5.5.1", "Sender already given")
NO_RECIPIENTS_LMTP = Reply(503, "5.5.1", "No valid recipients")
IN_CHUNKS = Reply(503, "5.5.1", "The message is coming by BDAT already")
TRANSACTION_FAILED = Reply(503, "5.5.1", "Transaction failed before, RSET first")
ALREADY_TLS = Reply(503, "5.5.1", "TLS is active already")
ALREADY_SIGNED_IN = Reply(503, "5.5.1", "Already signed in")
IN_TRANSACTION = Reply(503, "5.5.1", "Not during a mail transaction")
PIPELINED_TLS = Reply(503, "5.5.1", "Nothing may be sent after STARTTLS before its reply")
UNKNOWN_MECHANISM = Reply(504, "5.5.4", "Authentication mechanism not known")
TLS_FIRST = Reply(530, "5.7.0", "STARTTLS first")
AUTH_FIRST = Reply(530, "5.7.0", "Authentication required")
ENCRYPTION_FIRST = Reply(538, "5.7.11", "Encryption is required to sign in")
TOO_LARGE = Reply(552, "5.3.4", "Message too large")
NO_RECIPIENTS = Reply(554, "5.5.1", "No valid recipients")
FALSE_END = Reply(
    554, "5.6.0", "A lone dot after a bare CR, LF or NUL: other servers may end there"
)
BARE_NEWLINES = Reply(554, "5.6.0", "Bare CR or LF in message (RFC 5321 section 2.3.8)")
