"""Runs http.txt against a running web service, each in one piece and octet by octet."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.dialogues import unescape
from unit.services.web.harness import Served, serve

HOST = b"Host: mail.example.org\r\n"


@dataclass(frozen=True)
class Attack:
    name: str
    octets: bytes
    statuses: list[int]
    closed: bool
    asked: list[str]


def read_attacks() -> Iterator[Attack]:
    for line in Path(__file__).with_name("http.txt").read_text("utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        name, octets, statuses, asked = (part.strip(" ") for part in line.split(" | "))
        sent = re.sub(rb"\{(\d+)\*([^}]*)\}", lambda m: m[2] * int(m[1]), unescape(octets))
        yield Attack(
            name,
            re.sub(rb"(?<=\r\n)H(?!ost:|TTP)", lambda _: HOST, sent),
            [int(status) for status in statuses.rstrip("!").split()],
            statuses.endswith("!"),
            [path for path in asked.split() if path != "-"],
        )


ATTACKS = list(read_attacks())


@pytest.mark.parametrize("at_once", [True, False], ids=["whole", "in-octets"])
@pytest.mark.parametrize("attack", ATTACKS, ids=[attack.name for attack in ATTACKS])
async def test_it_is_refused_and_nothing_behind_it_is_read(attack: Attack, at_once: bool) -> None:
    async with serve() as served:
        statuses, closed = await outcome(served, attack.octets, at_once=at_once)
        assert (statuses, closed) == (attack.statuses, attack.closed)
        assert [request.path for request in served.echo.asked] == attack.asked
        assert served.seen.defects == []


async def outcome(served: Served, octets: bytes, *, at_once: bool) -> tuple[list[int], bool]:
    """(statuses of all responses, whether the server closed the connection)."""
    client = await served.connect()
    if at_once:
        client.send(octets)
    else:
        for at in range(len(octets)):
            client.send(octets[at : at + 1])
            if at % 64 == 0:
                await asyncio.sleep(0)
    statuses: list[int] = []
    while True:
        try:
            async with asyncio.timeout(0.5 if statuses else 20):
                answer = await client.answer()
        except TimeoutError:
            return statuses, False
        statuses.append(answer.status)
        if answer.closes:
            client.writer.write_eof()
            assert await client.ended() == b""
            return statuses, True
