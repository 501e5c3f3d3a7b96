"""Sieve at delivery beyond one's own mailboxes: others' mailboxes, groups, and what the trace says."""

import time

import msgspec
import pytest

from malleposte.delivery.receive import DeliverySettings, Reception
from malleposte.delivery.trace_header import Origin
from malleposte.delivery.verdict import FULL_FOR_NOW, Recipient
from malleposte.store import Store
from malleposte.store.commands import (
    CreateAccount,
    GroupEntry,
    PutGroup,
    SetAccount,
    SetMembers,
    SetOrganisation,
    SetRights,
)
from malleposte.store.ids import mailbox_text
from malleposte.store.results import Created, Done
from unit.delivery.scene import ADA, BOB, BODY, CID, Scene, laid

ALL = "all@example.test"
FAR = "far@elsewhere.example"


@pytest.fixture
async def scene(store: Store) -> Scene:
    return await laid(store)


async def give(scene: Scene, mailbox: int, letters: str, grantee: int = ADA) -> None:
    owner = mailbox >> 32
    command = SetRights(actor=owner, mailbox=mailbox, grantee=grantee, letters=letters)
    assert isinstance(await scene.store.submit(command), Done)


# Others' mailboxes ---------------------------------------------------------------------------------

INTO = 'require "fileinto"; fileinto "Other Users/bob@example.test/Projects";'


async def test_filed_into_a_mailbox_that_is_shared_with_one(scene: Scene) -> None:
    await give(scene, await scene.mailbox(BOB, "Projects"), "lri")
    await scene.script(ADA, INTO)
    assert await scene.come("ada") == [250]
    assert await scene.places(ADA) == []
    assert await scene.places(BOB) == ["Projects"]
    (text,) = await scene.texts(BOB)
    assert text == b"X-Prefix: 1\r\n" + BODY
    where = "Other Users/bob@example.test/Projects"
    assert scene.plan.told() == {ADA: [("filed", where)]}


@pytest.mark.parametrize("letters", ["lr", "i", ""])
async def test_without_the_right_to_put_there_it_is_kept(scene: Scene, letters: str) -> None:
    """Right `i`; and what may not be looked up is not there (RFC 4314 §6)."""
    await give(scene, await scene.mailbox(BOB, "Projects"), letters)
    await scene.script(ADA, INTO)
    assert await scene.come("ada") == [250]
    assert await scene.places(ADA) == ["INBOX"]
    assert await scene.places(BOB) == []
    assert "none that it may put messages into" in scene.plan.notes[0]


async def test_a_shared_account_and_its_inbox(scene: Scene) -> None:
    created = await scene.store.submit(
        CreateAccount(address="team@example.test", name="Team", password_hash="", kind="shared")
    )
    assert isinstance(created, Created)
    team = created.id
    await give(scene, team << 32 | 1, "lri", grantee=0)
    await scene.script(
        ADA, 'require "fileinto"; fileinto "Shared Folders/Team@example.test"; stop;'
    )
    await scene.come("ada")
    assert await scene.places(team) == ["INBOX"]
    assert scene.plan.told() == {ADA: [("filed", "Shared Folders/team@example.test")]}
    assert await scene.places(ADA) == []


async def test_by_its_id_under_whatever_name(scene: Scene) -> None:
    mailbox = await scene.mailbox(BOB, "Projects")
    await give(scene, mailbox, "lri")
    await scene.script(
        ADA,
        'require ["fileinto", "mailboxid"];'
        f' fileinto :mailboxid "{mailbox_text(mailbox)}" "Archive";',
    )
    await scene.come("ada")
    assert await scene.places(BOB) == ["Projects"]
    await give(scene, mailbox, "")
    await scene.come("ada")
    assert await scene.places(ADA) == ["Archive"]


async def test_flags_there_need_rights_and_nobody_has_read_it(scene: Scene) -> None:
    await scene.script(
        ADA,
        'require ["fileinto", "imap4flags"]; fileinto :flags ["\\\\Seen", "\\\\Flagged", "mine"]'
        ' "Other Users/bob@example.test/Projects";',
    )
    mailbox = await scene.mailbox(BOB, "Projects")
    await give(scene, mailbox, "lrsi")
    await scene.come("ada")
    await give(scene, mailbox, "lrswi")
    await scene.come("ada")
    assert await scene.filed(BOB) == [("Projects", None, 0), ("Projects", "mine", 4)]


