"""Bounds of one IMAP connection, each with its reason.

Invariant: whatever the peer sends, the memory of a connection is at most `command_bytes` plus
`pipeline_bytes` plus the chunk handed to `receive_data`. What the bounds do not cover: time and
the number of connections, which the service watches.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """Sizes in bytes, counts in items. All are settable; the defaults are argued here.

    Compared by identity: one object serves all connections, and is part of the key of a cache.
    """

    line_bytes: int = 256 * 1024
    """A command of a signed-in client, its literals aside. RFC 7162 §4 asks for at least 8,192;
    Dovecot allows 64 KiB. 20,000 scattered UIDs, as Apple Mail sends them unsplit, are 120 KB. With
    the counts below honest commands are read in under 20 ms, the longest a loop may be held; the
    worst that fits (57,000 ranges in three sets) took 60 ms."""

    command_bytes: int = 320 * 1024
    """The same with its literals, without those that are messages: one of `string_bytes` fits beside
    the longest line."""

    command_bytes_before_sign_in: int = 8 * 1024
    """The same before sign-in: the longest honest command there is AUTHENTICATE with a Kerberos
    ticket or token (RFC 9051 §6.2.2 knows no bound, tickets stay under 8 KB)."""

    id_bytes_before_sign_in: int = 64 * 1024
    """The same for ID, which clients send first of all: 30 pairs of 30 and 1,024 octets are lawful
    (RFC 2971 §3.3), and in quotes each octet may take two."""

    append_bytes: int = 50 * 1024 * 1024
    """One message in APPEND; announced as APPENDLIMIT (RFC 7889)."""

    append_messages: int = 1_000
    """Messages in one MULTIAPPEND (RFC 3502): all are committed as one, and are held until then."""

    drain_bytes: int = 256 * 1024 * 1024
    """A refused non-synchronising literal is swallowed up to this size, to stay in step with the
    client (RFC 7888 §4); past it the connection is closed. Swallowing costs no memory."""

    drain_bytes_before_sign_in: int = 64 * 1024
    """A stranger gets less patience."""

    literal_minus_bytes: int = 4096
    """LITERAL- (RFC 7888 §5): the most a non-synchronising literal may hold before sign-in."""

    pipeline_bytes: int = 64 * 1024
    """Unread input kept while a command is in work; past it `wants_data` turns false. Enough for
    a client that sends some hundred commands ahead."""

    append_chunk_bytes: int = 64 * 1024
    """Largest `AppendData`, so that the spool writes pieces of even size."""

    tag_bytes: int = 64
    """Clients use 4 to 10 characters; the tag is echoed, so that it must not amplify."""

    atom_bytes: int = 1024
    """One atom or flag; keywords and header names are far shorter."""

    string_bytes: int = 64 * 1024
    """One quoted string or buffered literal: search texts and mailbox names are far shorter."""

    literals: int = 1_000
    """Literals that are arguments of one command; each costs the engine a step of its own."""

    mailbox_bytes: int = 2048
    """A mailbox name on the wire; modified UTF-7 of 500 characters."""

    set_members: int = 20_000
    """Numbers and ranges in one set; so many are read in 15 (numbers) to 30 ms (ranges)."""

    flags: int = 256
    """Flags named in one command."""

    flag_bytes: int = 255
    """One keyword: it is stored, and sent back with every FLAGS."""

    search_depth: int = 100
    """Nesting of NOT, OR and parentheses. People nest 3 levels; a chain of ORs, as clients build
    it over addresses or Message-IDs, nests once per item: 100 levels let 100 items pass, and an
    evaluator that recurses is still far from Python's limit."""

    search_keys: int = 2_000
    """Nodes of a search program: the evaluator's work grows with it."""

    sort_criteria: int = 32
    """Criteria in one SORT; there are nine (RFC 5256 §3, RFC 5957 §4)."""

    fetch_items: int = 128
    """Data items in one FETCH."""

    header_fields: int = 256
    """Names in one HEADER.FIELDS; Apple Mail asks for about 20."""

    part_depth: int = 100
    """Numbers in a section part (`1.2.3`): as deep as the MIME parser goes."""

    list_patterns: int = 32
    """Patterns in one extended LIST (RFC 5258); each may be as long as a line."""

    notify_groups: int = 32
    """Event groups in one NOTIFY (RFC 5465); clients send two or three. Each is asked of every change."""

    notify_mailboxes: int = 1_000
    """Mailboxes named in one NOTIFY; more are named by SUBTREE or PERSONAL."""

    notify_events: int = 32
    """Events in one group of NOTIFY; there are eight."""

    entries: int = 128
    """Entries of METADATA in one command (RFC 5464): a client knows a dozen."""

    entry_bytes: int = 255
    """The name of one: `/private/vendor/` and some words."""

    quota_resources: int = 16
    """Resources in one SETQUOTA; there are four (RFC 9208 §5)."""

    id_pairs: int = 30
    """Pairs of ID (RFC 2971 §3.3 sets 30, names of 30 and values of 1024 octets)."""

    id_key_bytes: int = 30
    id_value_bytes: int = 1024

    enable_names: int = 64
    """Names in one ENABLE."""

    bad_commands: int = 20
    """BAD answers in a row before the server says BYE; Dovecot's number."""

    bad_commands_before_sign_in: int = 5
    """BAD answers in all before sign-in: HTTP requests and scanners end here."""

    commands_before_sign_in: int = 100
    """Commands before sign-in: programs send CAPABILITY, ID, STARTTLS and a sign-in or two. The
    number that our SMTP and Postfix have for commands that lead to nothing."""
