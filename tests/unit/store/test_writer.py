"""The writer's socket and a worker's client: order, descriptors, bounds, peers that misbehave.

The writer runs in a thread here; killed and restarted as a process of its own it is in
`tests/faults/test_store_kill.py`.
"""

import array
import asyncio
import contextlib
import os
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from malleposte.store import PermanentFailure, Store, TemporaryFailure, embedded
from malleposte.store.batch import decode_result
from malleposte.store.client import WriterClient
from malleposte.store.commands import (
    AddJob,
    AnyCommand,
    CreateAccount,
    CreateDomain,
    PutSecret,
    RecordAudit,
)
from malleposte.store.committer import Committer
from malleposte.store.content import FRAME, in_file
from malleposte.store.errors import UnknownOutcome
from malleposte.store.fsck import check
from malleposte.store.read import emails
from malleposte.store.results import Created, Delivered, Done
from malleposte.store.writer import (
    AGAIN,
    ANSWER,
    MAX_FRAME,
    OK,
    PERMANENT,
    REQUEST,
    WITH_FD,
    Writer,
)
from support.descriptors import exhausted
from support.store import deliver, inbox


class Running:
    """A writer in a thread, on a socket in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "data"
        self.socket = folder / "writer.sock"
        self.batches: list[int] = []
        self.waited: list[float] = []
        self.failure: BaseException | None = None
        self._thread: threading.Thread | None = None
        self._writer: Writer | None = None

    def start(self) -> None:
        self.socket.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self.socket))
        listener.listen(16)
        ready = threading.Event()

        def serve() -> None:
            try:
                committer = Committer(self.folder)
                self._writer = Writer(committer, listener, observe=self._observe)
                ready.set()
                self._writer.serve()
                committer.close()
            except BaseException as error:
                self.failure = error
                raise
            finally:
                ready.set()
                listener.close()

        self._thread = threading.Thread(target=serve)
        self._thread.start()
        ready.wait(30)

    def _observe(self, commands: int, _seconds: float, waited: float) -> None:
        self.batches.append(commands)
        self.waited.append(waited)

    def stop(self) -> None:
        if self._thread is not None and self._writer is not None:
            self._writer.stop()
            self._thread.join(30)
            assert not self._thread.is_alive()
            self._thread = None


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    running = Running(tmp_path)
    running.start()
    yield running
    running.stop()
    assert running.failure is None


@pytest.fixture
async def store(running: Running) -> AsyncIterator[Store]:
    async with embedded(running.folder, running.socket) as store:
        await store.submit(CreateDomain(name="example.org"))
        yield store
        assert [f async for f in check(store.reader, store.blobs, deep=True)] == []


async def account(store: Store) -> int:
    command = CreateAccount(
        address=f"u{os.urandom(4).hex()}@example.org", name="", password_hash=""
    )
    made = await store.submit(command)
    assert isinstance(made, Created)
    return made.id


async def uids(store: Store, mailbox: int) -> list[int]:
    rows = await store.reader.rows(
        "SELECT uid FROM membership WHERE mailbox = $1 ORDER BY uid", mailbox
    )
    return [row[0] for row in rows]


# A worker ------------------------------------------------------------------------------------------


async def test_what_is_answered_is_read_at_once(store: Store) -> None:
    user = await account(store)
    for n in range(1, 4):
        answer = await store.submit(deliver(user))
        assert isinstance(answer, Delivered)
        assert await uids(store, inbox(user)) == list(range(1, n + 1))


async def test_commands_keep_their_order_and_share_transactions(
    store: Store, running: Running
) -> None:
    user = await account(store)
    running.batches.clear()
    answers = await asyncio.gather(*(store.submit(deliver(user)) for _ in range(200)))
    assert [a.filed[0].uid for a in answers if isinstance(a, Delivered)] == list(range(1, 201))
    # The writer counts after it has answered; the account's own commands may be counted late too.
    until = time.monotonic() + 10
    while sum(running.batches) < 200 and time.monotonic() < until:
        await asyncio.sleep(0.01)
    assert sum(running.batches) >= 200
    assert len(running.batches) < 50


async def test_how_long_a_command_waited_for_its_batch(
    store: Store, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also what it waited in the socket, while the writer was at the batch before."""
    begun, go_on = threading.Event(), threading.Event()
    apply = Committer.apply

    def slow(self: Committer, *arguments: Any) -> Any:
        begun.set()
        assert go_on.wait(30)
        return apply(self, *arguments)

    running.waited.clear()
    monkeypatch.setattr(Committer, "apply", slow)
    first = asyncio.create_task(store.submit(audit(1)))
    await asyncio.to_thread(begun.wait)
    second = asyncio.create_task(store.submit(audit(2)))
    await asyncio.sleep(0.3)
    go_on.set()
    await asyncio.gather(first, second)
    until = time.monotonic() + 10
    while len(running.waited) < 2 and time.monotonic() < until:
        await asyncio.sleep(0.01)
    # The domain's own may be counted late too.
    assert running.waited[-1] > 0.25
    assert all(waited >= 0 for waited in running.waited)


