"""Leaving a list in one step: asked by the server, where the message says so and its domain signed that."""

from typing import Any

import pytest

from malleposte.egress.fetch import Response
from malleposte.egress.settings import EgressError
from malleposte.policy.hourly import Hourly
from malleposte.services.jmap.own import unsubscribe
from support.store import House
from unit.services.jmap.harness import Client

URL = "https://lists.example.net/leave?token=a%20b"
FIELDS = (
    b"List-Unsubscribe: <mailto:leave@lists.example.net>,\r\n <" + URL.encode() + b">\r\n"
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
)
SIGNED = (
    b"DKIM-Signature: v=1; a=rsa-sha256; d=example.net;\r\n"
    b" h=From:To:List-Unsubscribe:\r\n  List-Unsubscribe-Post; bh=x; b=y\r\n"
)
REST = b"From: news@example.net\r\nSubject: News\r\n\r\nHello\r\n"


@pytest.fixture
async def client(house: House) -> Client:
    return Client(house, await house.account("ada"))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bytes, str]]:
    """What was posted: other machines are not there in tests."""
    found: list[tuple[str, bytes, str]] = []

    async def post(url: str, body: bytes, kind: str, policy: Any) -> Response:
        found.append((url, body, kind))
        if len(found) > 1:
            raise EgressError("unreachable", "the name was not found")
        return Response(url, 202, (), b"")

    monkeypatch.setattr(unsubscribe, "post", post)
    return found


async def test_the_list_is_asked_once_and_told_nothing_else(
    client: Client, asked: list[tuple[str, bytes, str]]
) -> None:
    email = await client.put(SIGNED + FIELDS + REST)
    answer = await client.call("Email/unsubscribe", emailId=email)
    assert answer["emailId"] == email
    assert asked == [
        (URL, b"List-Unsubscribe=One-Click", "application/x-www-form-urlencoded"),
    ]
    assert await client.error("Email/unsubscribe", emailId=email) == "cannotUnsubscribe"


@pytest.mark.parametrize(
    "header",
    [
        FIELDS,
        SIGNED.replace(b":\r\n  List-Unsubscribe-Post", b"") + FIELDS,
        SIGNED + FIELDS.replace(b"One-Click", b"Two-Clicks"),
        SIGNED + FIELDS.replace(b"https:", b"http:"),
        SIGNED + FIELDS + FIELDS,
        SIGNED,
    ],
    ids=["unsigned", "half signed", "no way of one step", "in clear", "twice", "nothing"],
)
async def test_what_does_not_say_so_is_never_asked(
    client: Client, asked: list[tuple[str, bytes, str]], header: bytes
) -> None:
    email = await client.put(header + REST)
    assert await client.error("Email/unsubscribe", emailId=email) == "cannotUnsubscribe"
    assert asked == []


async def test_anothers_message_is_not_there(
    client: Client, house: House, asked: list[tuple[str, bytes, str]]
) -> None:
    eve = Client(house, await house.account("eve"))
    email = await eve.put(SIGNED + FIELDS + REST)
    assert await client.error("Email/unsubscribe", emailId=email) == "invalidArguments"
    assert asked == []


async def test_so_many_lists_are_asked_in_an_hour(
    client: Client, asked: list[tuple[str, bytes, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unsubscribe, "_asked", Hourly(1))
    email = await client.put(SIGNED + FIELDS + REST)
    await client.call("Email/unsubscribe", emailId=email)
    assert await client.error("Email/unsubscribe", emailId=email) == "rateLimit"
    assert len(asked) == 1
