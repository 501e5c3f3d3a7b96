"""Sieve in the store: scripts of accounts and organisations, forms, what runs remember."""

import msgspec
import pytest

from malleposte.store.commands import (
    ANSWERED,
    DUPLICATE,
    ActivateScript,
    AddJob,
    DeleteAccount,
    DeleteDomain,
    DeleteScript,
    Enclosed,
    Filing,
    FinishJob,
    Forward,
    Handing,
    LeaseJobs,
    PurgeAccount,
    PutContent,
    PutForm,
    PutScript,
    Relay,
    Remember,
    RenameScript,
    SetAccount,
    SweepRecords,
    TakeQueued,
)
from malleposte.store.execute import sieve as executors
from malleposte.store.execute.sieve import MAX_SCRIPT, MAX_SCRIPTS
from malleposte.store.read import sieve
from malleposte.store.results import Delivered, Done, Leased, Taken
from support.store import House, deliver, rendered, small

DIGEST = bytes(range(16))


async def put(
    house: House, owner: int, name: str, content: bytes = b"keep;", **more: object
) -> int:
    command = PutScript(owner=owner, name=name, content=content, **more)  # type: ignore[arg-type]
    return (await house.do(command, Done)).modseq


async def names(house: House, owner: int) -> list[tuple[str, bool]]:
    return [(s.name, s.active) for s in await sieve.scripts(house.store.reader, owner)]


async def test_a_script_is_kept_as_it_came_and_its_version_grows(house: House) -> None:
    account = await house.account()
    first = await put(house, account, "Müll", b"# 1\r\nkeep;\n")
    second = await put(house, account, "Mu\u0308ll", b"# 2\n")
    assert second > first
    found = await sieve.script(house.store.reader, account, "Müll")
    assert found == (sieve.Kept("Müll", second, False, 4, first), b"# 2\n")
    assert await sieve.versions(house.store.reader, account, 1) == (second, 0)


async def test_saving_is_compare_and_set(house: House) -> None:
    account = await house.account()
    version = await put(house, account, "a", expected=0)
    again = PutScript(owner=account, name="a", content=b"stop;", expected=0)
    assert (await house.refused(again)) == "changed"
    newer = await put(house, account, "a", b"discard;", expected=version)
    stale = PutScript(owner=account, name="a", content=b"stop;", expected=version)
    assert (await house.refused(stale)) == "changed"
    gone = DeleteScript(owner=account, name="a", expected=version)
    assert (await house.refused(gone)) == "changed"
    assert await sieve.script(house.store.reader, account, "a") == (
        sieve.Kept("a", newer, False, 8, version),
        b"discard;",
    )


async def test_one_script_is_active(house: House) -> None:
    account = await house.account()
    for name in "abc":
        await put(house, account, name, active=name == "a")
    assert await names(house, account) == [("a", True), ("b", False), ("c", False)]
    await house.do(ActivateScript(owner=account, name="c"), Done)
    assert await names(house, account) == [("a", False), ("b", False), ("c", True)]
    await put(house, account, "c", b"stop;")
    assert [p.content for p in await sieve.own_to_run(house.store.reader, account)] == [b"stop;"]
    missing = await house.refused(ActivateScript(owner=account, name="d"))
    assert missing == "no-such-script"
    in_use = await house.refused(DeleteScript(owner=account, name="c"))
    assert in_use == "in-use"
    await house.do(ActivateScript(owner=account, name=""), Done)
    assert await sieve.own_to_run(house.store.reader, account) == []
    await house.do(DeleteScript(owner=account, name="c"), Done)
    assert await names(house, account) == [("a", False), ("b", False)]


async def test_a_script_is_renamed_with_its_state(house: House) -> None:
    account = await house.account()
    await put(house, account, "a", b"stop;", active=True)
    await put(house, account, "b")
    taken = await house.refused(RenameScript(owner=account, name="a", to="b"))
    assert taken == "exists"
    bad = await house.refused(RenameScript(owner=account, name="a", to="b\n"))
    assert bad == "bad-name"
    before = (await sieve.versions(house.store.reader, account, 1))[0]
    await house.do(RenameScript(owner=account, name="a", to="c"), Done)
    assert await names(house, account) == [("b", False), ("c", True)]
    assert (await sieve.versions(house.store.reader, account, 1))[0] > before


