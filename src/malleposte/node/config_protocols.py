"""Sections of the configuration: bounds of SMTP, submission and LMTP, of IMAP, POP3 and ManageSieve."""

from typing import Annotated

from msgspec import Struct

from malleposte.node.config_fields import DAY, GB, KB, MB, duration, number, size

PerAddress = Annotated[
    int,
    number(
        "Connections from one address (IPv6: one /64) that have not signed in, to one worker.",
        1,
        100_000,
    ),
]
SignIn = Annotated[
    int, duration("A connection that has not signed in by then is closed.", 10, 3600)
]


class Smtp(Struct, frozen=True, kw_only=True):
    """Bounds of smtp, submission and lmtp."""

    max_size: Annotated[
        int, size("Largest message, as it travels (attachments encoded).", 64 * KB, 2 * GB)
    ] = 50 * MB
    max_recipients: Annotated[
        int,
        number("Recipients of one transaction (RFC 5321 §4.5.3.1.8: at least 100).", 100, 50_000),
    ] = 1000
    received_hops: Annotated[
        int,
        number(
            "Received lines after which a message is taken to run in a circle "
            "(RFC 5321 §6.3: normally at least 100).",
            20,
            1000,
        ),
    ] = 100
    connections: Annotated[
        int,
        number(
            "Connections to one worker, for each of smtp, submission (with submissions) and lmtp: none "
            "of them takes another's.",
            10,
            100_000,
        ),
    ] = 5000
    connections_per_account: Annotated[
        int,
        number(
            "Connections to one worker on which one account is signed in for submission; past it the "
            "newest is refused.",
            2,
            10_000,
        ),
    ] = 50
    connections_per_address: PerAddress = 100
    command_timeout: Annotated[
        int,
        duration("Silence before the next command (RFC 5321 §4.5.3.2.7: at least 5m).", 10, 3600),
    ] = 300
    data_timeout: Annotated[
        int,
        duration("Silence within a message (RFC 5321 §4.5.3.2.5: at least 3m).", 10, 3600),
    ] = 300
    transaction_timeout: Annotated[
        int,
        duration(
            "A message may come in at any speed for so long; after that it must have brought 1,000 "
            "bytes a second on the average, so that none trickles.",
            10,
            DAY,
        ),
    ] = 600
    max_errors: Annotated[
        int, number("Refused commands after which the connection is closed.", 3, 1000)
    ] = 20


class Imap(Struct, frozen=True, kw_only=True):
    """Bounds of imap."""

    max_append: Annotated[int, size("Largest message that APPEND takes.", 64 * KB, 2 * GB)] = (
        50 * MB
    )
    max_literal: Annotated[int, size("Largest literal of any other command.", 8 * KB, 16 * MB)] = (
        256 * KB
    )
    max_line: Annotated[
        int,
        size(
            "Longest command, its literals aside (RFC 7162 §4: at least 8,192). Some clients name "
            "20,000 messages in one, 120 kB.",
            8192,
            16 * MB,
        ),
    ] = 256 * KB
    connections: Annotated[int, number("Connections to one worker.", 10, 1_000_000)] = 20_000
    connections_per_account: Annotated[
        int,
        number(
            "Connections on which one account is signed in, over all workers of this machine; past it "
            "the newest is refused.",
            4,
            10_000,
        ),
    ] = 100
    connections_per_address: PerAddress = 100
    signin_timeout: SignIn = 120
    idle_timeout: Annotated[
        int,
        duration("Silence after sign-in (RFC 9051 §5.4: at least 30m).", 1800, 7 * DAY),
    ] = 1860


class Pop3(Struct, frozen=True, kw_only=True):
    """Bounds of pop3. One session of an account at a time is the protocol's."""

    connections: Annotated[int, number("Connections to one worker.", 10, 100_000)] = 5000
    connections_per_address: PerAddress = 100
    signin_timeout: SignIn = 120
    idle_timeout: Annotated[
        int,
        duration(
            "Silence after sign-in (RFC 1939 §3: at least 10m); until then no other session can have "
            "the mailbox.",
            600,
            DAY,
        ),
    ] = 600


class ManageSieve(Struct, frozen=True, kw_only=True):
    """Bounds of managesieve, with which mail programs put filters in place."""

    connections: Annotated[int, number("Connections to one worker.", 10, 100_000)] = 1000
    connections_per_address: PerAddress = 50
    signin_timeout: SignIn = 120
    idle_timeout: Annotated[
        int, duration("Silence after sign-in (RFC 5804 §1.2: at least 30m).", 1800, DAY)
    ] = 1800
