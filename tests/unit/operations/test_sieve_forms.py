"""Forms that become Sieve, filled in by an operator: compare-and-set, whole, audited."""

import pytest

from malleposte.operations.errors import OperationError
from malleposte.operations.sieve_forms import FormPut, FormShown, PutState, SetAway, ShowForm
from malleposte.policy.permissions import Actor
from malleposte.store.commands import PutForm
from malleposte.store.read import sieve
from support.store import House
from unit.operations.desk import Desk

ADA = "ada@example.org"
RULES = (
    '{"rules":[{"id":"a","name":"Bills","conditions":[{"field":"subject","value":"bill"}],'
    '"actions":[{"does":"move","name":"Bills"}]},{"id":"b","fresh":{"x":  1}}],"theme": "dark"}'
)


@pytest.fixture
async def desk(house: House) -> Desk:
    await house.account("ada")
    return Desk(house.store, Actor.local(1000))


async def test_filters_are_kept_and_become_a_script(desk: Desk) -> None:
    put = PutState(address=ADA, kind="filters", state=RULES, version=0)
    done = await desk.call("form.put", put, FormPut)
    assert done.runs
    shown = await desk.call("form.show", ShowForm(address=ADA, kind="filters"), FormShown)
    assert shown.version == done.version
    assert 'fileinto "Bills";' in shown.script
    assert '{"id":"b","fresh":{"x":  1}}' in shown.state
    assert '"theme":"dark"' in shown.state


async def test_whoever_saves_what_was_changed_meanwhile_is_refused(desk: Desk) -> None:
    put = PutState(address=ADA, kind="filters", state=RULES, version=0)
    await desk.call("form.put", put, FormPut)
    with pytest.raises(OperationError) as error:
        await desk.call("form.put", put, FormPut)
    assert error.value.reason == "changed"


async def test_what_a_newer_program_brings_along_must_be_in_order(desk: Desk) -> None:
    state = '{"rules":[{"id":"a","fresh":1,"sieve":"filein \\"x\\";"}]}'
    with pytest.raises(OperationError, match="not in order"):
        await desk.call("form.put", PutState(address=ADA, kind="filters", state=state), FormPut)


async def test_a_reply_is_set_on_top_of_what_somebody_saves_meanwhile(
    house: House, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await house.value("SELECT id FROM account WHERE address = $1", ADA)
    first = PutState(address=ADA, kind="vacation", state='{"text":"Hello"}')
    await desk.call("form.put", first, FormPut)
    read, times = sieve.form, 0

    async def raced(*how: object) -> object:
        nonlocal times
        found = await read(*how)  # type: ignore[arg-type]
        times += 1
        if times == 1:
            state = b'{"text":"Hello","days":9,"new": 1}'
            await house.store.submit(PutForm(account=account, kind="vacation", state=state))
        return found

    monkeypatch.setattr(sieve, "form", raced)
    away = SetAway(address=ADA, on=True, title="Away")
    assert (await desk.call("form.away", away, FormPut)).runs
    kept = await read(house.store.reader, account, "vacation")
    assert kept is not None
    assert b'"days":9' in kept.state
    assert b'"subject":"Away"' in kept.state
    assert b'"new":1' in kept.state


async def test_a_reply_without_a_text_is_refused(desk: Desk) -> None:
    with pytest.raises(OperationError, match="no text"):
        await desk.call("form.away", SetAway(address=ADA, on=True), FormPut)


async def test_who_changes_a_form_stands_in_the_audit(house: House, desk: Desk) -> None:
    put = PutState(address=ADA, kind="filters", state=RULES)
    await desk.call("form.put", put, FormPut)
    rows = await house.rows("SELECT operation FROM audit ORDER BY id")
    assert rows[-1][0] == "form.put"
