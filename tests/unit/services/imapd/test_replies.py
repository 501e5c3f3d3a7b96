"""What the store or the system could not do is told by its kind, whatever its words are."""

import errno

import pytest

from malleposte.services.imapd.replies import failed
from malleposte.store import DiskFull, PermanentFailure, StoreError, TemporaryFailure
from malleposte.store.incoming import NoRoom

FULL = b"a NO [UNAVAILABLE] The server's disk is almost full; try again later\r\n"
AWAY = b"a NO [UNAVAILABLE] The store cannot answer now; try again later\r\n"


@pytest.mark.parametrize(
    ("error", "reply"),
    [
        (DiskFull("kein Platz"), FULL),
        (OSError(errno.ENOSPC, "kein Platz"), FULL),
        (TemporaryFailure("disk I/O error"), AWAY),
        (OSError(errno.EMFILE, "Too many open files"), AWAY),
        (NoRoom("Too much at once"), b"a NO [UNAVAILABLE] Too much at once\r\n"),
        (PermanentFailure("disk"), b"a NO [SERVERBUG] This went wrong in the server\r\n"),
    ],
)
def test_a_failure_is_a_reply(error: StoreError | OSError, reply: bytes) -> None:
    assert failed(b"a", error) == reply