@pytest.mark.parametrize("name", ["", "a\0b", "a\nb", "a\u2028b", "x" * 129, "\u0085"])
async def test_names_that_no_script_can_have(house: House, name: str) -> None:
    account = await house.account()
    refused = await house.refused(PutScript(owner=account, name=name, content=b""))
    assert refused == "bad-name"


async def test_what_an_account_may_keep_is_bounded(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await house.account()
    large = PutScript(owner=account, name="a", content=b"#" * (MAX_SCRIPT + 1))
    assert (await house.refused(large)) == "too-long"
    for number in range(MAX_SCRIPTS):
        await put(house, account, f"{number}", b"#" * 10)
    many = PutScript(owner=account, name="one more", content=b"")
    assert (await house.refused(many)) == "too-many"
    await put(house, account, "0", b"#" * 20)
    monkeypatch.setattr(executors, "MAX_OCTETS", 10 * MAX_SCRIPTS + 20)
    full = PutScript(owner=account, name="0", content=b"#" * 31)
    assert (await house.refused(full)) == "limit"
    await put(house, account, "0", b"#" * 5)


async def test_delivery_hears_of_the_first_script_only(house: House) -> None:
    """Each change of the directory makes all workers forget what they know of addresses."""
    account = await house.account()
    before = await house.rows("SELECT version FROM directory_head")
    await put(house, account, "a")
    first = await house.rows("SELECT version FROM directory_head")
    assert first != before
    for number in range(3):
        await put(house, account, f"{number}", active=True)
    await house.do(ActivateScript(owner=account, name=""), Done)
    assert await house.rows("SELECT version FROM directory_head") == first


async def test_an_organisations_scripts_are_for_all_of_it_or_for_a_domain(house: House) -> None:
    await house.domain("example.net")
    account = await house.account()
    ((organisation,),) = await house.rows("SELECT organisation FROM account WHERE id = $1", account)
    ((net,),) = await house.rows("SELECT id FROM domain WHERE name = 'example.net'")
    await put(house, -organisation, "all", b"# all", active=True)
    await put(house, -organisation, "net", b"# net", domain=net, active=True)
    await put(house, -organisation, "idle", b"# idle")

    async def run(domain: str) -> list[bytes]:
        found = await sieve.site_to_run(house.store.reader, organisation, domain)
        return [piece.content for piece in found]

    assert await run("example.org") == [b"# all"]
    assert await run("example.net") == [b"# all", b"# net"]
    assert await sieve.included(house.store.reader, -organisation, "idle") == b"# idle"
    assert await sieve.included(house.store.reader, -organisation, "net") is None
    assert await sieve.included(house.store.reader, -organisation, "net", "example.net") == b"# net"
    assert (await sieve.versions(house.store.reader, account, organisation))[1] > 0
    await house.do(DeleteDomain(name="example.net"), Done)
    assert await house.rows("SELECT name FROM sieve_script ORDER BY name") == [("all",), ("idle",)]
    await house.do(ActivateScript(owner=-organisation, name=""), Done)
    for name in ("all", "idle"):
        await house.do(DeleteScript(owner=-organisation, name=name), Done)
    assert await sieve.versions(house.store.reader, account, organisation) == (0, 0)
    nobody = await house.refused(PutScript(owner=-999, name="a", content=b""))
    assert nobody == "no-such-organisation"


async def test_forms_have_a_store_of_their_own(house: House) -> None:
    account = await house.account()
    state = b'{"later": [1,  2]}'
    done = await house.do(
        PutForm(account=account, kind="filters", state=state, content=b"# f", expected=0), Done
    )
    await house.do(PutForm(account=account, kind="vacation", state=b"{}", content=b"# v"), Done)
    await put(house, account, "mine", b"# s", active=True)
    assert [p.content for p in await sieve.own_to_run(house.store.reader, account)] == [
        b"# v",
        b"# f",
        b"# s",
    ]
    kept = sieve.Form(done.modseq, state, b"# f")
    assert await sieve.form(house.store.reader, account, "filters") == kept
    assert await names(house, account) == [("mine", True)]
    stale = PutForm(account=account, kind="filters", state=b"{}", expected=done.modseq - 1)
    assert (await house.refused(stale)) == "changed"
    await house.do(PutForm(account=account, kind="vacation", state=b"{}"), Done)
    await house.do(PutForm(account=account, kind="filters", state=b""), Done)
    assert [p.place for p in await sieve.own_to_run(house.store.reader, account)] == ["script"]
    assert await sieve.form(house.store.reader, account, "filters") is None
    unknown = PutForm(account=account, kind="poetry", state=b"{}")
    assert (await house.refused(unknown)) == "bad-name"


async def test_an_account_takes_its_scripts_along(house: House) -> None:
    account = await house.account()
    await put(house, account, "a", active=True)
    await house.do(PutForm(account=account, kind="vacation", state=b"{}"), Done)
    await filed(house, account, Remember(account=account, kind=0, digest=DIGEST, seconds=60))
    await house.do(DeleteAccount(account=account), Done)
    while (await house.do(PurgeAccount(account=account), Done)).more:
        pass
    for table in ("head", "script", "form", "memory"):
        assert await house.rows(f"SELECT * FROM sieve_{table}") == []


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("DELETE FROM sieve_head", "that delivery does not know of"),
        ("UPDATE sieve_script SET owner = 99", "a Sieve script of nobody"),
        ("UPDATE sieve_script SET owner = -1, domain = 99", "a Sieve script of nobody"),
        ("UPDATE sieve_form SET account = 99", "vacation or filters of nobody"),
    ],
)
async def test_fsck_finds_what_hangs_on_nothing(house: House, damage: str, words: str) -> None:
    account = await house.account()
    await put(house, account, "a", active=True)
    await house.do(PutForm(account=account, kind="vacation", state=b"{}"), Done)
    assert await house.fsck() == []
    async with house.place.raw() as tx:
        await tx.run(damage)
    house.damaged = True
    assert any(words in finding.text for finding in await house.fsck())


