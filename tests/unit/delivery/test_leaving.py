"""The copies that leave: what is signed, and what of that costs."""

import pytest

from malleposte.delivery import leaving
from malleposte.delivery.leaving import Sending
from malleposte.delivery.outbound import Routing

HEADER = b"From: ada@example.org\r\n\r\n"


async def test_a_body_is_hashed_only_for_a_domain_that_has_keys(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """50 MB take a tenth of a second."""
    hashed: list[int] = []
    digest = leaving._digest

    def counted(body: bytes | memoryview) -> bytes:
        hashed.append(len(body))
        return digest(body)

    async def make(domain: str, header: bytes, body_digest: bytes, now: int) -> bytes:
        return domain.encode()

    async def concerns(domain: str) -> bool:
        return domain == "signs.example"

    monkeypatch.setattr(leaving, "_digest", counted)
    sending = Sending(Routing(), sign=make, seal=make, concerns=concerns)
    for work in (sending.signed, sending.sealed):
        assert await work("other.example", HEADER, b"body", 1) == b""
        assert hashed == []
        assert await work("signs.example", HEADER, b"body", 1) == b"signs.example"
        assert hashed.pop() == 4
