"""What ``doctor`` says of signing: which domains' mail leaves unsigned, and why."""

from collections.abc import Mapping

import pytest

from malleposte.cli.doctor import signing
from malleposte.cli.doctor.check import Check
from malleposte.operations.dkim import DkimKeys, KeyShown, ListKeys


def key(state: str, algorithm: str = "rsa-sha256") -> KeyShown:
    return KeyShown(
        selector="s",
        algorithm=algorithm,
        made=0,
        name="s._domainkey",
        record="",
        state=state,
        signs=state == "right",
    )


GOOD = (key("right"), key("right", "ed25519-sha256"))
NOT_YET = (key("missing"), key("missing", "ed25519-sha256"))
NO_RSA = (key("different"), key("right", "ed25519-sha256"))
UNASKED = (key("unasked"), key("unasked", "ed25519-sha256"))
ROTATING = (key("missing"), key("right"))


class Asked:
    """A caller that knows the keys of some domains."""

    def __init__(self, keys: Mapping[str, tuple[KeyShown, ...]], troubles: tuple[str, ...]) -> None:
        self.keys = keys
        self.troubles = troubles
        self.asked: list[str] = []

    async def call(self, name: str, request: ListKeys, response: type[DkimKeys]) -> DkimKeys:
        assert name == "domain.dkim-list"
        self.asked.append(request.domain)
        keys = self.keys[request.domain]
        return DkimKeys(domain=request.domain, keys=keys, troubles=self.troubles)


async def said(
    keys: Mapping[str, tuple[KeyShown, ...]], *troubles: str
) -> tuple[list[Check], list[str]]:
    caller = Asked(keys, troubles)
    checks = await signing.checks(caller, tuple(keys))  # type: ignore[arg-type]
    assert all(bool(one.remedy) == (one.state != "ok") for one in checks)
    return checks, caller.asked


@pytest.mark.parametrize(
    ("keys", "troubles", "state", "words"),
    [
        (GOOD, (), "ok", "mail of a.example leaves signed"),
        (ROTATING, (), "ok", "leaves signed"),
        (NOT_YET, (), "wrong", "mail of a.example leaves unsigned: no RSA key"),
        (NO_RSA, (), "wrong", "no RSA key"),
        (UNASKED, (), "warn", "could not be asked for"),
        ((), (), "warn", "there are no keys"),
        ((), ("keys x: sealed by another node key",), "wrong", "another node key"),
    ],
)
async def test_each_way_of_leaving_unsigned_is_told_apart(
    keys: tuple[KeyShown, ...], troubles: tuple[str, ...], state: str, words: str
) -> None:
    ((check,), _) = await said({"a.example": keys}, *troubles)
    assert check.state == state
    assert words in check.text


async def test_alike_ones_are_one_line_and_where_the_dns_is_silent_it_ends() -> None:
    bare = {f"d{number}.example": () for number in range(9)}
    ((check,), _) = await said(bare)
    assert "d4.example and 4 more leaves unsigned" in check.text
    checks, asked = await said({"a.example": UNASKED, "b.example": GOOD, "c.example": ()})
    assert asked == ["a.example"]
    assert "2 further domains were not looked at" in checks[0].text
    many = {f"d{number}.example": GOOD for number in range(signing.MOST + 3)}
    assert len((await said(many))[1]) == signing.MOST
    assert await said({}) == ([], [])
