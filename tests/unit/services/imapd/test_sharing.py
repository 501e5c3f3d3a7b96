r"""Others' mailboxes with several sessions: rights that change meanwhile, each reader's \Seen, moves
between accounts that break off, and what somebody without rights can find out."""

from __future__ import annotations

import re

import msgspec
import pytest

from malleposte.policy.hourly import Hourly
from malleposte.policy.sharing import WhoMayGive
from malleposte.services.imapd import ImapSettings
from malleposte.store import TemporaryFailure
from malleposte.store.commands import (
    AnyCommand,
    CreateAccount,
    CreateDomain,
    CreateMailbox,
    Expunge,
    GrantRole,
    RenameMailbox,
    SetAlias,
    SetRights,
)
from malleposte.store.dialect import Row
from malleposte.store.results import AnyResult, Created, Done
from support.imap_client import Answer, ImapClient, Literal, Lost, Refused
from support.store import Place, inbox
from unit.services.imapd.harness import Served, serve


async def _shared(served: Served, letters: str = "lrswite") -> tuple[int, str, int, str]:
    """An owner whose INBOX has three messages, and somebody with these rights on it: ids, addresses."""
    owner, owners = await served.account()
    reader, readers = await served.account()
    client = await served.signed_in(owners)
    for n in range(3):
        await client.command(b"APPEND INBOX ", Literal(b"Subject: %d\r\n\r\nbody %d\r\n" % (n, n)))
    await _set(served, owner, reader, letters)
    return owner, owners, reader, readers


async def _set(served: Served, owner: int, grantee: int, letters: str, mailbox: int = 0) -> None:
    result = await served.store.submit(
        SetRights(actor=owner, mailbox=mailbox or inbox(owner), grantee=grantee, letters=letters)
    )
    assert isinstance(result, Done), result


def _name(address: str, *levels: str) -> bytes:
    return f'"{"/".join(("Other Users", address, *levels))}"'.encode()


async def _count(client: ImapClient, name: bytes, item: bytes = b"MESSAGES") -> int:
    answer = await client.command(b"STATUS %b (%b)" % (name, item))
    found = re.search(rb"\(%b (\d+)\)" % item, answer.untagged[-1])
    assert found is not None
    return int(found[1])


def _flags(answer: Answer) -> list[bytes]:
    r"""Flags of each FETCH without \Recent, which is a session's own."""
    return [
        re.sub(rb"\\Recent ?", b"", found[1]).strip()
        for line in answer.untagged
        if (found := re.search(rb"FLAGS \(([^)]*)\)", line)) is not None and b"FETCH" in line
    ]


# Each reader's \Seen ------------------------------------------------------------------------------


async def test_reading_is_each_readers_own(served: Served) -> None:
    owner, owners, _third, thirds = await _shared(served)
    reader, readers = await served.account()
    await _set(served, owner, reader, "lrs")
    one, two = await served.signed_in(readers), await served.signed_in(thirds)
    name = _name(owners)
    for client in (one, two):
        await client.command(b"SELECT %b" % name)
    await one.command(b"FETCH 1 BODY[]")
    assert (await one.command(b"SEARCH SEEN")).untagged == [b"* SEARCH 1\r\n"]
    assert (await two.command(b"SEARCH SEEN")).untagged == [b"* SEARCH\r\n"]
    assert _flags(await one.command(b"FETCH 1:2 FLAGS")) == [b"\\Seen", b""]
    assert _flags(await two.command(b"FETCH 1:2 FLAGS")) == [b"", b""]
    assert [await _count(client, name, b"UNSEEN") for client in (one, two)] == [2, 3]
    mine = await served.signed_in(owners)
    assert await _count(mine, b"INBOX", b"UNSEEN") == 3
    listed = await one.command(b'LIST "" "Other*" RETURN (STATUS (UNSEEN))')
    assert b"* STATUS %b (UNSEEN 2)\r\n" % name in listed.untagged
    # What the owner flags shows to all, and his own \Seen where a reader has none of his own.
    await mine.command(b"SELECT INBOX")
    await mine.command(b"STORE 1:2 +FLAGS.SILENT (\\Seen \\Flagged)")
    assert _flags(await two.command(b"FETCH 1:2 FLAGS")) == [b"\\Flagged \\Seen"] * 2
    await one.command(b"STORE 1 -FLAGS.SILENT (\\Seen)")
    assert _flags(await one.command(b"FETCH 1 FLAGS")) == [b"\\Flagged"]
    assert _flags(await mine.command(b"FETCH 1 FLAGS")) == [b"\\Flagged \\Seen"]


