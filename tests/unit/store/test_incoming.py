"""What comes in is counted: by client, all together, and beside the reserve of the disk."""

from pathlib import Path

import pytest

from malleposte.store.incoming import ANYBODY, LOOK_OCTETS, Incoming, IncomingSettings, NoRoom
from malleposte.store.reserve import Reserve

MB = 1_000_000
SETTINGS = IncomingSettings(total=100 * MB, per_client=10 * MB)


class Disk(Reserve):
    """A disk of which a test says how much is free above the reserve."""

    def __init__(self, free: int) -> None:
        self.octets = 1
        self.free = free
        self.looks = 0

    def room(self) -> int:
        self.looks += 1
        return self.free


def bounded(free: int = 1000 * MB, settings: IncomingSettings = SETTINGS) -> tuple[Incoming, Disk]:
    incoming, disk = Incoming(Path("/nowhere")), Disk(free)
    incoming.keep(settings, disk)
    return incoming, disk


def taken(incoming: Incoming, client: object, most: int = 10_000) -> int:
    """How many MB a client can bring."""
    for count in range(most):
        try:
            incoming.take(client, MB)
        except NoRoom:
            return count
    return most


def test_a_client_has_a_bound_and_others_their_own() -> None:
    incoming, _ = bounded()
    assert taken(incoming, "192.0.2.1") == 10
    assert taken(incoming, 7) == 10
    assert incoming.octets == 20 * MB
    incoming.give_back("192.0.2.1", 3 * MB)
    assert taken(incoming, "192.0.2.1") == 3


def test_all_together_have_a_bound() -> None:
    incoming, _ = bounded()
    assert sum(taken(incoming, client) for client in range(1, 50)) == 100
    with pytest.raises(NoRoom) as refused:
        incoming.ask(99, 1)
    assert not refused.value.full
    # What needs no file does not count, and the server's own work has the reserve alone above it.
    incoming.ask(99, 0)
    incoming.take(None, MB)


def test_who_brings_everybody_s_mail_is_bounded_with_all_others_only() -> None:
    incoming, _ = bounded()
    assert taken(incoming, ANYBODY) == 100


def test_the_reserve_is_left_alone_by_everybody() -> None:
    incoming, disk = bounded(-1)
    for client in (7, "192.0.2.1", ANYBODY, None):
        with pytest.raises(NoRoom) as refused:
            incoming.ask(client, 0)
        assert refused.value.full
    disk.free = 0
    incoming.keep(SETTINGS, disk)
    incoming.ask(7, 0)
    with pytest.raises(NoRoom):
        incoming.ask(None, 1)


def test_what_others_hold_leaves_half_of_the_room() -> None:
    """So that mail that fits in memory goes on while somebody holds as much as he can."""
    incoming, disk = bounded(40 * MB)
    free = disk.free
    for count in range(20):
        incoming.take(count // 5, MB)
        disk.free = free - incoming.octets
        incoming.keep(SETTINGS, disk)
    with pytest.raises(NoRoom) as refused:
        incoming.take(9, MB)
    assert refused.value.full
    incoming.ask(77, 0)
    incoming.take(None, 20 * MB)


def test_the_disk_is_looked_at_again_as_it_fills(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("malleposte.store.incoming.time.monotonic", lambda: now)
    incoming, disk = bounded(settings=IncomingSettings())
    for _ in range(40):
        incoming.take(7, LOOK_OCTETS // 4)
    assert disk.looks == 10
    incoming.ask(7, 1)
    looks = disk.looks
    incoming.ask(7, 1)
    assert disk.looks == looks
    now += 1.0
    incoming.ask(7, 1)
    assert disk.looks == looks + 1


def test_between_two_looks_what_was_written_counts() -> None:
    incoming, _ = bounded(3 * MB)
    incoming.take(None, 2 * MB)
    with pytest.raises(NoRoom):
        incoming.take(None, 2 * MB)


def test_clients_that_brought_all_they_had_take_no_memory() -> None:
    incoming, _ = bounded()
    for client in range(1000):
        incoming.take(client, 5)
        incoming.give_back(client, 5)
    assert (incoming.octets, incoming._clients) == (0, {})
    incoming.give_back(5, 0)
    assert incoming._clients == {}


def test_without_a_reserve_only_the_counts_are_bounds() -> None:
    incoming = Incoming(Path("/nowhere"))
    incoming.keep(SETTINGS, Reserve(Path("/"), 0))
    assert taken(incoming, 7) == 10
    assert taken(incoming, None, 200) == 200


def test_the_reserve_of_a_real_disk(tmp_path: Path) -> None:
    incoming = Incoming(tmp_path)
    incoming.keep(SETTINGS, Reserve(tmp_path, 1, 50))
    incoming.take(7, MB)
    low = Reserve(tmp_path, 1, 50)
    low.octets = 1 << 60
    incoming.keep(SETTINGS, low)
    with pytest.raises(NoRoom):
        incoming.ask(7, 0)
