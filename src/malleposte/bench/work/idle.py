"""M1: what a connection costs that does nothing.

All connections sign in, select a mailbox and IDLE; the growth of Pss and Rss over the server's
whole process tree is divided by their number. `M1-tls` is the same over TLS, `M1-deflate` compressed
(RFC 4978), `M1-huge` in the mailbox of the growth figures. The whole server's Pss before the first
connection is given too.
"""

import ssl
import time
import zlib

from malleposte.bench import processes
from malleposte.bench.imap_client import ImapClient
from malleposte.bench.measure import Bench
from malleposte.bench.subject import Account, Endpoint
from malleposte.bench.trouble import BenchTrouble
from malleposte.bench.work.filling import top_up

# Buffers of the last command are given back a little later.
SETTLE = 2.0


def idle(bench: Bench, work: str) -> None:
    """Do M1, M1-tls, M1-deflate or M1-huge."""
    secured = work == "M1-tls"
    subject, counts = bench.subject, bench.counts
    plain = subject.endpoint("imap")
    endpoint = subject.endpoint("imaps") if secured else plain
    if endpoint is None or plain is None:
        raise BenchTrouble(f"{subject.name} offers no {'IMAP over TLS' if secured else 'IMAP'}")
    if not subject.roots():
        raise BenchTrouble(f"the process ids of {subject.name} are not known")
    huge = work == "M1-huge"
    users = (subject.accounts.huge,) if huge else subject.accounts.idle
    wanted = counts.huge if huge else counts.idle_mailbox
    held = [_held(bench, plain, user, wanted) for user in users]
    note = "" if max(held) == wanted else f"INBOX of {min(held):,}–{max(held):,} messages"
    before = processes.memory(subject.roots())
    clients: list[ImapClient] = []
    try:
        for number in range(counts.idle):
            client = ImapClient(endpoint, _unchecked_tls() if secured else None)
            clients.append(client)
            client.login(users[number % len(users)])
            client.command(b"SELECT INBOX")
            if work == "M1-deflate":
                _idle_compressed(client)
            else:
                client.idle()
        time.sleep(SETTLE)
        after = processes.memory(subject.roots())
    finally:
        for client in clients:
            client.close()
    if work == "M1":
        bench.record(work, "whole server before, PSS", "MiB", "less", before.pss / 1024**2)
    for what, more in (("PSS", after.pss - before.pss), ("RSS", after.rss - before.rss)):
        value = more / counts.idle / 1024
        bench.record(work, f"{what} a connection", "KiB", "less", value, note)


def _idle_compressed(client: ImapClient) -> None:
    """COMPRESS DEFLATE (RFC 4978), then IDLE through it."""
    client.command(b"COMPRESS DEFLATE")
    connection, rest = client.hand_over()
    deflate, inflate = zlib.compressobj(wbits=-15), zlib.decompressobj(wbits=-15)
    octets = deflate.compress(b"idle IDLE\r\n") + deflate.flush(zlib.Z_SYNC_FLUSH)
    connection.sendall(octets)
    said = inflate.decompress(rest)
    while b"\r\n" not in said:
        piece = connection.recv(4096)
        if not piece:
            raise BenchTrouble("the IMAP server closed a compressed connection")
        said += inflate.decompress(piece)
    if not said.startswith(b"+"):
        raise BenchTrouble(f"compressed, IDLE was answered with {said[:60]!r}")


def _held(bench: Bench, endpoint: Endpoint, user: Account, wanted: int) -> int:
    with ImapClient(endpoint) as client:
        client.login(user)
        return top_up(bench, client, b"INBOX", wanted)


def _unchecked_tls() -> ssl.SSLContext:
    """Memory does not depend on who signed; the bench's servers are on loopback."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
