"""Sieve at delivery: the order of scripts, what they decide, and that nothing is ever lost."""

import asyncio
import time
from collections.abc import Callable

import pytest

from malleposte.delivery.listing import Listed
from malleposte.delivery.receive import DeliverySettings, Reception
from malleposte.delivery.reports import read_job
from malleposte.delivery.sieving.chain import run
from malleposte.delivery.sieving.work import read_failure, read_rejection, read_reply
from malleposte.delivery.trace_header import Origin
from malleposte.delivery.verdict import FILED, Recipient
from malleposte.directory.groups import Group
from malleposte.store import Store
from malleposte.store.commands import (
    ActivateScript,
    CreateDomain,
    PutScript,
    SetAccount,
    SetAlias,
    SetOrganisation,
)
from malleposte.store.dialect import TALLY
from malleposte.store.ids import mailbox_text
from malleposte.store.results import Done
from unit.delivery.scene import ADA, BOB, BODY, CID, Scene, laid


@pytest.fixture
async def scene(store: Store) -> Scene:
    return await laid(store)


async def test_a_message_is_filed_where_the_script_says(scene: Scene) -> None:
    await scene.mailbox(ADA, "Work", "Lists")
    await scene.script(
        ADA,
        'require ["fileinto", "imap4flags"]; fileinto :flags ["\\\\Seen", "list"] "Work/Lists";',
    )
    assert await scene.come("ada", "bob") == [250, 250]
    assert await scene.filed(ADA) == [("Work/Lists", "list", 1)]
    assert await scene.places(BOB) == ["INBOX"]


async def test_without_anything_to_run_nothing_is_asked(scene: Scene) -> None:
    resolution = await scene.book.resolve("info", "example.test")
    assert resolution.filtered == ()
    await scene.script(BOB, "discard;")
    assert (await scene.book.resolve("info", "example.test")).filtered == (BOB,)


async def test_whoever_has_no_script_costs_not_one_statement_more(scene: Scene) -> None:
    origin = Origin(peer="192.0.2.1", hello="mx.example", protocol="LMTP")
    plain = DeliverySettings("mail.example.test")
    receptions = [
        Reception(scene.store, scene.book, plain, None, sieving)
        for sieving in (None, scene.sieving)
    ]
    await scene.script(ADA, "discard;")

    async def statements(reception: Reception, name: str) -> int:
        before = TALLY.statements
        _, resolution = await reception.route(name, "example.test", size=0)
        spool = reception.spool()
        spool.write(BODY)
        recipients = [Recipient(f"{name}@example.test", resolution)]
        verdicts, _ = await reception.file(
            "ann@sender.example", recipients, spool, origin, each=True, now=time.time()
        )
        spool.close()
        assert verdicts == [FILED]
        return TALLY.statements - before

    for reception in receptions * 2:
        await statements(reception, "bob")
    without, within = [await statements(one, "bob") for one in receptions]
    assert within == without
    assert await statements(receptions[1], "ada") > 0
    assert await scene.places(ADA) == []
    assert await scene.places(BOB) == ["INBOX"] * 6


async def test_a_script_that_keeps_does_as_if_there_were_none(scene: Scene) -> None:
    await scene.script(ADA, "keep;")
    assert await scene.come("ada") == [250]
    assert await scene.texts(ADA) == [b"X-Prefix: 1\r\n" + BODY]


@pytest.mark.parametrize(
    ("fileinto", "wanted"),
    [
        ('fileinto "Nowhere";', "INBOX"),
        ('fileinto :create "New/Deep";', "New/Deep"),
        ('fileinto :create "inbox/Below";', "INBOX/Below"),
        ('fileinto :specialuse "\\\\Junk" "Spam";', "Junk"),
        ('fileinto :specialuse "\\\\All" "Archive";', "Archive"),
        ('fileinto "inbox";', "INBOX"),
    ],
)
async def test_where_a_fileinto_leads(scene: Scene, fileinto: str, wanted: str) -> None:
    await scene.script(ADA, f'require ["fileinto", "mailbox", "special-use"]; {fileinto}')
    await scene.come("ada")
    await scene.come("ada")
    assert await scene.places(ADA) == [wanted, wanted]


