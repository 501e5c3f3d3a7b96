"""Permissions: permissive, but not across organisations or other people's things."""

import pytest

from malleposte.policy.audit import MAX_DETAIL, AuditEvent, Detail, Outcome
from malleposte.policy.entitlements import Feature, entitled
from malleposte.policy.permissions import (
    Actor,
    Operation,
    Role,
    Target,
    allowed,
)

ADD = Operation("account.add")
ANNA = Actor("anna@example.org", frozenset({Role.USER}), organisation=1, account=7)
CHIEF = Actor("chief@example.org", frozenset({Role.ADMINISTRATOR}), organisation=1, account=1)


def test_administrators_may_everything_in_their_organisation() -> None:
    assert allowed(CHIEF, ADD, Target("bert@example.org", organisation=1, account=9)).allowed
    decision = allowed(CHIEF, ADD, Target("eve@other.example", organisation=2))
    assert not decision.allowed
    assert decision.reason == "eve@other.example belongs to another organisation"


def test_what_is_no_single_organisations_is_for_who_stands_above_them() -> None:
    """The queue, the trace and lists show the mail of all of them."""
    decision = allowed(CHIEF, Operation("queue.list"), Target("this server"))
    assert not decision.allowed
    assert decision.reason == "this server is more than one organisation's"
    assert allowed(Actor.local(0), Operation("queue.list"), Target("this server")).allowed
    assert allowed(ANNA, Operation("sieve.put"), Target("anna", account=7)).allowed


def test_users_may_everything_with_their_own() -> None:
    assert allowed(ANNA, Operation("account.passwd"), Target("anna", 1, account=7)).allowed
    assert not allowed(ANNA, ADD, Target("bert", 1, account=9)).allowed
    assert not allowed(ANNA, ADD, Target("example.org", 1)).allowed


def test_the_machines_own_administrators_stand_above() -> None:
    for actor in (Actor.local(0), Actor.system()):
        assert allowed(actor, ADD, Target("any", organisation=5)).allowed
    assert Actor.local(1000).name == "local:1000"


def test_an_actor_without_account_owns_nothing() -> None:
    nobody = Actor("nobody", frozenset())
    assert not allowed(nobody, ADD, Target("all")).allowed


def test_the_answer_says_what_is_needed() -> None:
    answer = allowed(ANNA, ADD, Target("bert", 1, 9))
    assert answer.reason == "account.add on bert needs an administrator"


def test_every_feature_is_there() -> None:
    assert entitled(1, Feature("archiving"))


class TestAuditEvent:
    def test_details_are_fixed_and_bounded(self) -> None:
        details: dict[str, Detail] = {"before": "x" * 5000, "quota": 5}
        event = AuditEvent(CHIEF, ADD, Target("x"), Outcome.DONE, details)
        details["quota"] = 6
        assert event.details["quota"] == 5
        assert event.details["before"] == "x" * MAX_DETAIL + "…"
        with pytest.raises(TypeError):
            event.details["quota"] = 7  # type: ignore[index]

    @pytest.mark.parametrize("name", ["password", "new_password", "api-key", "Token"])
    def test_secrets_are_refused(self, name: str) -> None:
        with pytest.raises(ValueError, match="looks like a secret"):
            AuditEvent(CHIEF, ADD, Target("x"), Outcome.DONE, {name: "x"})

    def test_too_many_details_are_refused(self) -> None:
        with pytest.raises(ValueError, match="more than 32"):
            AuditEvent(CHIEF, ADD, Target("x"), Outcome.DONE, {str(n): n for n in range(33)})