async def test_failures_come_as_what_they_are(store: Store) -> None:
    user = await account(store)
    for number in (1 << 63, 1 << 80):  # too large for the database, for a command
        bad = AddJob(kind="k", key="k", payload=b"", run_at=number)
        good, failed, after = await asyncio.gather(
            store.submit(deliver(user)),
            store.submit(bad),
            store.submit(deliver(user)),
            return_exceptions=True,
        )
        assert isinstance(good, Delivered)
        assert isinstance(failed, PermanentFailure)
        assert isinstance(after, Delivered)


async def test_descriptors_go_with_their_commands(store: Store) -> None:
    """Large and small content in one stream of commands, all at once."""
    user = await account(store)
    datas = [os.urandom(FRAME + 1 + n) if n % 3 else b"small %d" % n for n in range(24)]

    async def send(data: bytes) -> int:
        if len(data) <= FRAME:
            answer = await store.submit(deliver(user, data=data))
        else:
            what, descriptor = in_file(memoryview(data), store.blobs)
            try:
                answer = await store.submit(deliver(user, what=what), descriptor)
            finally:
                os.close(descriptor)
        assert isinstance(answer, Delivered)
        return answer.filed[0].email

    before = len(os.listdir("/proc/self/fd"))
    found = await asyncio.gather(*(send(data) for data in datas))
    assert len(os.listdir("/proc/self/fd")) <= before + 1, "no descriptor is left open"
    for email, data in zip(found, datas, strict=True):
        stored = await emails.stored_by_id(store.reader, email)
        assert stored is not None
        pieces = emails.read(store.reader, store.blobs, stored, 0, stored.size)
        assert b"".join([piece async for piece in pieces]) == data


async def test_a_command_that_is_too_large_stops_nobody(store: Store) -> None:
    user = await account(store)
    large = PutSecret(name="n", sealed=bytes(MAX_FRAME), key_id="k")
    answers = await asyncio.gather(
        store.submit(large), store.submit(deliver(user)), return_exceptions=True
    )
    assert isinstance(answers[0], PermanentFailure)
    assert isinstance(answers[1], Delivered)
    fits = PutSecret(name="n", sealed=bytes(MAX_FRAME - 100), key_id="k")
    assert isinstance(await store.submit(fits), Done)


async def test_answered_results_are_not_kept(store: Store) -> None:
    user = await account(store)
    for _ in range(15):
        await asyncio.gather(*(store.submit(deliver(user)) for _ in range(100)))
    row = await store.reader.row("SELECT count(*) FROM command_result")
    assert row is not None
    assert row[0] < 1_300


async def test_two_workers(store: Store, running: Running) -> None:
    user = await account(store)
    async with embedded(running.folder, running.socket) as other:
        await asyncio.gather(*(s.submit(deliver(user)) for _ in range(20) for s in (store, other)))
        assert await uids(other, inbox(user)) == list(range(1, 41))