async def test_a_mailbox_is_found_by_its_id_whatever_it_is_called(scene: Scene) -> None:
    mailbox = await scene.mailbox(ADA, "Later renamed")
    text = mailbox_text(mailbox)
    await scene.script(
        ADA, f'require ["fileinto", "mailboxid"]; fileinto :mailboxid "{text}" "Old name";'
    )
    others = mailbox_text(await scene.mailbox(BOB, "Mine"))
    await scene.script(
        BOB, f'require ["fileinto", "mailboxid"]; fileinto :mailboxid "{text}" "Trash";'
    )
    await scene.come("ada", "bob")
    assert await scene.places(ADA) == ["Later renamed"]
    assert await scene.places(BOB) == ["Trash"]
    assert others != text


async def test_tests_of_mailboxes_see_them(scene: Scene) -> None:
    mailbox = mailbox_text(await scene.mailbox(ADA, "Work"))
    await scene.script(
        ADA,
        'require ["fileinto", "mailbox", "special-use", "mailboxid"];'
        'if allof (mailboxexists ["Work", "inbox"], not mailboxexists "Play",'
        f' mailboxidexists "{mailbox}", not mailboxidexists "Mffff",'
        ' specialuse_exists "\\\\Junk", specialuse_exists "Junk" "\\\\Junk",'
        ' not specialuse_exists "Work" "\\\\Junk") { fileinto "Work"; }',
    )
    await scene.come("ada")
    assert await scene.places(ADA) == ["Work"]


async def test_a_copy_in_each_place_and_one_in_each(scene: Scene) -> None:
    await scene.script(
        ADA,
        'require ["fileinto", "copy", "imap4flags", "special-use"]; fileinto :copy "Archive";'
        ' fileinto :copy :flags "x" :specialuse "\\\\Archive" "Other"; fileinto :copy "Junk"; keep;',
    )
    await scene.come("ada")
    assert sorted(await scene.filed(ADA)) == [
        ("Archive", "x", 0),
        ("INBOX", None, 0),
        ("Junk", None, 0),
    ]


async def test_flags_that_are_none_are_left_out(scene: Scene) -> None:
    await scene.script(
        ADA, 'require "imap4flags"; setflag ["\\\\Recent", "a b", "\\\\deleted", "ok"]; keep;'
    )
    await scene.come("ada")
    ((_, keywords, flags),) = await scene.filed(ADA)
    assert keywords is not None
    assert "ok" in keywords.split()
    assert flags == 0
    rows = await scene.store.reader.rows("SELECT deleted FROM membership")
    assert rows == [(1,)]


async def test_what_is_discarded_is_accepted_and_filed_nowhere(scene: Scene) -> None:
    await scene.script(ADA, "discard;")
    assert await scene.come("ada", "bob") == [250, 250]
    assert await scene.places(ADA) == []
    assert await scene.places(BOB) == ["INBOX"]
    assert await scene.come("ada") == [250]


# The order -----------------------------------------------------------------------------------------


async def site(scene: Scene, text: str, domain: int = 0) -> None:
    command = PutScript(owner=-1, domain=domain, name="site", content=text.encode(), active=True)
    assert isinstance(await scene.store.submit(command), Done)


