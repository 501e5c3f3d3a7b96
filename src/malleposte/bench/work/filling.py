"""Putting many messages into a mailbox by APPEND: I11, and the ground for everything else."""

import time
from collections.abc import Iterator

from malleposte.bench.clock import Clocked
from malleposte.bench.imap_client import ImapClient
from malleposte.bench.measure import Bench
from malleposte.bench.trouble import BenchTrouble

# Messages in one APPEND (RFC 3502), or in one write where MULTIAPPEND is not offered.
BATCH = 100
_SAY_EVERY = 5.0


def append_command(mailbox: bytes, *messages: bytes) -> bytes:
    """APPEND with non-synchronising literals (RFC 7888); several messages are a MULTIAPPEND."""
    literals = b"".join(b" {%d+}\r\n%b" % (len(message), message) for message in messages)
    return b"APPEND " + mailbox + literals


def need_literal_plus(client: ImapClient) -> None:
    """The work-list's APPENDs do not wait for a continuation."""
    if b"LITERAL+" not in client.capabilities():
        raise BenchTrouble("the server does not offer LITERAL+")


def fill(bench: Bench, client: ImapClient, mailbox: bytes, count: int) -> tuple[Clocked, str]:
    """Append `count` fresh messages; returns (what it took, how it was done)."""
    need_literal_plus(client)
    several = b"MULTIAPPEND" in client.capabilities()
    messages = bench.corpus.messages(count, bench.fresh(count))
    parts: list[Clocked] = []
    done, said = 0, time.monotonic()
    while batch := _batch(messages):
        if several:
            answer = client.command(append_command(mailbox, *batch))
        else:
            answer = client.pipeline([append_command(mailbox, message) for message in batch])
        parts.append(answer.took)
        done += len(batch)
        if time.monotonic() - said > _SAY_EVERY:
            said = time.monotonic()
            bench.say(f"{done:,} of {count:,} messages appended")
    how = f"{BATCH} in an APPEND" if several else f"no MULTIAPPEND: {BATCH} APPENDs in a write"
    return Clocked.total(parts), how


def top_up(bench: Bench, client: ImapClient, mailbox: bytes, count: int) -> int:
    """Append what `mailbox` lacks of `count` messages; returns how many it holds then."""
    if mailbox != b"INBOX" and not exists(client, mailbox):
        client.command(b"CREATE " + mailbox)
    present = client.messages(mailbox)
    if present < count:
        fill(bench, client, mailbox, count - present)
    return max(present, count)


def exists(client: ImapClient, mailbox: bytes) -> bool:
    """Whether LIST names the mailbox."""
    return b"* LIST" in client.command(b'LIST "" ' + mailbox).data


def empty_mailbox(client: ImapClient, mailbox: bytes) -> None:
    """Make the mailbox anew."""
    remove(client, mailbox)
    client.command(b"CREATE " + mailbox)


def remove(client: ImapClient, mailbox: bytes) -> None:
    """Delete the mailbox if there is one."""
    if exists(client, mailbox):
        client.command(b"DELETE " + mailbox)


def _batch(messages: Iterator[bytes]) -> list[bytes]:
    return [message for _, message in zip(range(BATCH), messages, strict=False)]