# The writer goes and comes --------------------------------------------------------------------------


async def test_a_client_waits_for_its_writer(tmp_path: Path) -> None:
    running = Running(tmp_path)
    client = WriterClient(running.socket)
    task = asyncio.create_task(client.submit(CreateDomain(name="example.org")))
    await asyncio.sleep(0.05)
    assert not task.done()
    running.start()
    assert isinstance(await asyncio.wait_for(task, 10), Created)
    await client.close()
    running.stop()


async def test_commands_outlive_a_restart_and_run_once(running: Running, store: Store) -> None:
    user = await account(store)
    tasks = []
    for round_ in range(4):
        tasks += [asyncio.create_task(store.submit(deliver(user))) for _ in range(50)]
        await asyncio.sleep(0.002 * round_)
        await asyncio.to_thread(running.stop)
        tasks += [asyncio.create_task(store.submit(deliver(user))) for _ in range(50)]
        await asyncio.sleep(0.002)
        running.start()
    answers = await asyncio.gather(*tasks)
    given = sorted(a.filed[0].uid for a in answers if isinstance(a, Delivered))
    assert given == list(range(1, 401))
    assert await uids(store, inbox(user)) == given


async def test_patience_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("malleposte.store.client.PATIENCE", 0.05)
    client = WriterClient(tmp_path / "nobody.sock")
    with pytest.raises(UnknownOutcome):
        await client.submit(CreateDomain(name="example.org"))
    assert client.waiting == 0
    await client.close()


async def test_closing_fails_what_is_under_way(tmp_path: Path) -> None:
    client = WriterClient(tmp_path / "nobody.sock")
    task = asyncio.create_task(client.submit(CreateDomain(name="example.org")))
    await asyncio.sleep(0.02)
    await client.close()
    with pytest.raises(UnknownOutcome):
        await task
    with pytest.raises(TemporaryFailure):
        await client.submit(CreateDomain(name="example.org"))


# A writer that stands still --------------------------------------------------------------------------


class Still:
    """A socket like the writer's that reads only when it is told to, and answers ``Done``."""

    def __init__(self, path: Path) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(4)
        self.peer: socket.socket | None = None

    async def accept(self) -> None:
        loop = asyncio.get_running_loop()
        self._listener.setblocking(False)
        self.peer, _ = await loop.sock_accept(self._listener)
        self.peer.setblocking(False)

    async def read(self, count: int) -> list[tuple[int, AnyCommand, bytes | None]]:
        """That many commands: (seq, command, content of the descriptor)."""
        assert self.peer is not None
        buffer = b""
        files: list[bytes] = []
        found: list[tuple[int, AnyCommand, bytes | None]] = []
        while len(found) < count:
            try:
                data, descriptors, _, _ = socket.recv_fds(self.peer, 1 << 20, 16)
            except BlockingIOError:
                await asyncio.sleep(0.001)
                continue
            assert data, "hung up"
            buffer += data
            for descriptor in descriptors:
                files.append(os.pread(descriptor, 1 << 20, 0))
                os.close(descriptor)
            while len(buffer) >= REQUEST.size:
                length, _, seq, _, flags, _ = REQUEST.unpack_from(buffer)
                if len(buffer) < REQUEST.size + length:
                    break
                body = buffer[REQUEST.size : REQUEST.size + length]
                buffer = buffer[REQUEST.size + length :]
                command = msgspec.msgpack.decode(body, type=AnyCommand)
                found.append((seq, command, files.pop(0) if flags & WITH_FD else None))
        return found

    async def answer(self, *seqs: int) -> None:
        assert self.peer is not None
        body = msgspec.msgpack.encode(Done())
        frames = b"".join(ANSWER.pack(len(body), seq, OK) + body for seq in seqs)
        await asyncio.get_running_loop().sock_sendall(self.peer, frames)

    def close(self) -> None:
        self._listener.close()
        if self.peer is not None:
            self.peer.close()