async def test_the_next_script_runs_only_after_a_keep(scene: Scene) -> None:
    await site(
        scene,
        'require "fileinto"; if header :is "X-Spam" "yes" { fileinto "Junk"; }',
    )
    await scene.form(ADA, "vacation", 'require "vacation"; vacation "Away";')
    await scene.form(
        ADA, "filters", 'require "fileinto"; if header "subject" "hello" { fileinto "Archive"; }'
    )
    await scene.script(ADA, 'require "fileinto"; fileinto "Trash";')
    await scene.come("ada", body=b"X-Spam: yes\r\n" + BODY)
    assert await scene.places(ADA) == ["Junk"]
    assert await scene.jobs("sieve-reply") == []
    await scene.come("ada")
    assert sorted(await scene.places(ADA)) == ["Archive", "Junk"]
    assert len(await scene.jobs("sieve-reply")) == 1
    await scene.come("ada", body=BODY.replace(b"hello", b"bye"))
    assert sorted(await scene.places(ADA)) == ["Archive", "Junk", "Trash"]
    await scene.come("bob", body=b"X-Spam: yes\r\n" + BODY)
    assert await scene.places(BOB) == ["Junk"]  # the administrator's is for all


async def test_an_administrators_script_may_be_for_one_domain(scene: Scene) -> None:
    await scene.store.submit(CreateDomain(name="example.net"))
    ((domain,),) = await scene.store.reader.rows("SELECT id FROM domain WHERE name = 'example.net'")
    await site(scene, "discard;", domain)
    await scene.come("ada")
    assert await scene.places(ADA) == ["INBOX"]


async def test_flags_and_header_go_on_to_the_next_script(scene: Scene) -> None:
    await site(
        scene,
        'require ["editheader", "imap4flags"]; addheader "X-Seen-By" "the house"; addflag "site";',
    )
    await scene.script(
        ADA,
        'require ["imap4flags", "fileinto"];'
        ' if header "x-seen-by" "the house" { addflag "mine"; fileinto "Archive"; }',
    )
    await scene.come("ada")
    ((place, keywords, _),) = await scene.filed(ADA)
    assert (place, keywords) == ("Archive", "mine site")
    (text,) = await scene.texts(ADA)
    assert text == b"X-Prefix: 1\r\nX-Seen-By: the house\r\n" + BODY


# Failures ------------------------------------------------------------------------------------------


async def test_a_script_that_fails_loses_nothing_and_its_owner_is_told_once(scene: Scene) -> None:
    await scene.script(
        ADA,
        'require ["fileinto", "variables", "copy"]; fileinto :copy "Junk"; set "a" "";'
        ' fileinto "${a}";',
    )
    for _ in range(3):
        assert await scene.come("ada") == [250]
    assert await scene.places(ADA) == ["INBOX"] * 3
    (payload,) = await scene.jobs("sieve-failure")
    failed = read_failure(payload)
    assert (failed.account, failed.place, failed.name) == (ADA, "script", "main")
    assert "line 1" in failed.words


async def test_a_script_that_cannot_be_used_any_more_is_passed_by(scene: Scene) -> None:
    await scene.form(ADA, "filters", "this is no Sieve")
    await scene.script(ADA, 'require "fileinto"; fileinto "Archive";')
    await scene.come("ada")
    assert await scene.places(ADA) == ["Archive"]
    assert len(await scene.jobs("sieve-failure")) == 1


async def test_administrators_hear_of_their_own_script(scene: Scene) -> None:
    await site(scene, 'require "include"; include :global "gone";')
    await scene.come("bob")
    (payload,) = await scene.jobs("sieve-failure")
    assert read_failure(payload).account == 0
    assert read_failure(payload).domain == "example.test"
    assert await scene.places(BOB) == ["INBOX"]


