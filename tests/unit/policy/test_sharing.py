"""Who may give rights to anyone."""

from typing import get_args

import pytest

from malleposte.node.config import Sharing
from malleposte.policy.sharing import WhoMayGive, may_give_to_anyone
from malleposte.services.imapd.settings import ImapSettings


@pytest.mark.parametrize(
    ("who", "role", "kind", "allowed"),
    [
        ("everyone", "user", "person", True),
        ("everyone", "user", "shared", True),
        ("administrators", "user", "person", False),
        ("administrators", "administrator", "person", True),
        ("administrators", "owner", "person", True),
        ("administrators", "helpdesk", "person", False),
        ("administrators", "user", "shared", True),
        ("administrators", "user", "resource", True),
        ("nobody", "user", "person", False),
        ("nobody", "administrator", "person", False),
        ("nobody", "administrator", "shared", False),
    ],
)
def test_who_may(who: WhoMayGive, role: str, kind: str, allowed: bool) -> None:
    decision = may_give_to_anyone(who, {role}, owner_kind=kind)
    assert decision.allowed is allowed
    if not allowed:
        assert "by name" in decision.reason, "what to do instead"


def test_what_is_not_set_is_the_same_everywhere() -> None:
    assert Sharing().anyone == ImapSettings().anyone == "administrators"
    assert Sharing().anyone in get_args(WhoMayGive)
