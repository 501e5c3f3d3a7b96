"""What mail programs say, and that each sees all messages of a filled INBOX with their flags.

`tests/transcripts/imap/clients`: sequences of commands, the answers in full.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from malleposte.services.connection import Connection
from unit.services.imapd.harness import Served
from unit.services.imapd.transcript import Case, Player, read_cases

_FOLDER = Path(__file__).parents[3] / "transcripts" / "imap" / "clients"
_PROGRAMS = {path.stem: read_cases(path) for path in sorted(_FOLDER.glob("*.txt"))}


def _in_pieces() -> Iterator[Any]:
    """All cases on SQLite; on PostgreSQL, which sees whole commands, the first of each program."""
    for program, cases in _PROGRAMS.items():
        for case in cases:
            yield pytest.param("sqlite", case, id=f"sqlite: {program}: {case.name}")
        yield pytest.param(
            "postgres", cases[0], id=f"postgres: {program}", marks=pytest.mark.postgres
        )


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


@pytest.mark.parametrize(("place", "case"), list(_in_pieces()), indirect=["place"])
async def test_one_octet_at_a_time(
    case: Case, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However the network cuts it."""
    whole = Connection._read

    async def read(self: Connection, seconds: float, stoppable: bool) -> bytes:
        data = await whole(self, seconds, stoppable)
        if len(data) > 1:
            self._inbox.insert(0, data[1:])
            self._inbox_size += len(data) - 1
        return data[:1]

    monkeypatch.setattr(Connection, "_read", read)
    await Player(served, case).play()
