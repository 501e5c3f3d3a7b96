"""The writer process: the only one with a read-write connection on a node (SQLite).

It listens on a Unix socket; each worker holds one connection. A frame is ``length u32, origin u64,
seq u64, acked u64, flags u8, sent f64`` and the command in msgpack; flag 1: sent again, flag 2: a
descriptor came with it; ``sent``: by the monotonic clock, which the processes of a machine share. An
answer is ``length u32, seq u64, status u8`` and the result, or the text of a failure. Everything that
waits is one transaction (``Committer``); there is no waiting for more.
"""

import contextlib
import os
import selectors
import socket
import struct
import time
from array import array
from collections import deque
from collections.abc import Callable

import msgspec

from malleposte.store.batch import Submission
from malleposte.store.commands import AnyCommand
from malleposte.store.committer import Committer
from malleposte.store.errors import DiskFull, TemporaryFailure

REQUEST = struct.Struct(">IQQQBd")
ANSWER = struct.Struct(">IQB")
AGAIN, WITH_FD = 1, 2
OK, TEMPORARY, PERMANENT, DISK_FULL = 0, 1, 2, 3

MAX_FRAME = 4 * 1024 * 1024
"""Octets of one command: a frame of content, the rendered columns and room; nothing larger is sent."""
MAX_BATCH = 512
"""Commands in a transaction: past some 128 the flush is paid off (design, §3), memory is not."""
_RECEIVE = 1 << 18
"""Octets taken from a worker at a time."""
_DESCRIPTOR = array("i").itemsize
_DESCRIPTORS = socket.CMSG_LEN(16 * _DESCRIPTOR)
"""Room for what goes with them: 16 descriptors."""
_CUT = int(socket.MSG_CTRUNC)  # as a plain number: flags of an enum cost more than the call

_decode = msgspec.msgpack.Decoder(AnyCommand).decode


class _Peer:
    """One worker's connection."""

    __slots__ = ("acked", "buffer", "descriptors", "origin", "out", "purged", "sock", "watched")

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.buffer = bytearray()
        self.out = bytearray()
        self.descriptors: deque[int] = deque()
        self.origin = 0
        self.acked = 0
        self.purged = 0
        self.watched = selectors.EVENT_READ
        """What the selector looks for."""

    def close(self) -> None:
        self.sock.close()
        while self.descriptors:
            os.close(self.descriptors.popleft())