async def test_a_reader_without_s_leaves_no_trace(served: Served) -> None:
    """RFC 4314 §4: FETCH of a body does not set what may not be set."""
    _, owners, _, readers = await _shared(served, "lr")
    client = await served.signed_in(readers)
    await client.command(b"SELECT %b" % _name(owners))
    answer = await client.command(b"FETCH 1 BODY[]")
    assert b"FLAGS" not in answer.untagged[0]
    assert (await client.command(b"SEARCH SEEN")).untagged == [b"* SEARCH\r\n"]
    with pytest.raises(Refused, match="NOPERM"):
        await client.command(b"STORE 1 +FLAGS (\\Seen)")


async def test_a_reader_comes_back_with_qresync_to_his_own_state(served: Served) -> None:
    """Modseqs are the owner's counter; what other readers read is nothing that changed."""
    owner, owners, _reader, readers = await _shared(served)
    third, thirds = await served.account()
    await _set(served, owner, third, "lrs")
    name = _name(owners)
    first, second = await served.signed_in(readers), await served.signed_in(readers)
    for client in (first, second):
        await client.command(b"ENABLE QRESYNC")
        answer = await client.command(b"SELECT %b" % name)
    validity, modseq = (int(answer.code(code)[0]) for code in (b"UIDVALIDITY", b"HIGHESTMODSEQ"))
    await second.command(b"UNSELECT")
    await first.command(b"UID STORE 2 +FLAGS.SILENT (\\Seen)")
    await first.command(b"UID STORE 3 +FLAGS.SILENT (\\Deleted)")
    await first.command(b"UID EXPUNGE 3")
    other = await served.signed_in(thirds)
    await other.command(b"SELECT %b" % name)
    await other.command(b"FETCH 1 BODY[]")
    back = await second.command(b"SELECT %b (QRESYNC (%d %d))" % (name, validity, modseq))
    assert b"* VANISHED (EARLIER) 3\r\n" in back.untagged
    changed = [line for line in back.untagged if b"FETCH" in line]
    assert len(changed) == 1
    assert changed[0].startswith(b"* 2 FETCH (UID 2 FLAGS (")
    assert _flags(back) == [b"\\Seen"]
    answer = await second.command(b"UID STORE 2 (UNCHANGEDSINCE %d) +FLAGS (\\Flagged)" % modseq)
    assert answer.code(b"MODIFIED") == [b"2"]


async def test_objects_and_fields_of_anothers_messages(served: Served) -> None:
    """OBJECTID, SAVEDATE, PREVIEW, ENVELOPE, SORT and THREAD know no difference."""
    _, owners, _, readers = await _shared(served, "lr")
    client = await served.signed_in(readers)
    mine = await served.signed_in(owners)
    await client.command(b"EXAMINE %b" % _name(owners))
    await mine.command(b"EXAMINE INBOX")
    for command in (
        b"FETCH 1:* (UID EMAILID THREADID SAVEDATE PREVIEW ENVELOPE BODYSTRUCTURE RFC822.SIZE)",
        b"UID FETCH 2 (BODY.PEEK[TEXT])",
        b"SORT (REVERSE ARRIVAL) UTF-8 ALL",
        b"THREAD REFERENCES UTF-8 ALL",
        b'SEARCH TEXT "body 1"',
    ):
        assert (await client.command(command)).untagged == (await mine.command(command)).untagged


# Rights that change meanwhile ---------------------------------------------------------------------


