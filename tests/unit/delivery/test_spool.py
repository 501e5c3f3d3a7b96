"""The spool counts what it puts on the disk, and gives it back however the message ends."""

import time
from pathlib import Path

import pytest

from malleposte.delivery.spool import IN_MEMORY, Spool, prepare
from malleposte.store.incoming import Incoming, IncomingSettings, NoRoom
from malleposte.store.reserve import Reserve

PIECE = b"x" * 100_000


@pytest.fixture
def incoming(tmp_path: Path) -> Incoming:
    incoming = Incoming(tmp_path)
    settings = IncomingSettings(total=3_000_000, per_client=1_000_000, seconds=60)
    incoming.keep(settings, Reserve(tmp_path, 0))
    return incoming


def test_what_stays_in_memory_does_not_count(incoming: Incoming) -> None:
    spools = [Spool(incoming, 7) for _ in range(20)]
    for spool in spools:
        spool.expect(IN_MEMORY)
        spool.write(b"x" * IN_MEMORY)
    assert incoming.octets == 0
    spools[0].write(b"x")
    assert incoming.octets == incoming.of(7) == IN_MEMORY + 1
    for spool in spools:
        spool.close()
    assert incoming.octets == 0


def test_a_client_s_messages_count_together(incoming: Incoming) -> None:
    one, two, other = Spool(incoming, 7), Spool(incoming, 7), Spool(incoming, 8)
    for _ in range(6):
        one.write(PIECE)
    two.expect(400_000)
    with pytest.raises(NoRoom):
        two.expect(400_001)
    for _ in range(4):
        two.write(PIECE)
    with pytest.raises(NoRoom):
        two.write(PIECE)
    other.expect(1_000_000)
    two.close()
    assert incoming.of(7) == 600_000
    one.write(PIECE)
    one.close()
    assert incoming.octets == 0
    one.close()
    assert incoming.octets == 0


def test_a_message_that_never_found_room_gives_nothing_back(incoming: Incoming) -> None:
    incoming.take(7, 900_000)
    spool = Spool(incoming, 7)
    spool.write(PIECE)
    spool.write(PIECE)
    with pytest.raises(NoRoom):
        spool.write(PIECE)
    spool.close()
    assert incoming.of(7) == 900_000


@pytest.mark.parametrize("client", [7, None])
def test_a_message_may_not_take_for_ever(
    incoming: Incoming, monkeypatch: pytest.MonkeyPatch, client: int | None
) -> None:
    """But for what the server does by itself, such as an operator's import."""
    now = time.monotonic()
    monkeypatch.setattr("malleposte.delivery.spool.time.monotonic", lambda: now)
    spool = Spool(incoming, client)
    for _ in range(5):
        spool.write(PIECE)
    now += 60
    spool.write(PIECE)
    now += 1
    if client is None:
        spool.write(PIECE)
    else:
        with pytest.raises(NoRoom, match="too long"):
            spool.write(PIECE)
    spool.close()
    assert incoming.octets == 0


async def test_what_is_prepared_counts_until_it_is_let_go(incoming: Incoming) -> None:
    spool = Spool(incoming, 7)
    spool.write(b"Subject: x\r\n\r\n")
    for _ in range(5):
        spool.write(PIECE)
    message = await prepare(spool)
    assert incoming.octets == spool.size
    message.close()
    spool.close()
    assert incoming.octets == 0


async def test_a_disk_that_has_no_room_for_the_content_as_it_is_kept(
    incoming: Incoming, tmp_path: Path
) -> None:
    """It is compressed into a file of its own."""
    spool = Spool(incoming, 7)
    for _ in range(5):
        spool.write(PIECE)
    low = Reserve(tmp_path, 1, 50)
    low.octets = low.octets + low.room() - 400_000
    incoming.keep(IncomingSettings(), low)
    with pytest.raises(NoRoom):
        await prepare(spool)
    spool.close()