class Writer:
    """Serves workers until told to stop.

    ``observe(commands, seconds, waited)`` is told of each batch: how many, how long it took, and how long
    the command that came first had waited for its beginning since its worker sent it.
    """

    def __init__(
        self,
        committer: Committer,
        listener: socket.socket,
        *,
        observe: Callable[[int, float, float], None] | None = None,
    ) -> None:
        self._committer = committer
        self._listener = listener
        self._observe = observe
        self._peers: set[_Peer] = set()
        self._waiting: deque[tuple[_Peer, Submission, float]] = deque()
        self._arrived = memoryview(bytearray(_RECEIVE))
        self._selector = selectors.DefaultSelector()
        listener.setblocking(False)
        self._selector.register(listener, selectors.EVENT_READ, None)
        self._stop_reader, self._stop_writer = os.pipe()
        os.set_blocking(self._stop_writer, False)
        self._selector.register(self._stop_reader, selectors.EVENT_READ, "stop")
        self._stopping = False

    def stop(self) -> None:
        """End after what has been received; safe in a signal handler."""
        os.write(self._stop_writer, b"x")

    def serve(self) -> None:
        """Run until ``stop``. Raises ``CommitFailed`` when nothing may be tried any more."""
        while not self._stopping:
            came = self._receive(0.0 if self._waiting else 1.0)
            if self._waiting:
                self._commit()
            self._committer.rest(idle=not came)
        while self._waiting:
            self._commit()
        for peer in list(self._peers):
            peer.sock.setblocking(True)
            peer.sock.settimeout(2)
            with contextlib.suppress(OSError):
                peer.sock.sendall(peer.out)
            self._drop(peer)
        self._selector.close()

    def _receive(self, timeout: float) -> bool:
        """Take what comes within a time; whether anything did."""
        events = self._selector.select(timeout)
        for key, mask in events:
            if key.data is None:
                self._accept()
            elif key.data == "stop":
                self._stopping = True
            else:
                self._serve_peer(key.data, mask)
        return bool(events)

    def _accept(self) -> None:
        try:
            sock, _ = self._listener.accept()
        except OSError:
            # Nobody there any more, or no descriptor free: whoever waits is served later.
            return
        sock.setblocking(False)
        peer = _Peer(sock)
        self._peers.add(peer)
        self._selector.register(sock, peer.watched, peer)

    def _drop(self, peer: _Peer) -> None:
        if peer in self._peers:
            self._peers.discard(peer)
            self._selector.unregister(peer.sock)
            peer.close()

    def _serve_peer(self, peer: _Peer, mask: int) -> None:
        if mask & selectors.EVENT_WRITE:
            self._send(peer)
        if not mask & selectors.EVENT_READ or peer not in self._peers:
            return
        try:
            size, beside, told, _ = peer.sock.recvmsg_into([self._arrived], _DESCRIPTORS)
        except BlockingIOError:
            return
        except OSError:
            self._drop(peer)
            return
        for level, kind, octets in beside:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                whole = len(octets) - len(octets) % _DESCRIPTOR
                peer.descriptors.extend(array("i", octets[:whole]))
        if not size or told & _CUT:
            # Gone; or a descriptor was lost on the way (none free here): the worker sends all again,
            # for which descriptor belongs to which command is not known any more.
            self._drop(peer)
            return
        peer.buffer += self._arrived[:size]
        self._take_frames(peer)

    def _take_frames(self, peer: _Peer) -> None:
        buffer, at = peer.buffer, 0
        head = REQUEST.size
        while len(buffer) - at >= head:
            length, origin, seq, acked, flags, sent = REQUEST.unpack_from(buffer, at)
            if length > MAX_FRAME:
                self._drop(peer)
                return
            if len(buffer) - at < head + length:
                break
            body = bytes(memoryview(buffer)[at + head : at + head + length])
            at += head + length
            descriptor = None
            if flags & WITH_FD:
                if not peer.descriptors:
                    self._drop(peer)
                    return
                descriptor = peer.descriptors.popleft()
            peer.origin, peer.acked = origin, max(peer.acked, acked)
            try:
                command = _decode(body)
            except msgspec.MsgspecError as error:
                if descriptor is not None:
                    os.close(descriptor)
                self._answer(peer, seq, PERMANENT, f"not a command: {error}".encode())
                continue
            self._waiting.append(
                (peer, Submission(origin, seq, command, bool(flags & AGAIN), descriptor), sent)
            )
        del buffer[:at]
        if peer.out:
            self._send(peer)

    def _commit(self) -> None:
        batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), MAX_BATCH))]
        started = time.monotonic()
        waited = max(0.0, started - batch[0][2])
        acked = {}
        for peer, _, _ in batch:
            # Results nobody will ask for again go in steps, not one by one.
            if peer.acked - peer.purged >= 1_000:
                acked[peer.origin] = peer.purged = peer.acked
        answers = self._committer.apply([s for _, s, _ in batch], acked)
        taken = time.monotonic() - started
        for (peer, submission, _), answer in zip(batch, answers, strict=True):
            if submission.fd is not None:
                os.close(submission.fd)
            if isinstance(answer, bytes):
                self._answer(peer, submission.seq, OK, answer)
            else:
                status = TEMPORARY if isinstance(answer, TemporaryFailure) else PERMANENT
                if isinstance(answer, DiskFull):
                    status = DISK_FULL
                self._answer(peer, submission.seq, status, str(answer).encode())
        for peer in {peer for peer, _, _ in batch}:
            self._send(peer)
        if self._observe is not None:
            self._observe(len(batch), taken, waited)

    def _answer(self, peer: _Peer, seq: int, status: int, body: bytes) -> None:
        peer.out += ANSWER.pack(len(body), seq, status)
        peer.out += body

    def _send(self, peer: _Peer) -> None:
        if peer not in self._peers:
            return
        try:
            sent = peer.sock.send(peer.out)
            del peer.out[:sent]
        except BlockingIOError:
            pass
        except OSError:
            self._drop(peer)
            return
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if peer.out else 0)
        if events != peer.watched:
            peer.watched = events
            self._selector.modify(peer.sock, events, peer)