# With deliveries -----------------------------------------------------------------------------------


async def filed(
    house: House, account: int, *remembered: Remember, jobs: tuple[AddJob, ...] = ()
) -> Delivered:
    command = msgspec.structs.replace(deliver(account), remembered=remembered, jobs=jobs)
    return await house.do(command, Delivered)


async def known(house: House, account: int, kind: int = DUPLICATE) -> bool:
    now = int(house.clock.time())
    return bool(await sieve.remembered(house.store.reader, account, kind, [DIGEST], now))


async def test_a_duplicate_is_known_for_its_time(house: House) -> None:
    account = await house.account()
    house.clock.stop()
    one = Remember(account=account, kind=DUPLICATE, digest=DIGEST, seconds=100)
    await filed(house, account, one)
    assert await known(house, account)
    assert not await known(house, account, ANSWERED)
    house.clock.turn(60)
    await filed(house, account, one)
    house.clock.turn(41)
    assert not await known(house, account)
    await filed(house, account, msgspec.structs.replace(one, last=True))
    house.clock.turn(60)
    await filed(house, account, msgspec.structs.replace(one, last=True))
    house.clock.turn(60)
    assert await known(house, account)


def answer(account: int, seconds: int = 100) -> Remember:
    work = AddJob(kind="reply", key=f"{account}-{id(seconds)}", payload=b"to you", run_at=0)
    return Remember(account=account, kind=ANSWERED, digest=DIGEST, seconds=seconds, work=work)


async def replies(house: House) -> int:
    command = LeaseJobs(holder="me", kinds=("reply",), limit=100, seconds=60)
    jobs = (await house.do(command, Leased)).jobs
    for job in jobs:
        await house.do(FinishJob(job=job.id, epoch=job.epoch), Done)
    return len(jobs)


async def test_the_work_is_done_once_while_it_is_known(house: House) -> None:
    account = await house.account()
    house.clock.stop()
    await filed(house, account, answer(account, 100))
    assert await replies(house) == 1
    await filed(house, account, answer(account, 101))
    assert await replies(house) == 0
    house.clock.turn(101)
    await filed(house, account, answer(account, 102))
    assert await replies(house) == 1


async def test_with_no_time_at_all_the_work_is_done_each_time(house: House) -> None:
    account = await house.account()
    for number in range(2):
        one = answer(account, 0)
        assert one.work is not None
        work = msgspec.structs.replace(one.work, key=f"{number}")
        await filed(house, account, msgspec.structs.replace(one, work=work))
    assert await replies(house) == 2
    assert await house.rows("SELECT * FROM sieve_memory") == []


