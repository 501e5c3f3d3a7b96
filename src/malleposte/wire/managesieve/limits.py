"""Bounds of one ManageSieve connection, each with the reason for its number.

Invariant: whatever a peer sends, the engine holds at most one command (`line` and `script` octets, and
names) besides what one read of the socket brought. Rates, connections per address and the clock belong to
the service.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """All in octets or counts."""

    line: int = 4_096
    """A command's octets outside literals, in one line. A quoted string has at most 1,024
    (RFC 5804 §4), and a command two of them."""

    auth_line: int = 16_384
    """The same of an authentication exchange: as in SMTP, RFC 4954 §4 asks for 12,288."""

    script: int = 256 * 1024
    """A script. The service sets it to what the language takes."""

    argument: int = 2_048
    """A literal that is no script: a name (RFC 5804 §1.6: up to 512 octets)."""

    skipped: int = 8 * 1024 * 1024
    """Octets of literals that are too large and thrown away, of one connection: a person who uploads the
    wrong file is told so; past this the connection is closed."""

    buffer: int = 65_536
    """Octets received ahead of what is needed; past it the client waits in TCP, as `wants_data` says."""

    literals: int = 4
    """Literals in one command; no command has more than two strings."""

    errors: int = 20
    """Commands in a row that the engine itself had to refuse; the last refusal ends the connection."""

    commands_before_sign_in: int = 100
    """Commands that lead to no sign-in, good or bad; the same then."""

    auth_failures: int = 5
    """Failed sign-ins, then the end: as in POP3."""
