"""The transcripts of `tests/transcripts/imap`, on both databases, and fed one octet at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from malleposte.services.connection import Connection
from unit.services.imapd.harness import Served
from unit.services.imapd.transcript import Player, read_cases

_FOLDER = Path(__file__).parents[3] / "transcripts" / "imap"
_FILES = sorted(_FOLDER.glob("*.txt"))


@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.stem)
async def test_as_it_stands(path: Path, served: Served) -> None:
    for case in read_cases(path):
        await Player(served, case).play()


@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.stem)
async def test_one_octet_at_a_time(
    path: Path, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Connection._read

    async def read(self: Connection, seconds: float, stoppable: bool) -> bytes:
        data = await whole(self, seconds, stoppable)
        if len(data) > 1:
            self._inbox.insert(0, data[1:])
            self._inbox_size += len(data) - 1
        return data[:1]

    monkeypatch.setattr(Connection, "_read", read)
    for case in read_cases(path):
        await Player(served, case).play()