async def test_scripts_include_others_and_changes_are_seen(scene: Scene) -> None:
    await scene.script(ADA, "discard;", name="part")
    command = PutScript(owner=-1, name="common", content=b'require "imap4flags"; addflag "common";')
    await scene.store.submit(command)
    await scene.script(
        ADA, 'require "include"; include :global "common"; include :personal "part";'
    )
    await scene.come("ada")
    assert await scene.places(ADA) == []
    changed = PutScript(owner=ADA, name="part", content=b"keep;")
    await scene.store.submit(changed)
    await scene.come("ada")
    assert await scene.filed(ADA) == [("INBOX", "common", 0)]
    command = PutScript(owner=-1, name="common", content=b'require "imap4flags"; addflag "new";')
    await scene.store.submit(command)
    await scene.come("ada")
    assert (await scene.filed(ADA))[1] == ("INBOX", "new", 0)
    await scene.store.submit(ActivateScript(owner=ADA, name=""))
    await scene.come("ada")
    assert (await scene.filed(ADA))[2] == ("INBOX", None, 0)


# Header edits --------------------------------------------------------------------------------------


async def test_a_changed_header_is_stored_and_shown(scene: Scene) -> None:
    await scene.script(
        ADA,
        'require ["editheader", "variables"]; deleteheader "Subject";'
        ' addheader :last "X-Old" "héllo"; addheader "Subject" "[list] hello";',
    )
    await scene.come("ada", "bob")
    (text,) = await scene.texts(ADA)
    expected = BODY.replace(b"Subject: hello\r\n", b"").replace(
        b"<1@x>\r\n", b"<1@x>\r\nX-Old: =?utf-8?B?aMOpbGxv?=\r\n"
    )
    assert text == b"X-Prefix: 1\r\nSubject: [list] hello\r\n" + expected
    assert await scene.texts(BOB) == [b"X-Prefix: 1\r\n" + BODY]
    rows = await scene.store.reader.rows(
        "SELECT e.account, w.subject FROM email e JOIN email_wide w ON w.id = e.id ORDER BY 1"
    )
    assert rows == [(ADA, "[list] hello"), (BOB, "hello")]


# Refusing ------------------------------------------------------------------------------------------

REJECT = 'require "reject"; reject "No, thanks.\nReally.";'


async def test_refused_while_the_sender_is_there(scene: Scene) -> None:
    await scene.script(ADA, REJECT)
    assert await scene.come("ada", "bob", each=True) == [550, 250]
    assert scene.plan.refused[ADA].text == "No, thanks.\nReally."
    assert await scene.come("ada", each=False) == [550]
    assert await scene.places(ADA) == []


async def test_among_others_who_keep_it_the_sender_hears_by_mail(scene: Scene) -> None:
    """SMTP has one answer for all: whoever keeps it has it, and the one who rejects it says so."""
    await scene.script(ADA, REJECT)
    assert await scene.come("ada", "bob", each=False) == [250, 250]
    assert await scene.places(ADA) == []
    assert await scene.places(BOB) == ["INBOX"]
    (payload,) = await scene.jobs("sieve-rejection")
    job = read_rejection(payload)
    assert (job.account, job.to, job.recipient) == (ADA, "ann@sender.example", "ada@example.test")
    assert job.reason == "No, thanks.\r\nReally."
    assert scene.plan.told() == {ADA: [("rejected", "")]}


@pytest.mark.parametrize(
    ("body", "sender"),
    [
        (BODY, ""),
        (BODY, "noreply@sender.example"),
        (BODY, "bounces+x@sender.example"),
        (b"Auto-Submitted: auto-generated\r\n" + BODY, "ann@sender.example"),
        (b"List-Id: <x.example>\r\n" + BODY, "ann@sender.example"),
        (b"Precedence: bulk\r\n" + BODY, "ann@sender.example"),
        (b"X-Spam-Flag: YES\r\n" + BODY, "ann@sender.example"),
        (BODY.replace(b"To: ada@", b"To: other@"), "ann@sender.example"),
    ],
)
async def test_who_may_be_forged_or_a_program_is_not_told_and_nothing_is_lost(
    scene: Scene, body: bytes, sender: str
) -> None:
    """A report to a forged sender would hit somebody else."""
    await scene.script(ADA, REJECT)
    codes = await scene.come("ada", "bob", each=False, body=body, sender=sender)
    assert codes == [250, 250]
    assert await scene.places(ADA) == ["INBOX"]
    assert await scene.jobs("sieve-rejection") == []
    assert "ada@example.test: not rejected, " in scene.plan.notes[0]