@pytest.fixture
async def still(tmp_path: Path) -> AsyncIterator[tuple[Still, WriterClient]]:
    writer = Still(tmp_path / "still.sock")
    client = WriterClient(tmp_path / "still.sock")
    yield writer, client
    await client.close()
    writer.close()


def audit(n: int, octets: int = 10) -> RecordAudit:
    return RecordAudit(actor=str(n), operation="o", target="x" * octets, outcome="done")


async def test_what_waits_is_bounded(
    still: tuple[Still, WriterClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Past the bound, submitting itself waits: back-pressure up to the socket."""
    writer, client = still
    client._room._commands = 3
    tasks = [asyncio.create_task(client.submit(audit(n))) for n in range(10)]
    await writer.accept()
    for start in range(0, 9, 3):
        found = await writer.read(3)
        await asyncio.sleep(0.01)
        assert client.waiting == 3
        assert [c.actor for _, c, _ in found if isinstance(c, RecordAudit)] == [
            str(start + n) for n in range(3)
        ]
        await writer.answer(*(seq for seq, _, _ in found))
    ((last, _, _),) = await writer.read(1)
    await writer.answer(last)
    await asyncio.gather(*tasks)
    assert client.waiting == 0


async def test_a_caller_that_gave_up_gives_no_one_elses_file(
    still: tuple[Still, WriterClient], tmp_path: Path
) -> None:
    """Its descriptor is closed and the number used again while its command still waits to be sent."""
    writer, client = still
    # Fills the socket's buffer, so that what follows stays in the queue.
    flood = [asyncio.create_task(client.submit(audit(n, 200_000))) for n in range(20)]
    await writer.accept()
    await asyncio.sleep(0.05)

    def file(text: bytes) -> int:
        path = tmp_path / text.decode()
        path.write_bytes(text)
        return os.open(path, os.O_RDONLY)

    mine = file(b"mine")
    given_up = asyncio.create_task(client.submit(audit(100), mine))
    await asyncio.sleep(0.01)
    given_up.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await given_up
    os.close(mine)
    theirs = [file(b"theirs%d" % n) for n in range(8)]
    assert mine in theirs, "the number was not used again: the test shows nothing"
    other = asyncio.create_task(client.submit(audit(101), theirs[0]))
    found = await writer.read(22)
    with_file = {c.actor: got for _, c, got in found if isinstance(c, RecordAudit) and got}
    assert with_file == {"100": b"mine", "101": b"theirs0"}
    await writer.answer(*(seq for seq, _, _ in found))
    await asyncio.gather(*flood, other)
    for descriptor in theirs:
        os.close(descriptor)


async def test_a_lost_connection_means_sending_again_marked(
    still: tuple[Still, WriterClient], tmp_path: Path
) -> None:
    writer, client = still
    what = tmp_path / "file"
    what.write_bytes(b"content")
    descriptor = os.open(what, os.O_RDONLY)
    tasks = [
        asyncio.create_task(client.submit(audit(1))),
        asyncio.create_task(client.submit(audit(2), descriptor)),
        asyncio.create_task(client.submit(audit(3))),
    ]
    await writer.accept()
    first = await writer.read(3)
    await writer.answer(first[0][0])
    await tasks[0]
    os.close(descriptor)
    assert writer.peer is not None
    writer.peer.close()
    await writer.accept()
    peer = writer.peer
    head = await asyncio.get_running_loop().sock_recv(peer, 1)  # its first octet says enough
    assert head
    again = b""
    while len(again) < REQUEST.size - 1:
        again += await asyncio.get_running_loop().sock_recv(peer, REQUEST.size - 1 - len(again))
    _, _, seq, acked, flags, _ = REQUEST.unpack(head + again)
    assert (seq, acked) == (first[1][0], first[0][0])
    assert flags == AGAIN | WITH_FD
    await writer.answer(first[1][0], first[2][0])
    await asyncio.gather(*tasks)


@pytest.mark.parametrize("free", [0, 1])
async def test_no_free_descriptor_is_told_and_leaves_nothing_behind(
    still: tuple[Still, WriterClient], tmp_path: Path, free: int
) -> None:
    """A command that was never sent stood among those to be answered for ever, and no result of the
    writer was forgotten any more."""
    writer, client = still
    task = asyncio.create_task(client.submit(audit(1)))
    await writer.accept()
    ((seq, _, _),) = await writer.read(1)
    await writer.answer(seq)
    await task
    path = tmp_path / "file"
    path.write_bytes(b"content")
    descriptor = os.open(path, os.O_RDONLY)
    before = len(os.listdir("/proc/self/fd"))
    with exhausted(free), pytest.raises(TemporaryFailure, match="Too many open files"):
        await client.submit(audit(2), descriptor)
    assert client.waiting == 0
    assert client._room.inside == 0
    assert len(os.listdir("/proc/self/fd")) == before
    task = asyncio.create_task(client.submit(audit(3), descriptor))
    ((seq, command, got),) = await writer.read(1)
    assert (command, got) == (audit(3), b"content")
    await writer.answer(seq)
    await task
    assert client._acked == client._seq
    os.close(descriptor)


@pytest.mark.parametrize("free", [0, 1])
async def test_a_connection_is_made_again_when_there_are_descriptors_again(
    still: tuple[Still, WriterClient], tmp_path: Path, free: int
) -> None:
    """With one free the connection has it, and what should go with a command cannot be sent: its outcome
    is unknown. The others are sent again."""
    writer, client = still
    path = tmp_path / "file"
    path.write_bytes(b"content")
    descriptor = os.open(path, os.O_RDONLY)
    with_file = asyncio.create_task(client.submit(audit(1), descriptor))
    without = asyncio.create_task(client.submit(audit(2)))
    await writer.accept()
    await writer.read(2)
    with exhausted():
        client._lost()  # which frees one
        taken = [os.open("/dev/null", os.O_RDONLY) for _ in range(1 - free)]
        await asyncio.sleep(0.05)
        if free:
            with pytest.raises(UnknownOutcome, match="Too many open files"):
                await with_file
        assert not without.done()
    assert writer.peer is not None
    writer.peer.close()
    await writer.accept()
    found = await writer.read(1 if free else 2)
    await writer.answer(*(seq for seq, _, _ in found))
    await without
    if not free:
        await with_file
    for number in (descriptor, *taken):
        os.close(number)


# Peers that misbehave --------------------------------------------------------------------------------


class Raw:
    """A peer that writes octets of its own choice."""

    def __init__(self, path: Path) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10)
        self.sock.connect(str(path))

    def send(
        self,
        body: bytes,
        *,
        seq: int = 1,
        flags: int = 0,
        length: int | None = None,
        origin: int = 99,
    ) -> None:
        size = len(body) if length is None else length
        self.sock.sendall(REQUEST.pack(size, origin, seq, 0, flags, 0.0) + body)

    def answer(self) -> tuple[int, int, bytes]:
        """(seq, status, body); raises ``ConnectionError`` when hung up on."""
        head = self._exactly(ANSWER.size)
        length, seq, status = ANSWER.unpack(head)
        return seq, status, self._exactly(length)

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            part = self.sock.recv(count - len(data))
            if not part:
                raise ConnectionError("hung up")
            data += part
        return data


encode = msgspec.msgpack.Encoder().encode


@pytest.fixture
def raw(running: Running) -> Iterator[Raw]:
    raw = Raw(running.socket)
    yield raw
    raw.sock.close()
    # Whatever it did, others are served.
    after = Raw(running.socket)
    with contextlib.closing(after.sock):
        after.send(encode(audit(1)), origin=98)
        assert after.answer()[1] == OK


def test_one_octet_at_a_time(raw: Raw) -> None:
    octets = b""
    for seq in range(3):
        body = encode(audit(seq))
        octets += REQUEST.pack(len(body), 99, seq, 0, 0, 0.0) + body
    for at in range(len(octets)):
        raw.sock.sendall(octets[at : at + 1])
    for seq in range(3):
        answered, status, body = raw.answer()
        assert (answered, status) == (seq, OK)
        assert isinstance(decode_result(body), Done)


def test_a_moment_that_is_none_is_no_wait(raw: Raw, running: Running) -> None:
    """By a clock that is ahead, or no clock at all."""
    for seq, sent in enumerate((time.monotonic() + 1e6, float("nan"))):
        body = encode(audit(seq))
        raw.sock.sendall(REQUEST.pack(len(body), 99, seq, 0, 0, sent) + body)
        assert raw.answer()[1] == OK
    until = time.monotonic() + 10
    while len(running.waited) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    assert running.waited == [0.0, 0.0]


def test_what_is_no_command_is_said_so_at_once(raw: Raw) -> None:
    for seq, body in enumerate((b"", b"\xc1", b"\x93\x01\x02\x03", encode(["NoSuchCommand", 1]))):
        raw.send(body, seq=seq)
        answered, status, text = raw.answer()
        assert (answered, status) == (seq, PERMANENT)
        assert b"not a command" in text


def test_a_frame_past_the_bound_is_hung_up_on(raw: Raw) -> None:
    raw.send(b"", length=MAX_FRAME + 1)
    with pytest.raises(ConnectionError):
        raw.answer()


def test_a_descriptor_that_did_not_come_is_hung_up_on(raw: Raw) -> None:
    raw.send(encode(audit(1)), flags=WITH_FD)
    with pytest.raises(ConnectionError):
        raw.answer()


def test_more_descriptors_than_are_taken_are_hung_up_on(raw: Raw, tmp_path: Path) -> None:
    """Some would be lost, and then which belongs to which command is not known."""
    descriptors = [os.open(tmp_path, os.O_RDONLY) for _ in range(40)]
    body = encode(audit(1))
    frame = REQUEST.pack(len(body), 99, 1, 0, WITH_FD, 0.0) + body
    ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]
    raw.sock.sendmsg([frame], ancillary)
    for descriptor in descriptors:
        os.close(descriptor)
    with pytest.raises(ConnectionError):
        raw.answer()


def test_a_peer_that_leaves_in_the_middle(raw: Raw) -> None:
    body = encode(audit(1))
    raw.sock.sendall((REQUEST.pack(len(body), 99, 1, 0, 0, 0.0) + body)[:-3])
    raw.sock.close()


def test_a_peer_that_never_reads_its_answers(raw: Raw, running: Running) -> None:
    body = encode(audit(1, 10))
    frames = b"".join(REQUEST.pack(len(body), 99, seq, 0, 0, 0.0) + body for seq in range(2000))
    raw.sock.sendall(frames)
    raw.send(encode(audit(2)), seq=2000)
    seqs = [raw.answer()[0] for _ in range(2001)]
    assert seqs == list(range(2001))


async def test_stopping_answers_what_was_received(tmp_path: Path) -> None:
    running = Running(tmp_path)
    running.start()
    raw = Raw(running.socket)
    for seq in range(5):
        raw.send(encode(audit(seq)), seq=seq)
    assert raw.answer()[0] == 0
    await asyncio.to_thread(running.stop)
    answered = []
    with contextlib.suppress(ConnectionError):
        while True:
            answered.append(raw.answer()[0])
    raw.sock.close()
    assert answered == list(range(1, 1 + len(answered)))
    reader = Running(tmp_path)
    reader.start()
    async with embedded(reader.folder, reader.socket) as store:
        row = await store.reader.row("SELECT count(*) FROM audit")
    assert row == (1 + len(answered),)
    await asyncio.to_thread(reader.stop)
