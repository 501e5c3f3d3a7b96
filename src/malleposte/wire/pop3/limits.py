"""Bounds of one POP3 connection, each with the reason for its number.

Invariant: whatever a peer sends, the engine holds at most `buffer` octets of commands that wait (plus
what one read of the socket brought). Rates, connections per address and the clock belong to the service.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """All in octets or counts."""

    line: int = 2_048
    """A command line with its CRLF. RFC 2449 §4 asks for 255; a password in PASS may have 1,024."""

    auth_line: int = 12_288
    """A line of an authentication exchange, and the AUTH command that carries an initial response: as
    in SMTP (RFC 4954 §4)."""

    buffer: int = 65_536
    """Commands received ahead of their answers (PIPELINING); past it the client waits in TCP, as
    `wants_data` says. Of one line as much is thrown away before the connection is closed."""

    errors: int = 20
    """Commands in a row that the engine itself had to refuse; the last refusal ends the connection."""

    commands_before_sign_in: int = 100
    """Commands that lead to no sign-in, good or bad; the same then."""

    auth_failures: int = 5
    """Failed sign-ins, then the end. A mail program tries one or two; guessing has to connect anew,
    where the service's limits see it."""