async def test_made_there_where_that_is_allowed(scene: Scene) -> None:
    mailbox = await scene.mailbox(BOB, "Projects")
    await scene.script(
        ADA,
        'require ["fileinto", "mailbox"];'
        ' fileinto :create "Other Users/bob@example.test/Projects/New";',
    )
    await give(scene, mailbox, "lri")
    await scene.come("ada")
    assert await scene.places(ADA) == ["INBOX"]
    await give(scene, mailbox, "lrik")
    await scene.come("ada")
    assert await scene.places(BOB) == ["Projects/New"]


async def test_tests_of_mailboxes_know_those_of_others(scene: Scene) -> None:
    mailbox = await scene.mailbox(BOB, "Projects")
    closed = await scene.mailbox(BOB, "Closed")
    await give(scene, mailbox, "lri")
    await give(scene, closed, "lr")
    await scene.script(
        ADA,
        'require ["fileinto", "mailbox", "mailboxid"]; if allof ('
        'mailboxexists ["Other Users/bob@example.test/Projects", "INBOX"],'
        ' not mailboxexists "Other Users/bob@example.test/Closed",'
        ' not mailboxexists "Other Users/nobody@example.test",'
        f' mailboxidexists "{mailbox_text(mailbox)}",'
        f' not mailboxidexists "{mailbox_text(closed)}") {{ fileinto "Archive"; }}',
    )
    await scene.come("ada")
    assert await scene.places(ADA) == ["Archive"]


async def test_a_full_account_of_somebody_else_keeps_nothing_from_one(scene: Scene) -> None:
    await give(scene, await scene.mailbox(BOB, "Projects"), "lri")
    await scene.store.submit(SetAccount(account=BOB, quota_bytes=10))
    await scene.script(ADA, INTO)
    assert await scene.come("ada") == [250]
    assert await scene.places(ADA) == ["INBOX"]
    assert "is full" in scene.plan.notes[0]


async def test_a_copy_there_does_not_count_as_the_owners_own(scene: Scene) -> None:
    """Bob rejects the message himself: what Ada files with him does not make that an acceptance."""
    await give(scene, await scene.mailbox(BOB, "Projects"), "lri")
    await scene.script(ADA, INTO)
    await scene.script(BOB, 'require "reject"; reject "No.";')
    assert await scene.come("ada", "bob", each=True) == [250, 550]
    assert await scene.places(BOB) == ["Projects"]
    verdicts = scene.plan.verdicts([(BOB, FULL_FOR_NOW)])
    assert verdicts[ADA] == FULL_FOR_NOW


# Groups --------------------------------------------------------------------------------------------


async def group(scene: Scene, *members: int, senders: str = "anyone", far: bool = False) -> None:
    entries = tuple(GroupEntry(account=one) for one in members)
    entries += (GroupEntry(address=FAR),) if far else ()
    for command in (
        PutGroup(address=ALL, fresh=True, name="All", senders=senders),
        SetMembers(address=ALL, entries=entries),
    ):
        assert isinstance(await scene.store.submit(command), Done)


async def test_redirected_to_a_group_it_is_the_groups_mail(scene: Scene) -> None:
    await group(scene, BOB, CID)
    await scene.script(ADA, f'redirect "{ALL}";')
    await scene.script(
        BOB,
        'require ["fileinto", "envelope"]; if allof (header :contains "list-id" "all.example.test",'
        ' envelope "from" "all+bounces@example.test") { fileinto "Archive"; }',
    )
    assert await scene.come("ada") == [250]
    assert await scene.places(ADA) == []
    assert await scene.places(BOB) == ["Archive"]
    (text,) = await scene.texts(CID)
    assert text.startswith(
        b"Return-Path: <all+bounces@example.test>\r\nDelivered-To: all@example.test\r\nList-Id:"
    )
    assert b"\r\nDelivered-To: ada@example.test\r\nReceived: here\r\n" in text
    assert scene.plan.told()[ADA] == [("sent on", ALL)]


@pytest.mark.parametrize(
    ("senders", "goes"), [("anyone", True), ("inside", True), ("members", False), ("owners", False)]
)
async def test_it_is_the_account_that_writes_to_the_group(
    scene: Scene, senders: str, goes: bool
) -> None:
    await group(scene, BOB, senders=senders)
    await scene.script(ADA, f'redirect "{ALL}";')
    assert await scene.come("ada") == [250]
    assert await scene.places(BOB) == (["INBOX"] if goes else [])
    assert await scene.places(ADA) == ([] if goes else ["INBOX"])