@pytest.mark.parametrize("letters", ["lswite", ""])
async def test_whoever_may_no_longer_read_is_out_at_the_next_command(
    served: Served, letters: str
) -> None:
    """RFC 4314 §5.1.1; without `l` in the words of a mailbox that is gone."""
    owner, owners, reader, readers = await _shared(served)
    client = await served.signed_in(readers)
    await client.command(b"SELECT %b" % _name(owners))
    await _set(served, owner, reader, letters)
    words = "You may no longer read" if letters else "The selected mailbox is gone"
    with pytest.raises(Lost, match=words):
        await client.command(b"UID FETCH 1:* BODY.PEEK[]")
    again = await served.signed_in(readers)
    with pytest.raises(Refused, match="NOPERM" if letters else "NONEXISTENT"):
        await again.command(b"SELECT %b" % _name(owners))


async def test_nothing_of_it_is_told_behind_an_append_either(served: Served) -> None:
    """APPEND looks at no right on the selected mailbox, and tells what came into it."""
    owner, owners, reader, readers = await _shared(served)
    client, other = await served.signed_in(readers), await served.signed_in(owners)
    message = Literal(b"Subject: x\r\n\r\n\r\n")
    await client.command(b"SELECT %b" % _name(owners))
    await other.command(b"APPEND INBOX ", message)
    answer = await client.command(b"APPEND INBOX ", message)
    assert b"* 4 EXISTS\r\n" in answer.untagged
    await _set(served, owner, reader, "l")
    await other.command(b"APPEND INBOX ", message)
    assert (await client.command(b"APPEND INBOX ", message)).untagged == []
    with pytest.raises(Lost):
        await client.command(b"NOOP")


async def test_keywords_of_mail_that_is_not_shared_are_not_named(served: Served) -> None:
    """FLAGS names what the reader can meet in the mailbox, not all of the account."""
    _owner, owners, _reader, readers = await _shared(served, "lrw")
    client, other = await served.signed_in(readers), await served.signed_in(owners)
    await other.command(b"APPEND Drafts (Secret) ", Literal(b"Subject: x\r\n\r\n\r\n"))
    await other.command(b"SELECT INBOX")
    await other.command(b"STORE 1 +FLAGS (Open)")
    lines = (await client.command(b"SELECT %b" % _name(owners))).untagged
    assert sum(b" Open" in line for line in lines) == 2, "FLAGS and PERMANENTFLAGS"
    await other.command(b"STORE 2 +FLAGS (Later)")
    lines += (await client.command(b"NOOP")).untagged
    assert sum(b"FLAGS (" in line and b"Later" in line for line in lines) == 3
    lines += (await client.command(b"STORE 3 +FLAGS (Mine)")).untagged
    assert any(line.startswith(b"* FLAGS (") and b" Mine" in line for line in lines)
    assert not any(b"ecret" in line for line in lines)


@pytest.mark.parametrize("who", ["everyone", "administrators", "nobody"])
async def test_who_may_give_rights_to_anyone_is_a_setting(place: Place, who: WhoMayGive) -> None:
    """Asked where rights are given: those that are there stay, and can be taken away by whoever may."""
    async with place.open() as store:
        await store.submit(CreateDomain(name="example.org"))
        settings = ImapSettings(starttls=False, anyone=who)
        async with serve(store, settings) as served:
            owner, owners = await served.account()
            administrator, administrators = await served.account()
            await store.submit(GrantRole(account=administrator, role="administrator"))
            team, teams = await served.account(kind="shared")
            await _set(served, team, owner, "lra")
            may = {
                (owners, b"INBOX"): who == "everyone",
                (administrators, b"INBOX"): who != "nobody",
                (teams, b"INBOX"): who != "nobody",
                (owners, _name(teams).replace(b"Other Users", b"Shared Folders")): who != "nobody",
            }
            for (address, mailbox), allowed in may.items():
                client = await served.signed_in(address)
                command = b"SETACL %b anyone lr" % mailbox
                if allowed:
                    await client.command(command)
                else:
                    with pytest.raises(Refused, match=r"NOPERM.* by name"):
                        await client.command(command)
                listed = (await client.command(b"LISTRIGHTS %b anyone" % mailbox)).untagged
                assert (b" lrsw" in listed[0] or b" l r s " in listed[0]) is allowed, listed
            # What is there from before.
            await _set(served, owner, 0, "lrs")
            client = await served.signed_in(owners)
            for letters in (b"+l", b"lr", b"-r", b'""'):
                await client.command(b"SETACL INBOX anyone %b" % letters)
            await client.command(b"DELETEACL INBOX anyone")


