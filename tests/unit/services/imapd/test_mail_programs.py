"""What mail programs say, and that each sees all messages of a filled INBOX with their flags.

`tests/transcripts/imap/clients`: sequences of commands, the answers in full.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from malleposte.services.connection import Connection
from unit.services.imapd.harness import Served
from unit.services.imapd.transcript import Case, Player, read_cases

_FOLDER = Path(__file__).parents[3] / "transcripts" / "imap" / "clients"
_PROGRAMS = {path.stem: read_cases(path) for path in sorted(_FOLDER.glob("*.txt"))}


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=f"{program}: {case.name}")
        for program, cases in _PROGRAMS.items()
        for case in cases
    ],
)
async def test_as_it_stands(case: Case, served: Served) -> None:
    await Player(served, case).play()


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
@pytest.mark.parametrize("program", _PROGRAMS)
async def test_in_small_pieces(
    program: str, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first that each says, however the network cuts it."""
    whole = Connection._read

    async def read(self: Connection, seconds: float, stoppable: bool) -> bytes:
        data = await whole(self, seconds, stoppable)
        if len(data) > 5:
            self._inbox.insert(0, data[5:])
            self._inbox_size += len(data) - 5
        return data[:5]

    monkeypatch.setattr(Connection, "_read", read)
    await Player(served, _PROGRAMS[program][0]).play()
