"""The transcripts on the loop that workers run."""

from __future__ import annotations

import asyncio
from pathlib import Path

import uvloop

from malleposte.store.commands import CreateDomain
from support.store import Place
from unit.services.imapd.harness import serve
from unit.services.imapd.transcript import Player, read_cases

_FOLDER = Path(__file__).parents[3] / "transcripts" / "imap"


def test_on_uvloop(tmp_path: Path) -> None:
    async def play() -> None:
        async with Place(tmp_path / "data").open() as store:
            await store.submit(CreateDomain(name="example.org"))
            async with serve(store) as served:
                for path in sorted(_FOLDER.glob("*.txt")):
                    for case in read_cases(path):
                        await Player(served, case).play()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(play())