async def test_a_stranger_is_told_once_a_day_and_few_of_them(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("malleposte.delivery.sieving.rejecting.STRANGERS", 2)
    await scene.script(ADA, REJECT)
    for sender in ("ann@a.example", "Ann@a.example", "ben@a.example", "cat@a.example"):
        await scene.come("ada", "bob", each=False, sender=sender)
    jobs = [read_rejection(payload) for payload in await scene.jobs("sieve-rejection")]
    assert [job.to for job in jobs] == ["ann@a.example", "ben@a.example"]
    assert await scene.places(ADA) == ["INBOX", "INBOX"]


async def test_an_account_for_inside_tells_nobody_outside(scene: Scene) -> None:
    await scene.store.submit(SetAccount(account=ADA, internal=True))
    await scene.script(ADA, REJECT)
    await scene.come("ada", "bob", each=False)
    assert await scene.jobs("sieve-rejection") == []
    assert await scene.places(ADA) == ["INBOX"]


async def test_ereject_is_told_by_a_report(scene: Scene) -> None:
    await scene.script(ADA, REJECT.replace("reject", "ereject"))
    codes = await scene.come("ada", "bob", each=False, sender="cid@example.test", account=CID)
    assert codes == [250, 250]
    assert await scene.places(ADA) == []
    (payload,) = await scene.jobs("delivery-report")
    job = read_job(payload)
    assert (job.sender, job.account, job.action) == ("cid@example.test", CID, "failed")
    assert job.fates[0].reply == "550 5.7.1 No, thanks. Really."


async def test_a_report_that_was_not_wanted_is_not_made(scene: Scene) -> None:
    """RFC 3461 §4.1: NOTIFY=NEVER."""
    await scene.script(ADA, REJECT.replace("reject", "ereject"))
    await scene.come("ada", "bob", each=False, notify="NEVER")
    assert await scene.jobs("delivery-report") == []
    assert await scene.places(ADA) == []


async def test_words_that_smtp_cannot_say_are_told_by_mail_to_who_signed_in(scene: Scene) -> None:
    """RFC 5429 §2.2; a stranger is refused in the session all the same."""
    await scene.script(ADA, 'require "reject"; reject "Nein, schön wär’s.";')
    codes = await scene.come("ada", each=False, sender="cid@example.test", account=CID)
    assert codes == [250]
    (payload,) = await scene.jobs("sieve-rejection")
    assert read_rejection(payload).reason == "Nein, schön wär’s."
    assert await scene.come("ada", each=False) == [550]
    assert await scene.places(ADA) == []


async def test_all_of_several_who_reject_refuse_in_the_session(scene: Scene) -> None:
    await scene.script(ADA, REJECT)
    await scene.script(BOB, REJECT)
    assert await scene.come("ada", "bob", each=False) == [550, 550]
    assert await scene.jobs("sieve-rejection") == []


async def test_a_member_of_a_group_tells_its_owners(scene: Scene) -> None:
    """A bounce goes to who looks after the group, not to who wrote to it."""
    await scene.script(ADA, REJECT)
    group = Group("all@example.test", "All", "anyone", 0, 1)
    listed = Listed(group, group.bounces, b"List-Id: <all.example.test>\r\n")
    await scene.come("ada", "bob", each=False, listed=listed)
    (payload,) = await scene.jobs("sieve-rejection")
    assert read_rejection(payload).to == "all+bounces@example.test"


async def test_what_was_done_before_cannot_be_rejected(scene: Scene) -> None:
    await scene.form(ADA, "filters", 'require ["fileinto", "copy"]; fileinto :copy "Archive";')
    await scene.script(ADA, REJECT)
    assert await scene.come("ada") == [250]
    assert sorted(await scene.places(ADA)) == ["Archive", "INBOX"]


async def test_mail_to_postmaster_passes_by_all_scripts(scene: Scene) -> None:
    await scene.script(ADA, REJECT)
    assert await scene.come("postmaster") == [250]
    assert await scene.places(ADA) == ["INBOX"]


# Sending on ----------------------------------------------------------------------------------------


async def anywhere(scene: Scene) -> None:
    await scene.store.submit(SetOrganisation(organisation=1, forwarding="anywhere"))


async def test_nothing_is_sent_to_others_unless_policy_allows(scene: Scene) -> None:
    await scene.script(ADA, 'redirect "me@elsewhere.example";')
    assert await scene.come("ada") == [250]
    assert await scene.places(ADA) == ["INBOX"]
    assert await scene.sent() == []
    assert "not sent on to me@elsewhere.example" in scene.plan.notes[0]


async def test_sent_on_with_a_sender_of_ours(scene: Scene) -> None:
    await anywhere(scene)
    await scene.script(ADA, 'redirect "me@elsewhere.example";')
    assert await scene.come("ada") == [250]
    assert await scene.places(ADA) == []
    ((sender, recipient, prefix),) = await scene.sent()
    assert recipient == "me@elsewhere.example"
    assert sender.startswith("SRS0=")
    assert sender.endswith("=sender.example=ann@example.test")
    assert prefix == b"Delivered-To: ada@example.test\r\nReceived: here\r\n"


async def test_the_null_sender_and_ours_stay(scene: Scene) -> None:
    await anywhere(scene)
    await scene.script(ADA, 'redirect "me@elsewhere.example";')
    await scene.come("ada", sender="")
    await scene.come("ada", sender="bob@example.test")
    assert [sender for sender, _, _ in await scene.sent()] == ["", "bob@example.test"]


async def test_a_message_that_has_been_here_is_not_sent_on_again(scene: Scene) -> None:
    await anywhere(scene)
    await scene.script(ADA, 'redirect "me@elsewhere.example";')
    await scene.come("ada", body=b"Delivered-To: Ada@example.test\r\n" + BODY)
    assert await scene.sent() == []
    assert await scene.places(ADA) == ["INBOX"]


async def test_with_a_header_without_measure_nothing_is_changed_or_sent_on(scene: Scene) -> None:
    await anywhere(scene)
    await scene.script(
        ADA, 'require "editheader"; deleteheader "Subject"; redirect "me@elsewhere.example";'
    )
    long = b"X-Long: " + b"x" * 600_000 + b"\r\n" + BODY
    assert await scene.come("ada", body=long) == [250]
    assert await scene.sent() == []
    assert await scene.texts(ADA) == [b"X-Prefix: 1\r\n" + long]


async def test_mail_of_an_account_for_inside_stays_inside(scene: Scene) -> None:
    await anywhere(scene)
    await scene.store.submit(SetAccount(account=CID, internal=True))
    await scene.script(ADA, 'redirect "me@elsewhere.example";')
    await scene.come("ada", sender="cid@example.test", account=CID)
    assert await scene.sent() == []
    assert await scene.places(ADA) == ["INBOX"]


async def test_junk_is_neither_sent_on_nor_answered(scene: Scene) -> None:
    await anywhere(scene)
    await scene.script(
        ADA, 'require ["vacation", "copy"]; vacation "x"; redirect "me@elsewhere.example";'
    )
    await scene.come("ada", body=b"X-Spam-Flag: YES\r\n" + BODY)
    assert await scene.sent() == []
    assert await scene.jobs("sieve-reply") == []
    assert await scene.places(ADA) == ["INBOX"]


async def test_to_an_account_of_ours_whose_script_runs_too(scene: Scene) -> None:
    await scene.script(ADA, 'redirect "bob+x@example.test";')
    await scene.script(
        BOB,
        'require ["fileinto", "envelope", "subaddress"];'
        ' if envelope :detail "to" "x" { fileinto "Archive"; }',
    )
    assert await scene.come("ada") == [250]
    assert await scene.places(ADA) == []
    assert await scene.places(BOB) == ["Archive"]
    (text,) = await scene.texts(BOB)
    assert text.startswith(
        b"Return-Path: <ann@sender.example>\r\nDelivered-To: bob@example.test\r\n"
        b"Delivered-To: ada@example.test\r\nReceived: here\r\n"
    )


async def test_whoever_gets_it_anyway_gets_it_once(scene: Scene) -> None:
    await scene.script(ADA, 'redirect "bob@example.test";')
    assert await scene.come("info") == [250]
    assert await scene.places(ADA) == []
    assert await scene.places(BOB) == ["INBOX"]


async def test_a_circle_of_accounts_keeps_it(scene: Scene) -> None:
    await scene.script(ADA, 'redirect "bob@example.test";')
    await scene.script(BOB, 'redirect "cid@example.test";')
    await scene.script(CID, 'redirect "ada@example.test";')
    assert await scene.come("ada") == [250]
    kept = [await scene.places(account) for account in (ADA, BOB, CID)]
    assert sum(map(len, kept)) == 1
    assert await scene.come("info") == [250]
    kept = [await scene.places(account) for account in (ADA, BOB, CID)]
    assert sum(map(len, kept)) >= 2


async def test_to_an_alias_that_leads_elsewhere(scene: Scene) -> None:
    """Whether it may is asked of the alias."""
    await anywhere(scene)
    alias = SetAlias(
        address="both@example.test", accounts_=(BOB,), remotes=("team@elsewhere.example",)
    )
    await scene.store.submit(alias)
    await scene.script(ADA, 'redirect "both@example.test";')
    assert await scene.come("ada") == [250]
    assert [recipient for _, recipient, _ in await scene.sent()] == ["team@elsewhere.example"]
    assert await scene.places(BOB) == ["INBOX"]
    assert await scene.places(ADA) == []


async def test_to_oneself_is_a_keep(scene: Scene) -> None:
    await scene.script(ADA, 'redirect "ada@example.test";')
    assert await scene.come("ada") == [250]
    assert await scene.places(ADA) == ["INBOX"]


@pytest.mark.parametrize("address", ["nobody@example.test", "postmaster@example.test"])
async def test_what_leads_nowhere_is_a_keep(scene: Scene, address: str) -> None:
    await scene.script(ADA, f'redirect "{address}";')
    assert await scene.come("ada") == [250]
    assert await scene.places(ADA) == ["INBOX"]


async def test_one_to_whom_it_was_sent_on_rejects_it(scene: Scene) -> None:
    await scene.script(ADA, 'redirect "bob@example.test";')
    await scene.script(BOB, REJECT)
    assert await scene.come("ada") == [550]


async def test_sent_on_with_the_header_as_edited(scene: Scene) -> None:
    await anywhere(scene)
    await scene.script(
        ADA,
        'require ["editheader", "copy"]; deleteheader "Subject";'
        ' redirect :copy "me@elsewhere.example"; addheader "X-After" "1";',
    )
    await scene.come("ada")
    ((_, _, prefix),) = await scene.sent()
    assert b"X-After" not in prefix
    rows = await scene.store.reader.rows("SELECT size FROM queue_message")
    without = BODY.replace(b"Subject: hello\r\n", b"")
    assert rows == [(len(prefix) + len(without),)]
    (text,) = await scene.texts(ADA)
    assert text == b"X-Prefix: 1\r\nX-After: 1\r\n" + without


# What is remembered --------------------------------------------------------------------------------


async def test_a_duplicate_is_known_again(scene: Scene) -> None:
    await scene.script(ADA, 'require "duplicate"; if duplicate { discard; }')
    await scene.come("ada")
    await scene.come("ada")
    await scene.come("ada", body=BODY.replace(b"1@x", b"2@x"))
    assert await scene.places(ADA) == ["INBOX", "INBOX"]


async def test_many_duplicate_tests_in_a_row_are_answered(scene: Scene) -> None:
    tests = " els".join(f'if duplicate :handle "{n}" {{ discard; stop; }}' for n in range(12))
    await scene.script(ADA, f'require "duplicate"; {tests}')
    await scene.come("ada")
    await scene.come("ada")
    assert await scene.places(ADA) == ["INBOX"]


async def test_one_reply_to_each_person_and_its_words(scene: Scene) -> None:
    await scene.script(
        ADA, 'require "vacation"; vacation :days 3 :subject "Fort" "Bin im Urlaub.";'
    )
    for number in range(3):
        await scene.come("ada", number=1000 + number)
    await scene.come("ada", sender="eve@sender.example", number=2000)
    jobs = [read_reply(payload) for payload in await scene.jobs("sieve-reply")]
    assert [(job.account, job.to, job.subject, job.reason) for job in jobs] == [
        (ADA, "ann@sender.example", "Fort", "Bin im Urlaub."),
        (ADA, "eve@sender.example", "Fort", "Bin im Urlaub."),
    ]
    assert jobs[0].message_id == "1@x"
    assert await scene.places(ADA) == ["INBOX"] * 4


async def test_mail_of_a_group_is_not_answered(scene: Scene) -> None:
    """Its fields stand before the message, and its sender is the group's."""
    await scene.script(
        ADA,
        'require ["vacation", "envelope", "fileinto"]; vacation "Away";'
        ' if allof (header "list-post" "<mailto:all@example.test>",'
        ' envelope "from" "all+bounces@example.test") { fileinto "Archive"; }',
    )
    group = Group("all@example.test", "All", "anyone", 0, 1)
    fields = b"List-Post: <mailto:all@example.test>\r\nPrecedence: list\r\n"
    await scene.come("ada", listed=Listed(group, group.bounces, fields))
    assert await scene.jobs("sieve-reply") == []
    assert await scene.places(ADA) == ["Archive"]


async def test_an_alias_in_to_counts_as_the_accounts_own(scene: Scene) -> None:
    await scene.script(ADA, 'require "vacation"; vacation "Away";')
    await scene.come("info", body=BODY.replace(b"To: ada@", b"To: Info@"))
    assert len(await scene.jobs("sieve-reply")) == 1


async def test_a_plan_is_only_made_of_what_runs(scene: Scene) -> None:
    """A large script in a thread, and one of many includes, are the same as a small one."""
    rules = "\n".join(f'if header "subject" "none {n}" {{ discard; }}' for n in range(400))
    await scene.script(ADA, f'require "fileinto";\n{rules}\nfileinto "Archive";')
    await scene.come("ada", body=BODY + b"x" * 300_000)
    assert await scene.places(ADA) == ["Archive"]


async def test_what_could_hold_the_loop_runs_beside_it(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside: list[object] = []
    real = asyncio.to_thread

    async def to_thread(call: Callable[..., object], *arguments: object) -> object:
        beside.append(call)
        return await real(call, *arguments)

    monkeypatch.setattr(asyncio, "to_thread", to_thread)
    await scene.script(ADA, 'if header :is "subject" "x" { discard; }')
    assert await scene.come("ada") == [250]
    assert run not in beside
    # A test of each address against each of many words: small by itself, on a long header it is not.
    words = ", ".join('"to"' for _ in range(300))
    await scene.script(ADA, f'if address [{words}] "q" {{ discard; }}')
    addresses = ",\r\n ".join(f"n{n}@example.test" for n in range(150)).encode()
    assert await scene.come("ada", body=b"To: " + addresses + b"\r\n\r\nhello\r\n") == [250]
    assert run in beside
