"""That ``parsing`` of the conftest notices, so that all other tests here say: no read parses."""

from __future__ import annotations

import pytest

from malleposte.mime import Part, parse
from malleposte.store import opened
from support.imap_client import Lost
from support.store import Place
from unit.services.imapd.harness import served_with
from unit.services.imapd.messages import MESSAGES
from unit.services.imapd.parsing import Parsed

MESSAGE = MESSAGES["alternative"]


async def fetched(place: Place, parsing: list[str], patch: pytest.MonkeyPatch) -> None:
    """Fetch as it is, then with a structure that is parsed when it is wanted."""

    def lazy(_stored: bytes) -> tuple[Part, ...]:
        return parse(MESSAGE)

    async with served_with(place) as served:
        _, address = await served.account()
        client = await served.signed_in(address)
        await client.command(b"APPEND INBOX {%d+}\r\n%b" % (len(MESSAGE), MESSAGE))
        await client.command(b"SELECT INBOX")
        await client.command(b"FETCH 1 (BODYSTRUCTURE ENVELOPE)")
        assert parsing == []
        patch.setattr(opened, "load_structure", lazy)
        with pytest.raises(Lost):
            await client.command(b"FETCH 1 BODY.PEEK[1]")


async def test_a_fetch_that_parses_is_noticed(
    place: Place, parsing: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Parsed):
        await fetched(place, parsing, monkeypatch)
    assert len(parsing) == 1
    assert parsing.pop().startswith("Fetch parses")