async def test_a_member_who_redirects_gets_it_once(scene: Scene) -> None:
    await group(scene, ADA, BOB)
    await scene.script(ADA, f'redirect "{ALL}";')
    assert await scene.come("ada") == [250]
    assert await scene.places(ADA) == ["INBOX"]
    assert await scene.places(BOB) == ["INBOX"]


async def test_what_came_from_the_group_does_not_go_back_to_it(scene: Scene) -> None:
    """Two members whose scripts send to the group, directly and over each other."""
    await group(scene, BOB, CID)
    await scene.script(ADA, f'redirect "{ALL}";')
    await scene.script(BOB, f'redirect "{ALL}";')
    assert await scene.come("ada") == [250]
    assert await scene.places(BOB) == ["INBOX"]
    assert await scene.places(CID) == ["INBOX"]
    assert "it has been at this group before" in scene.plan.notes[0]


@pytest.mark.parametrize(
    ("sender", "body"),
    [
        ("", BODY),
        ("ann@sender.example", b"Auto-Submitted: auto-replied\r\n" + BODY),
        ("ann@sender.example", b"List-Id: All <all.example.test>\r\n" + BODY),
    ],
)
async def test_no_group_gets_reports_and_replies_of_programs(
    scene: Scene, sender: str, body: bytes
) -> None:
    await group(scene, BOB)
    await scene.script(ADA, f'redirect "{ALL}";')
    assert await scene.come("ada", sender=sender, body=body) == [250]
    assert await scene.places(BOB) == []
    assert await scene.places(ADA) == ["INBOX"]


async def test_members_elsewhere_get_it_from_the_group(scene: Scene) -> None:
    await scene.store.submit(SetOrganisation(organisation=1, forwarding="anywhere"))
    await group(scene, BOB, far=True)
    await scene.script(ADA, f'redirect "{ALL}";')
    assert await scene.come("ada") == [250]
    assert await scene.places(BOB) == ["INBOX"]
    ((sender, recipient, _),) = await scene.sent()
    # Nothing here asks other domains for their policy: so From names the group.
    assert (sender, recipient) == ("all+bounces@example.test", FAR)


async def test_who_writes_inside_only_reaches_only_members_inside(scene: Scene) -> None:
    await scene.store.submit(SetOrganisation(organisation=1, forwarding="anywhere"))
    await scene.store.submit(SetAccount(account=CID, internal=True))
    await group(scene, BOB, far=True)
    await scene.script(ADA, f'redirect "{ALL}";')
    await scene.come("ada", sender="cid@example.test", account=CID)
    assert await scene.places(BOB) == ["INBOX"]
    assert await scene.sent() == []


async def test_one_message_does_not_go_to_any_number(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("malleposte.delivery.sieving.sending_on.MOST_REACHED", 1)
    await group(scene, BOB, CID)
    await scene.script(ADA, f'redirect "{ALL}";')
    assert await scene.come("ada") == [250]
    assert await scene.places(ADA) == ["INBOX"]
    assert await scene.places(BOB) == []


# The trace -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ('require "fileinto"; fileinto "Archive";', [["filed", "Archive"]]),
        ("discard;", [["discarded", ""]]),
        ('redirect "bob@example.test";', [["sent on", "bob@example.test"]]),
        (
            'require ["fileinto", "copy"]; fileinto :copy "Junk"; keep;',
            [["filed", "Junk"], ["filed", "INBOX"]],
        ),
        ("keep;", None),
    ],
)
async def test_the_trace_knows_what_a_script_did(
    scene: Scene, script: str, told: list[list[str]] | None
) -> None:
    await scene.script(ADA, script)
    reception = Reception(
        scene.store, scene.book, DeliverySettings("mail.example.test"), None, scene.sieving
    )
    _, resolution = await reception.route("ada", "example.test", size=0)
    spool = reception.spool()
    spool.write(BODY)
    await reception.file(
        "ann@sender.example",
        [Recipient("ada@example.test", resolution)],
        spool,
        Origin(peer="192.0.2.1", hello="mx.example", protocol="LMTP"),
        each=True,
        now=time.time(),
    )
    spool.close()
    ((record,),) = await scene.store.reader.rows("SELECT record FROM trace")
    became = msgspec.msgpack.decode(record).get("became")
    assert became == (None if told is None else {ADA: told})