async def test_nothing_is_remembered_of_a_copy_that_was_refused(house: House) -> None:
    """Its sender comes again: it must not be a duplicate then, nor be answered twice."""
    account = await house.account()
    await house.do(SetAccount(account=account, quota_bytes=1), Done)
    job = AddJob(kind="reply", key="x", payload=b"", run_at=0)
    handing = Handing(
        organisation=1,
        account=account,
        sender="",
        relays=(Relay(address="a@there.example", route="there.example"),),
        expires_at=int(house.clock.time()) + 1000,
    )
    command = msgspec.structs.replace(
        deliver(account),
        remembered=(answer(account),),
        jobs=(job,),
        forwards=(Forward(account=account, handing=handing),),
    )
    done = await house.do(command, Delivered)
    assert done.filed[0].refused == "over-quota"
    assert await replies(house) == 0
    assert not await known(house, account, ANSWERED)
    assert (await house.do(TakeQueued(routes=9, each=9, seconds=60), Taken)).messages == ()


async def test_what_is_remembered_is_bounded(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executors, "MAX_REMEMBERED", 3)
    account = await house.account()
    house.clock.stop()

    def one(number: int, kind: int) -> Remember:
        digest = bytes([number]) * 16
        work = AddJob(kind="reply", key=f"{kind}{number}", payload=b"", run_at=0)
        return Remember(account=account, kind=kind, digest=digest, seconds=100 + number, work=work)

    await filed(house, account, *(one(number, DUPLICATE) for number in range(5)))
    rows = await house.rows("SELECT digest FROM sieve_memory ORDER BY digest")
    assert [bytes(row[0])[0] for row in rows] == [2, 3, 4]
    await replies(house)
    await filed(house, account, *(one(number, ANSWERED) for number in range(5)))
    assert await replies(house) == 3  # a flood of senders is not answered
    house.clock.turn(102)
    await filed(house, account, one(9, ANSWERED))
    assert await replies(house) == 1


async def test_what_was_remembered_goes_when_its_time_is_over(house: House) -> None:
    account = await house.account()
    house.clock.stop()
    one = Remember(account=account, kind=DUPLICATE, digest=DIGEST, seconds=100)
    await filed(house, account, one)
    sweep = SweepRecords(results_before=0, traces_before=0)
    await house.do(sweep, Done)
    assert len(await house.rows("SELECT * FROM sieve_memory")) == 1
    house.clock.turn(100)
    await house.do(sweep, Done)
    assert await house.rows("SELECT * FROM sieve_memory") == []


async def test_a_copy_with_a_changed_header_is_filed_and_sent_on(house: House) -> None:
    account = await house.account()
    other = small(b"Subject: changed\r\n\r\nHi\r\n")
    await house.do(PutContent(account=account, content=other), Done)
    named = msgspec.structs.replace(other, frames=())
    changed = Enclosed(content=named, rendered=rendered(subject="changed"), received_at=0)
    handing = Handing(
        organisation=1,
        account=account,
        sender="",
        relays=(Relay(address="a@there.example", route="there.example"),),
        expires_at=int(house.clock.time()) + 1000,
    )
    command = msgspec.structs.replace(
        deliver(account, data=b"Subject: first\r\n\r\nHi\r\n"),
        filings=(
            Filing(account=account, deleted=True),
            Filing(account=account, variant=1, keywords=("work",)),
        ),
        variants=(changed,),
        forwards=(
            Forward(account=account, handing=handing, variant=1),
            Forward(account=account, handing=handing),
        ),
    )
    done = await house.do(command, Delivered)
    assert [one.refused for one in done.filed] == ["", ""]
    rows = await house.rows(
        "SELECT w.subject, e.keywords, m.deleted, e.size FROM email e"
        " JOIN email_wide w ON w.id = e.id JOIN membership m ON m.email = e.id ORDER BY e.id"
    )
    assert rows == [("Hello", None, 1, 22), ("changed", "work", 0, 24)]
    taken = await house.do(TakeQueued(routes=9, each=9, seconds=60), Taken)
    assert sorted(one.size for one in taken.messages) == [22, 24]
    blobs = {one.blob for one in taken.messages}
    assert len(blobs) == 2
    assert await house.rows("SELECT count(*) FROM blob") == [(2,)]


async def test_a_message_that_is_only_sent_on_is_filed_nowhere(house: House) -> None:
    account = await house.account()
    handing = Handing(
        organisation=1,
        account=account,
        sender="",
        relays=(Relay(address="a@there.example", route="there.example"),),
        expires_at=int(house.clock.time()) + 1000,
    )
    command = msgspec.structs.replace(
        deliver(account), filings=(), forwards=(Forward(account=account, handing=handing),)
    )
    assert (await house.do(command, Delivered)).filed == ()
    assert len((await house.do(TakeQueued(routes=9, each=9, seconds=60), Taken)).messages) == 1
    assert await house.rows("SELECT * FROM email") == []
