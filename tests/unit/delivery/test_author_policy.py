"""What an author's domain asks of other servers: found by DMARC's walk, in bounded time, remembered."""

import asyncio
from collections import Counter

import pytest

from malleposte.delivery.author_policy import LOOKUPS, AuthorPolicies
from malleposte.delivery.outbound.resolver import LookupFailed
from malleposte.delivery.signing.lookup import Answer


class Names:
    """TXT records by name; a name may fail, or never answer."""

    def __init__(self, **records: str | tuple[str, ...]) -> None:
        self.records = {name.replace("_", "."): value for name, value in records.items()}
        self.broken: set[str] = set()
        self.silent: set[str] = set()
        self.asked: Counter[str] = Counter()

    async def find(self, name: str, kind: str) -> Answer:
        assert kind == "TXT"
        assert name.startswith("_dmarc.")
        name = name.removeprefix("_dmarc.")
        self.asked[name] += 1
        if name in self.silent:
            await asyncio.sleep(60)
        if name in self.broken:
            raise LookupFailed("SERVFAIL")
        found = self.records.get(name, ())
        return Answer((found,) if isinstance(found, str) else found, 300.0)


@pytest.mark.parametrize(
    ("records", "strict"),
    [
        ({}, False),
        ({"a_example": "v=DMARC1; p=none"}, False),
        ({"a_example": "v=DMARC1; p=quarantine"}, True),
        ({"a_example": "v=DMARC1;p=Reject ;rua=mailto:x@y"}, True),
        ({"a_example": "V = DMARC1; p=reject"}, True),
        ({"a_example": "v=spf1 -all"}, False),
        ({"a_example": "p=reject; v=DMARC1"}, False),
        ({"a_example": ("v=DMARC1; p=reject", "v=DMARC1; p=none")}, False),
        ({"a_example": ("some text", "v=DMARC1; p=reject")}, True),
        ({"a_example": "v=DMARC1; p=quarantine; t=y"}, False),
        ({"a_example": "v=DMARC1; p=reject; t=y"}, True),
        ({"example": "v=DMARC1; p=reject"}, True),
        ({"example": "v=DMARC1; p=reject; sp=none"}, False),
        ({"example": "v=DMARC1; p=none; sp=reject"}, True),
    ],
)
async def test_a_record_says_it(records: dict[str, str], strict: bool) -> None:
    assert await AuthorPolicies(Names(**records)).strict("A.Example.") is strict


@pytest.mark.parametrize(
    ("records", "strict"),
    [
        # The organisation's domain is the uppermost that has a record, not the nearest.
        ({"b_c_example": "v=DMARC1; p=none", "c_example": "v=DMARC1; p=reject"}, True),
        # It says that it is one, or that what is below it are others'.
        ({"b_c_example": "v=DMARC1; p=none; psd=n", "c_example": "v=DMARC1; p=reject"}, False),
        ({"c_example": "v=DMARC1; p=none", "example": "v=DMARC1; p=reject; psd=y"}, False),
        ({"example": "v=DMARC1; p=reject; psd=y"}, True),
    ],
)
async def test_the_organisation_of_a_domain(records: dict[str, str], strict: bool) -> None:
    assert await AuthorPolicies(Names(**records)).strict("a.b.c.example") is strict


async def test_a_long_name_costs_few_questions() -> None:
    names = Names()
    assert not await AuthorPolicies(names).strict(".".join("abcdefghijklmnopqrst"))
    assert len(names.asked) == LOOKUPS
    assert set(names.asked) >= {".".join("abcdefghijklmnopqrst"), "s.t", "t"}


async def test_a_dns_that_fails_or_is_silent_counts_as_strict_for_a_minute() -> None:
    now = 0.0
    names = Names(a_example="v=DMARC1; p=none", b_example="v=DMARC1; p=none")
    policies = AuthorPolicies(names, seconds=0.05, clock=lambda: now)
    names.broken.add("a.example")
    names.silent.add("b.example")
    assert await policies.strict("a.example")
    assert await policies.strict("b.example")
    names.broken.clear()
    names.silent.clear()
    assert await policies.strict("a.example")
    now = 61.0
    assert not await policies.strict("a.example")
    assert not await policies.strict("b.example")


async def test_an_answer_is_remembered() -> None:
    now = 0.0
    names = Names(a_example="v=DMARC1; p=reject")
    policies = AuthorPolicies(names, clock=lambda: now)
    for _ in range(5):
        assert await policies.strict("a.example")
    assert names.asked["a.example"] == 1
    names.records["a.example"] = "v=DMARC1; p=none"
    now = 301.0
    assert not await policies.strict("a.example")


async def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("malleposte.delivery.author_policy.MOST", 3)
    names = Names()
    policies = AuthorPolicies(names)
    for n in range(10):
        await policies.strict(f"d{n}.example")
    await policies.strict("d9.example")
    assert names.asked["d9.example"] == 1
    await policies.strict("d0.example")
    assert names.asked["d0.example"] == 2