async def test_the_bound_of_an_account_is_told_in_words(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("malleposte.store.execute.rights.MAX_GIVEN", 1)
    _, owners, _, _ = await _shared(served, "lr")
    _, thirds = await served.account()
    client = await served.signed_in(owners)
    with pytest.raises(Refused, match=r"\[LIMIT\] The mailboxes of an account .* take some away"):
        await client.command(b"SETACL INBOX %b lr" % thirds.encode())


async def test_nothing_that_is_made_for_others_stands_before_a_third_ones_mailbox(
    served: Served,
) -> None:
    """The owner's own mailboxes come first: one named as a third one's would take the mail meant for it."""
    _owner, owners, _reader, readers = await _shared(served, "lrkx")
    client = await served.signed_in(readers)
    name = _name(owners, "Other Users", "third@example.org")
    with pytest.raises(Refused, match="CANNOT"):
        await client.command(b"CREATE %b" % name)
    await client.command(b"CREATE %b" % _name(owners, "plans"))
    with pytest.raises(Refused, match="CANNOT"):
        await client.command(b"RENAME %b %b" % (_name(owners, "plans"), name))


async def test_a_right_of_a_mailbox_above_counts_below(served: Served) -> None:
    """Nothing of the selected mailbox changes when the list above it does."""
    owner, owners, reader, readers = await _shared(served, "")
    made = await served.store.submit(
        CreateMailbox(actor=owner, account=owner, parent=0, path=("team", "plans"))
    )
    assert isinstance(made, Created)
    above = (await served.store.reader.rows("SELECT parent FROM mailbox WHERE id = $1", made.id))[0]
    await _set(served, owner, reader, "lrswi", above[0])
    client = await served.signed_in(readers)
    await client.command(b"SELECT %b" % _name(owners, "team", "plans"))
    await _set(served, owner, reader, "lr", above[0])
    answer = await client.command(b"NOOP")
    assert any(b"[PERMANENTFLAGS ()]" in line for line in answer.untagged)
    await _set(served, owner, reader, "", above[0])
    with pytest.raises(Lost):
        await client.command(b"NOOP")


async def test_a_mailbox_that_is_renamed_stays_open_and_is_found_by_its_new_name(
    served: Served,
) -> None:
    owner, owners, reader, readers = await _shared(served)
    made = await served.store.submit(
        CreateMailbox(actor=owner, account=owner, parent=0, path=("plans",))
    )
    assert isinstance(made, Created)
    await _set(served, owner, reader, "lr", made.id)
    client = await served.signed_in(readers)
    await client.command(b"SELECT %b" % _name(owners, "plans"))
    await served.store.submit(
        RenameMailbox(actor=owner, mailbox=made.id, parent=0, path=("old", "plans"))
    )
    await client.command(b"NOOP")
    with pytest.raises(Refused, match="NONEXISTENT"):
        await client.command(b"STATUS %b (MESSAGES)" % _name(owners, "plans"))
    assert await _count(client, _name(owners, "old", "plans")) == 0
    with pytest.raises(Refused, match="NONEXISTENT"):
        await client.command(b"STATUS %b (MESSAGES)" % _name(owners, "old"))


async def test_domains_are_shown_as_people_write_them(served: Served) -> None:
    """In names of mailboxes; both forms are understood, in any case."""
    await served.store.submit(CreateDomain(name="xn--bcher-kva.example"))
    made = await served.store.submit(
        CreateAccount(address="zoe@xn--bcher-kva.example", name="", password_hash="$secret")
    )
    assert isinstance(made, Created)
    _, readers = await served.account()
    owner = await served.signed_in("zoe@bücher.example")
    await owner.command(b"SETACL INBOX %b lr" % readers.encode())
    client = await served.signed_in(readers)
    shown = "Other Users/zoe@b&APw-cher.example"
    listed = await client.command(b'LIST "" "Other*/%"')
    assert listed.untagged == [b'* LIST (\\HasNoChildren) "/" "%b"\r\n' % shown.encode()]
    for name in (
        shown,
        "Other Users/Zoe@XN--Bcher-kva.example",
        "Other Users/zoe@B&ANw-CHER.example",
    ):
        assert await _count(client, f'"{name}"'.encode()) == 0
        await client.command(f'SUBSCRIBE "{name}"'.encode())
    assert (await client.command(b'LSUB "" "Other*"')).untagged == [
        b'* LSUB () "/" "%b"\r\n' % shown.encode()
    ]
    await client.command('SETACL INBOX "ZOE@BÜCHER.example" lr'.encode())
    (acl,) = (await client.command(b"GETACL INBOX")).untagged
    assert b"zoe@xn--bcher-kva.example lr" in acl  # not all programs read 8-bit identifiers


# Changes of rights --------------------------------------------------------------------------------


async def _audited(served: Served) -> list[tuple[str, str, str, dict[str, str]]]:
    """Actor, what was done, on whose mailbox, details."""
    rows = await served.store.reader.rows(
        "SELECT actor, operation, target, details FROM audit WHERE outcome = 'done' ORDER BY id"
    )
    return [(*row[:3], msgspec.json.decode(row[3])) for row in rows]


async def test_each_change_of_rights_stands_in_the_audit(served: Served) -> None:
    """Who, on which mailbox, for whom, from what to what; what was refused changed nothing."""
    owner, owners, _, readers = await _shared(served, "")
    _, thirds = await served.account()
    await served.store.submit(
        CreateMailbox(actor=owner, account=owner, parent=0, path=("team", "plans"))
    )
    mine = await served.signed_in(owners)
    for command in (
        b"SETACL INBOX %b lra" % readers.encode(),
        b"SETACL team/plans %b +lr" % readers.upper().encode(),
        b"SETACL team/plans %b l" % thirds.encode(),
        b"DELETEACL team/plans %b" % readers.encode(),
    ):
        await mine.command(command)
    client = await served.signed_in(readers)
    await client.command(b"SETACL %b %b lrs" % (_name(owners), thirds.encode()))
    with pytest.raises(Refused):
        await client.command(b"SETACL %b %b l" % (_name(owners, "team", "plans"), thirds.encode()))
    plans = {"mailbox": "team/plans", "who": readers}
    inboxes = {"mailbox": "INBOX", "before": ""}
    assert await _audited(served) == [
        (owners, "mailbox.give", owners, inboxes | {"who": readers, "after": "lra"}),
        (owners, "mailbox.give", owners, plans | {"before": "", "after": "lr"}),
        (owners, "mailbox.give", owners, plans | {"who": thirds, "before": "", "after": "l"}),
        (owners, "mailbox.take", owners, plans | {"before": "lr", "after": ""}),
        (readers, "mailbox.give", owners, inboxes | {"who": thirds, "after": "lrs"}),
    ]


async def test_changes_of_rights_are_rationed(served: Served) -> None:
    """Each is a line of the audit, which only grows."""
    served.service.changes_of_rights = Hourly(2)
    _, owners, _, readers = await _shared(served, "")
    mine = await served.signed_in(owners)
    for letters in (b"l", b"lr"):
        await mine.command(b"SETACL INBOX %b %b" % (readers.encode(), letters))
    with pytest.raises(Refused, match=r"LIMIT.*ask your administrator"):
        await mine.command(b"DELETEACL INBOX %b" % readers.encode())
    other = await served.signed_in(readers)
    await other.command(b"SETACL INBOX %b l" % owners.encode())
    assert [line[3]["after"] for line in await _audited(served)] == ["l", "lr", "l"]


async def test_who_is_there_is_not_asked_without_end(served: Served) -> None:
    """Answers tell which addresses are in use, and whose an alias is: right and wrong guesses count."""
    served.service.changes_of_rights = Hourly(3)
    _, address = await served.account()
    mine = await served.signed_in(address)
    for command in (b"LISTRIGHTS", b"DELETEACL", b"LISTRIGHTS"):
        with pytest.raises(Refused, match="NONEXISTENT"):
            await mine.command(b"%b INBOX nobody@example.org" % command)
    for command in (b"LISTRIGHTS INBOX %b", b"SETACL INBOX %b lr"):
        with pytest.raises(Refused, match=r"LIMIT.*ask your administrator"):
            await mine.command(command % address.encode())


async def test_another_organisation_is_not_there(served: Served, place: Place) -> None:
    """Its addresses and aliases answer as those that nobody has."""
    await served.store.submit(CreateDomain(name="other.example"))
    made = await served.store.submit(
        CreateAccount(address="tenant@other.example", name="", password_hash="$x")
    )
    assert isinstance(made, Created)
    await served.store.submit(SetAlias(address="alias@other.example", accounts_=(made.id,)))
    async with place.raw() as tx:  # no command makes a second one yet
        await tx.run("UPDATE account SET organisation = organisation + 1 WHERE id = $1", made.id)
    _, address = await served.account()
    mine = await served.signed_in(address)
    for command in (b"LISTRIGHTS INBOX %b", b"SETACL INBOX %b lr", b"DELETEACL INBOX %b"):
        answers: set[str] = set()
        for who in (b"tenant@other.example", b"alias@other.example", b"nobody@example.org"):
            with pytest.raises(Refused) as refused:
                await mine.command(command % who)
            answers.add(str(refused.value))
        assert len(answers) == 1, answers


# Moves between accounts ---------------------------------------------------------------------------


async def test_a_move_that_breaks_off_between_its_halves_doubles_and_loses_nothing(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a kill of the server between the two commits leaves, too: the second never comes."""
    _, owners, _, readers = await _shared(served)
    client = await served.signed_in(readers)
    await client.command(b"SELECT %b" % _name(owners))
    submit = served.store.submit

    async def away(command: AnyCommand, fd: int | None = None) -> AnyResult:
        if isinstance(command, Expunge):
            raise TemporaryFailure("the writer is away")
        return await submit(command, fd)

    monkeypatch.setattr(type(served.store), "submit", staticmethod(away))
    with pytest.raises(Refused, match="UNAVAILABLE"):
        await client.command(b"MOVE 1:2 Archive")
    monkeypatch.undo()
    assert await _count(client, _name(owners)) == 3
    assert await _count(client, b"Archive") == 2
    await client.command(b"MOVE 1:2 Archive")
    assert await _count(client, _name(owners)) == 1
    assert await _count(client, b"Archive") == 4


async def test_a_move_that_may_not_remove_takes_its_copies_back(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The right went between the copy and the removal."""
    owner, owners, reader, readers = await _shared(served)
    client = await served.signed_in(readers)
    await client.command(b"SELECT %b" % _name(owners))
    submit = served.store.submit
    taken: list[AnyCommand] = []

    async def late(command: AnyCommand, fd: int | None = None) -> AnyResult:
        if isinstance(command, Expunge) and not taken:
            taken.append(command)
            await submit(
                SetRights(actor=owner, mailbox=inbox(owner), grantee=reader, letters="lrswi")
            )
        return await submit(command, fd)

    monkeypatch.setattr(type(served.store), "submit", staticmethod(late))
    with pytest.raises(Refused, match="NOPERM"):
        await client.command(b"MOVE 1:2 Archive")
    assert taken
    monkeypatch.undo()
    assert await _count(client, _name(owners)) == 3
    assert await _count(client, b"Archive") == 0


async def test_what_is_moved_out_can_be_brought_back_by_its_owner(served: Served) -> None:
    owner, owners, _, readers = await _shared(served)
    client = await served.signed_in(readers)
    await client.command(b"SELECT %b" % _name(owners))
    await client.command(b"MOVE 2 Archive")
    rows = await served.store.reader.rows(
        "SELECT count(*) FROM recoverable WHERE account = $1", owner
    )
    assert rows[0][0] == 1


async def test_replace_across_accounts(served: Served) -> None:
    """RFC 8508: a draft of a shared account is replaced from one's own mailbox, and back."""
    _, owners, _, readers = await _shared(served)
    client = await served.signed_in(readers)
    await client.command(b"SELECT %b" % _name(owners))
    await client.command(b"REPLACE 1 Drafts ", Literal(b"Subject: new\r\n\r\n\r\n"))
    assert await _count(client, _name(owners)) == 2
    assert await _count(client, b"Drafts") == 1
    await client.command(b"SELECT Drafts")
    await client.command(b"REPLACE 1 %b " % _name(owners), Literal(b"Subject: x\r\n\r\n\r\n"))
    assert await _count(client, _name(owners)) == 3
    assert await _count(client, b"Drafts") == 0


# What somebody without rights can find out --------------------------------------------------------

PROBES = (
    b"SELECT %b",
    b"EXAMINE %b",
    b"EXAMINE %b (QRESYNC (1 1))",
    b"STATUS %b (MESSAGES UIDNEXT UNSEEN)",
    b"GETACL %b",
    b"MYRIGHTS %b",
    b"LISTRIGHTS %b anyone",
    b"SETACL %b anyone lrswipkxtea",
    b"DELETEACL %b anyone",
    b"DELETE %b",
    b"RENAME %b Archive/x",
    b"RENAME Archive %b",
    b"CREATE %b",
    b"SUBSCRIBE %b",
    b'LIST "" %b RETURN (STATUS (MESSAGES) MYRIGHTS SUBSCRIBED)',
    b'LIST (SUBSCRIBED RECURSIVEMATCH) "" %b',
    b'LSUB "" %b',
    b"UNSUBSCRIBE %b",
    b"COPY 1 %b",
    b"MOVE 1 %b",
    b"APPEND %b {3}",
)


async def _said(client: ImapClient, command: bytes, name: bytes) -> list[bytes]:
    """All that is answered, without the tag and with the name made one."""
    tag = client.send(command % name)
    found: list[bytes] = []
    while True:
        line = await client.response()
        line = line.replace(name.strip(b'"'), b"NAME")
        if line.startswith(b"* BYE"):
            raise Lost(line.decode())
        found.append(line.removeprefix(tag))
        if line.startswith(tag):
            return found


@pytest.mark.parametrize("rights", ["", "rswipkxtea"])
async def test_what_may_not_be_looked_up_answers_as_what_is_not_there(
    served: Served, rights: str
) -> None:
    """RFC 4314 §6: byte for byte, whatever rights but `l` there are, for mailboxes and for accounts."""
    owner, owners, reader, readers = await _shared(served, "")
    for level in ("secret", "open"):
        made = await served.store.submit(
            CreateMailbox(actor=owner, account=owner, parent=0, path=(level, "below"))
        )
        assert isinstance(made, Created)
        letters = "lr" if level == "open" else rights
        await _set(served, owner, reader, letters, made.id)
    row = await served.store.reader.row(
        "SELECT id FROM mailbox WHERE account = $1 AND name = 'secret'", owner
    )
    assert row is not None
    await _set(served, owner, reader, rights, row[0])
    _, private = await served.account()  # shares nothing with anybody
    client = await served.signed_in(readers)
    await client.command(b"APPEND INBOX ", Literal(b"Subject: x\r\n\r\n\r\n"))
    await client.command(b"ENABLE QRESYNC")
    pairs = [
        (_name(owners, "secret"), _name(owners, "nowhere")),
        (_name(owners, "secret", "below"), _name(owners, "nowhere", "below")),
        (_name(owners, "open", "secret"), _name(owners, "open", "nowhere")),
        (_name(private), _name("nobody@example.org")),
        (_name(private, "Sent"), _name("nobody@example.org", "Sent")),
        (_name(private, "Sent"), _name(owners, "nowhere")),
    ]
    for there, nowhere in pairs:
        answers: list[list[list[bytes]]] = []
        for name in (there, nowhere):
            answers.append([])
            for probe in PROBES:
                await client.command(b"SELECT INBOX")
                answers[-1].append(await _said(client, probe, name))
        for probe, got, expected in zip(PROBES, *answers, strict=True):
            assert got == expected, probe % there
            assert len(got) < 4, got


async def test_lists_name_nothing_of_what_is_hidden(served: Served) -> None:
    owner, owners, reader, readers = await _shared(served, "")
    made = await served.store.submit(
        CreateMailbox(actor=owner, account=owner, parent=0, path=("secret", "open"))
    )
    assert isinstance(made, Created)
    client = await served.signed_in(readers)
    before = await client.command(b'LIST "" *')
    assert not any(b"Other Users" in line for line in before.untagged)
    await _set(served, owner, reader, "rswipkxtea", made.id)
    assert (await client.command(b'LIST "" *')).untagged == before.untagged
    await _set(served, owner, reader, "l", made.id)
    listed = (await client.command(b'LIST "" "Other*" RETURN (STATUS (MESSAGES))')).untagged
    assert [line.rpartition(b'"/" ')[2] for line in listed] == [
        b'"Other Users"\r\n',
        _name(owners) + b"\r\n",
        _name(owners, "secret") + b"\r\n",
        _name(owners, "secret", "open") + b"\r\n",
    ]


async def test_personal_mailboxes_of_such_names_stay_reachable(served: Served) -> None:
    """An import may have brought them, or they were there before there was sharing."""
    _owner, owners, reader, readers = await _shared(served)
    made = await served.store.submit(
        CreateMailbox(actor=reader, account=reader, parent=0, path=("Other Users", "old"))
    )
    assert isinstance(made, Created)
    client = await served.signed_in(readers)
    await client.command(b'APPEND "Other Users/old" ', Literal(b"Subject: x\r\n\r\n\r\n"))
    assert await _count(client, b'"Other Users/old"') == 1
    assert await _count(client, _name(owners)) == 3
    listed = (await client.command(b'LIST "" "Other*"')).untagged
    assert sorted(listed) == [
        b'* LIST (\\HasChildren) "/" "Other Users"\r\n',
        b'* LIST (\\HasNoChildren) "/" "Other Users/old"\r\n',
        b'* LIST (\\HasNoChildren) "/" %b\r\n' % _name(owners),
    ]
    await client.command(b'RENAME "Other Users/old" old')
    await client.command(b'DELETE "Other Users"')
    listed = (await client.command(b'LIST "" "Other*"')).untagged
    assert listed[0] == b'* LIST (\\Noselect \\HasChildren) "/" "Other Users"\r\n'


async def test_a_personal_mailbox_stands_above_what_others_share(served: Served) -> None:
    """It has the owner's name, hides his INBOX, and is told to have children: his other mailbox."""
    owner, owners = await served.account()
    reader, readers = await served.account()
    for account, path in ((owner, ("box",)), (reader, ("Other Users", owners))):
        made = await served.store.submit(
            CreateMailbox(actor=account, account=account, parent=0, path=path)
        )
        assert isinstance(made, Created)
        if account == owner:
            for mailbox in (made.id, inbox(owner)):
                await served.store.submit(
                    SetRights(actor=owner, mailbox=mailbox, grantee=reader, letters="lr")
                )
    client = await served.signed_in(readers)
    listed = (await client.command(b'LIST "" "Other*"')).untagged
    name = f"Other Users/{owners}".encode()
    assert sorted(listed) == [
        b'* LIST (\\HasChildren) "/" "Other Users"\r\n',
        b'* LIST (\\HasChildren) "/" "%b"\r\n' % name,
        b'* LIST (\\HasNoChildren) "/" "%b/box"\r\n' % name,
    ]


async def test_lists_cost_one_statement_more_where_nothing_is_shared(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no more for each account, where many share."""
    _, address = await served.account()
    client = await served.signed_in(address)
    reader = type(served.store.reader)
    rows = reader.rows
    asked: list[str] = []

    async def counted(self: object, sql: object, *parameters: object) -> list[Row]:
        asked.append(str(sql))
        return await rows(self, sql, *parameters)  # type: ignore[arg-type]

    monkeypatch.setattr(reader, "rows", counted)
    await client.command(b'LIST "" *')
    alone, asked[:] = len(asked), []
    assert alone == 3, asked
    monkeypatch.undo()
    (signed_in,) = served.service.sessions
    for _ in range(5):
        owner, _ = await served.account()
        await _set(served, owner, signed_in, "lr")
    monkeypatch.setattr(reader, "rows", counted)
    await client.command(b'LIST "" *')
    assert len(asked) == alone + 4, (
        "which names are subscribed, who, what of theirs, and these whole"
    )
