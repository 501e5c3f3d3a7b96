"""fsck: finds each kind of damage, says what it means, and what it repairs stays repaired."""

import itertools
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from malleposte.store import alone
from malleposte.store.batch import Submission, decode_result, execute
from malleposte.store.commands import AnyCommand, CreateMailbox, Render, RepairAccount
from malleposte.store.content import FRAME, blob_path, in_file
from malleposte.store.dialect import Tx
from malleposte.store.flags import SEEN
from malleposte.store.fsck import Finding, Kind, check, repairs
from malleposte.store.fsck.finding import REPAIRED_BY_ACCOUNT, REPAIRED_BY_RENDERING
from malleposte.store.results import AnyResult, Delivered, Done, Refused
from malleposte.store.sqlite import Sqlite
from support.store import Clock, House, Place, deliver, inbox, rendered

Damage = Callable[[Tx, int], Awaitable[Any]]


async def filled(house: House) -> int:
    """An account that has some of everything."""
    account, other = await house.account("one"), await house.account("two")
    box = inbox(account)
    deep = await house.mailbox(account, "a", "b")
    for n in range(4):
        about = rendered(message_id=f"m{n}", references=("m0",) if n else ())
        await house.deliver(account, about=about, keywords=("k", "z"), prefix=b"P: p\r\n")
    await house.flag(box, ((1, 1),), flags=SEEN)
    await house.flag(box, ((2, 2),), deleted=True)
    await house.copy(box, deep, ((1, 2),))
    await house.expunge(box, ((4, 4),))
    await house.grant(deep, other, "lrs")
    await house.flag(deep, actor=other, flags=SEEN)
    await house.fill(other, 1)
    assert await house.fsck() == []
    return account


def sql(text: str, *parameters: Any) -> Damage:
    return lambda tx, account: tx.run(text, *(p(account) for p in parameters))


def email(n: int) -> Callable[[int], int]:
    return lambda account: account << 32 | n


def mailbox(n: int) -> Callable[[int], int]:
    return lambda account: account << 32 | n


def me(account: int) -> int:
    return account


def note(*place: Callable[[int], int]) -> Damage:
    """An entry of METADATA at (account, mailbox, reader)."""
    return sql(
        "INSERT INTO annotation (account, mailbox, reader, name, modseq, value)"
        " VALUES ($1, $2, $3, '/a', 1, $4)",
        *place,
        lambda _: b"x",
    )


def queued(damage: str) -> Damage:
    """A message on its way, and then something wrong with it."""

    async def do(tx: Tx, _: int) -> None:
        await tx.run(
            "INSERT INTO queue_message (id, trace, account, sender, blob, prefix, size, needs, ret,"
            " envelope, created_at, expires_at, held) SELECT 0, 1, 1, '', min(id), $1, 1, 0, '', '',"
            " 1, 1, '' FROM blob",
            b"",
        )
        await tx.run(
            "INSERT INTO queue_recipient (message, n, address, route, notify, original, state,"
            " due_at, attempts, warned, said) VALUES (0, 0, 'a@b', 'b', '', '', 0, 5, 0, 0, '')"
        )
        await tx.run(
            "INSERT INTO queue_route (route, due_at, closed_until, failures, said)"
            " VALUES ('b', 5, 0, 0, '')"
        )
        await tx.run(damage)

    return do


def nobody(_: int) -> int:
    return 4711


def none(_: int) -> int:
    return 0


A, B = 7, 8  # numbers of the mailboxes a and a/b

ONE = "UPDATE mailbox SET {} WHERE id = $1"


async def deleted(tx: Tx, account: int) -> None:
    """A mailbox deleted with what is in it, whose job is gone."""
    box = mailbox(B)(account)
    await tx.run(
        "INSERT INTO gone_mailbox (id, account, path, until) VALUES ($1, $2, 'a/b', 1)",
        box,
        account,
    )
    await tx.run("DELETE FROM mailbox WHERE id = $1", box)


DAMAGE: dict[str, tuple[Kind, Damage]] = {
    "too many messages": (Kind.MAILBOX_COUNTERS, sql(ONE.format("messages = 9"), mailbox(1))),
    "too few unseen": (Kind.MAILBOX_COUNTERS, sql(ONE.format("unseen = 0"), mailbox(1))),
    "wrong deleted": (Kind.MAILBOX_COUNTERS, sql(ONE.format("deleted = 3"), mailbox(1))),
    "wrong size": (Kind.MAILBOX_COUNTERS, sql(ONE.format("size = 3"), mailbox(1))),
    "uidnext in use": (Kind.UIDNEXT, sql(ONE.format("uidnext = 3"), mailbox(1))),
    "recent past the next": (Kind.RECENT_FROM, sql(ONE.format("recent_from = 99"), mailbox(1))),
    "recent before the first": (Kind.RECENT_FROM, sql(ONE.format("recent_from = 0"), mailbox(1))),
    "messages changed later": (
        Kind.MAILBOX_MODSEQ,
        sql(ONE.format("message_modseq = 1"), mailbox(1)),
    ),
    "mailbox of the future": (
        Kind.MAILBOX_MODSEQ,
        sql(ONE.format("modseq = 999999"), mailbox(1)),
    ),
    "parent gone": (Kind.MAILBOX_PARENT, sql(ONE.format("parent = 4711"), mailbox(A))),
    "parents in a ring": (
        Kind.MAILBOX_PARENT,
        sql("UPDATE mailbox SET parent = $1 WHERE id = $2", mailbox(B), mailbox(A)),
    ),
    "bad name": (Kind.MAILBOX_NAME, sql(ONE.format("name = 'x/y'"), mailbox(A))),
    "deleted and there": (
        Kind.MAILBOX_GONE,
        sql(
            "INSERT INTO gone_mailbox (id, account, path, until) VALUES ($1, $2, 'a', 1)",
            mailbox(A),
            me,
        ),
    ),
    "deleted and never swept": (Kind.MAILBOX_FORGOTTEN, deleted),
    "the number of a deleted mailbox to be given again": (
        Kind.NEXT_IDS,
        sql(
            "INSERT INTO gone_mailbox (id, account, path, until) VALUES ($1, $2, 'x', 1)",
            mailbox(B + 1),
            me,
        ),
    ),
    "a note on nothing": (Kind.ANNOTATION_STRAY, note(me, mailbox(99), none)),
    "a note on another's mailbox": (
        Kind.ANNOTATION_STRAY,
        note(me, lambda account: (account + 1) << 32 | 1, none),
    ),
    "a note of a reader who is gone": (
        Kind.ANNOTATION_STRAY,
        note(me, mailbox(1), nobody),
    ),
    "a note on the server that nobody sees": (
        Kind.ANNOTATION_STRAY,
        note(me, none, none),
    ),
    "a role twice": (Kind.MAILBOX_ROLE, sql(ONE.format("role = 'sent'"), mailbox(A))),
    "another's mailbox": (Kind.MAILBOX_STRAY, sql(ONE.format("account = 4711"), mailbox(A))),
    "one uidvalidity for two": (
        Kind.UIDVALIDITY_TWICE,
        sql(
            "UPDATE mailbox SET uidvalidity = (SELECT max(uidvalidity) FROM mailbox WHERE id <> $1)"
            " WHERE id = $1 OR uidvalidity = (SELECT max(uidvalidity) FROM mailbox WHERE id <> $1)",
            mailbox(A),
        ),
    ),
    "inbox gone": (Kind.INBOX_MISSING, sql("DELETE FROM mailbox WHERE id = $1", mailbox(1))),
    "mailbox gone": (
        Kind.MEMBERSHIP_WITHOUT_MAILBOX,
        sql("DELETE FROM mailbox WHERE id = $1", mailbox(B)),
    ),
    "email gone": (
        Kind.MEMBERSHIP_WITHOUT_EMAIL,
        sql("DELETE FROM email WHERE id = $1", email(1)),
    ),
    "twice in one mailbox": (
        Kind.MEMBERSHIP_TWICE,
        sql(
            "INSERT INTO membership (mailbox, uid, email, deleted, saved_at)"
            " VALUES ($1, 90, $2, 0, 0)",
            mailbox(1),
            email(1),
        ),
    ),
    "membership gone": (
        Kind.EMAIL_MAILBOXES,
        sql("DELETE FROM membership WHERE email = $1", email(1)),
    ),
    "mailboxes counted wrong": (
        Kind.EMAIL_MAILBOXES,
        sql("UPDATE email SET mailboxes = 1 WHERE id = $1", email(1)),
    ),
    "in no mailbox": (
        Kind.EMAIL_UNLISTED,
        sql("DELETE FROM recoverable WHERE email = $1", email(4)),
    ),
    "living and recoverable": (
        Kind.RECOVERABLE_LISTED,
        sql(
            "INSERT INTO recoverable (email, account, mailbox, at, until) VALUES ($1, $2, 1, 1, 1)",
            email(1),
            me,
        ),
    ),
    "recoverable and gone": (
        Kind.RECOVERABLE_STRAY,
        sql(
            "INSERT INTO recoverable (email, account, mailbox, at, until) VALUES ($1, $2, 1, 1, 1)",
            email(77),
            me,
        ),
    ),
    "changed before it came": (
        Kind.EMAIL_MODSEQ,
        sql("UPDATE email SET created_modseq = modseq + 1 WHERE id = $1", email(1)),
    ),
    "changed in the future": (
        Kind.EMAIL_MODSEQ,
        sql("UPDATE email SET modseq = 999999 WHERE id = $1", email(1)),
    ),
    "size": (Kind.EMAIL_SIZE, sql("UPDATE email SET size = 1 WHERE id = $1", email(1))),
    "thread": (Kind.EMAIL_THREAD, sql("UPDATE email SET thread = 5 WHERE id = $1", email(1))),
    "another's email": (
        Kind.EMAIL_ACCOUNT,
        sql("UPDATE email SET account = 4711 WHERE id = $1", email(1)),
    ),
    "keywords unsorted": (
        Kind.EMAIL_KEYWORDS,
        sql("UPDATE email SET keywords = 'z k' WHERE id = $1", email(1)),
    ),
    "keyword unknown": (
        Kind.KEYWORD_UNKNOWN,
        sql("DELETE FROM keyword WHERE account = $1 AND name = 'z'", me),
    ),
    "wide row gone": (Kind.EMAIL_WIDE, sql("DELETE FROM email_wide WHERE id = $1", email(1))),
    "wide row of nothing": (
        Kind.WIDE_STRAY,
        sql("UPDATE email_wide SET id = $1 WHERE id = $2", email(77), email(4)),
    ),
    "content gone": (
        Kind.EMAIL_CONTENT,
        sql("DELETE FROM blob WHERE id = (SELECT blob FROM email WHERE id = $1)", email(1)),
    ),
    "another organisation's content": (
        Kind.BLOB_ORGANISATION,
        sql(
            "UPDATE blob SET organisation = 9 WHERE id = (SELECT blob FROM email WHERE id = $1)",
            email(1),
        ),
    ),
    "frame gone": (
        Kind.BLOB_FRAMES,
        sql(
            "DELETE FROM blob_frame WHERE id / 4096 = (SELECT blob FROM email WHERE id = $1)",
            email(1),
        ),
    ),
    "frames of nothing": (
        Kind.FRAMES_STRAY,
        sql("INSERT INTO blob_frame (id, data) VALUES (4096 * 777, $1)", lambda _: b"x"),
    ),
    "frame cut": (
        Kind.BLOB_FRAMES,
        sql(
            "UPDATE blob_frame SET data = substr(data, 1, 9) WHERE id = (SELECT min(id) FROM blob_frame)"
        ),
    ),
    "other bytes": (
        Kind.BLOB_CONTENT,
        sql(
            "UPDATE blob SET digest = $1 WHERE id = (SELECT min(id) FROM blob)", lambda _: b"d" * 32
        ),
    ),
    "no digest": (
        Kind.BLOB_CONTENT,
        sql("UPDATE blob SET digest = $1 WHERE id = (SELECT min(id) FROM blob)", lambda _: b"d"),
    ),
    "no such place": (
        Kind.BLOB_CONTENT,
        sql("UPDATE blob SET place = 'moon' WHERE id = (SELECT min(id) FROM blob)"),
    ),
    "usage": (Kind.USED, sql("UPDATE account_head SET used_bytes = 1 WHERE account = $1", me)),
    "recoverable octets": (
        Kind.RECOVERABLE_COUNTED,
        sql("UPDATE account_head SET recoverable_bytes = 1 WHERE account = $1", me),
    ),
    "next email in use": (
        Kind.NEXT_IDS,
        sql("UPDATE account_head SET next_email = 2 WHERE account = $1", me),
    ),
    "next mailbox in use": (
        Kind.NEXT_IDS,
        sql("UPDATE account_head SET next_mailbox = 2 WHERE account = $1", me),
    ),
    "next thread in use": (
        Kind.NEXT_IDS,
        sql("UPDATE account_head SET next_thread = 1 WHERE account = $1", me),
    ),
    "head behind": (
        Kind.HEAD_MODSEQ,
        sql("UPDATE account_head SET modseq = 3 WHERE account = $1", me),
    ),
    "uidvalidity behind": (
        Kind.HEAD_UIDVALIDITY,
        sql("UPDATE account_head SET uidvalidity = 3 WHERE account = $1", me),
    ),
    "floor of the future": (
        Kind.TOMBSTONE_MODSEQ,
        sql("UPDATE account_head SET tombstone_floor = 999999 WHERE account = $1", me),
    ),
    "a living uid is dead": (
        Kind.TOMBSTONE_LIVING,
        sql("UPDATE tombstone SET first = 3 WHERE account = $1 AND kind = 'uid'", me),
    ),
    "a living email is dead": (
        Kind.TOMBSTONE_LIVING,
        sql("UPDATE tombstone SET first = $1 WHERE kind = 'email'", email(2)),
    ),
    "a living mailbox is dead": (
        Kind.TOMBSTONE_LIVING,
        sql(
            "INSERT INTO tombstone (account, kind, container, modseq, first, last, at)"
            " VALUES ($1, 'mailbox', 0, 2, $2, $3, 0)",
            me,
            mailbox(2),
            mailbox(2),
        ),
    ),
    "a living thread is dead": (
        Kind.TOMBSTONE_LIVING,
        sql(
            "INSERT INTO tombstone (account, kind, container, modseq, first, last, at)"
            " SELECT account, 'thread', 0, modseq, thread, thread, 0 FROM email WHERE id = $1",
            email(1),
        ),
    ),
    "replies go to another's thread": (
        Kind.THREAD_REFERENCE,
        sql("UPDATE thread_reference SET thread = 5 WHERE account = $1", me),
    ),
    "head gone": (
        Kind.HEAD_MISSING,
        sql("DELETE FROM account_head WHERE account = $1", me),
    ),
    "account gone": (Kind.HEAD_STRAY, sql("DELETE FROM account WHERE id = $1", me)),
    "mail of nobody": (
        Kind.EMAIL_STRAY,
        sql("UPDATE email SET id = $1 WHERE id = $2", lambda _: 99 << 32 | 1, email(4)),
    ),
    "domain gone": (
        Kind.ADDRESS,
        sql("DELETE FROM domain"),
    ),
    "reaches nobody": (Kind.ADDRESS, sql("DELETE FROM address_target WHERE account = $1", me)),
    "target of nothing": (
        Kind.ADDRESS_TARGET,
        sql("DELETE FROM address WHERE address = 'one@example.org'"),
    ),
    "target of a deleted account": (
        Kind.ADDRESS_TARGET,
        sql("UPDATE account SET status = 'deleted' WHERE id = $1", me),
    ),
    "a group of which nothing is known": (
        Kind.ADDRESS,
        sql("INSERT INTO address VALUES ('g@example.org', 1, 'group', 1)"),
    ),
    "a group without an address": (
        Kind.ADDRESS,
        sql("INSERT INTO mail_group VALUES ('g@example.org', '', 'anyone', 0)"),
    ),
    "a member that is gone": (
        Kind.ADDRESS_TARGET,
        sql("INSERT INTO group_member VALUES ('g@example.org', 4711, '', 1, 0)"),
    ),
    "a forward that is off": (
        Kind.ROW_STRAY,
        sql("INSERT INTO forward VALUES ($1, 'x@far.example')", me),
    ),
    "own address elsewhere": (
        Kind.ACCOUNT_ADDRESS,
        sql("UPDATE account SET address = 'three@example.org' WHERE id = $1", me),
    ),
    "no postmaster": (
        Kind.SYSTEM_ADDRESS,
        sql("DELETE FROM address WHERE address = 'postmaster@example.org'"),
    ),
    "credential of nobody": (
        Kind.ROW_STRAY,
        sql("UPDATE credential SET account = 99 WHERE account = $1", me),
    ),
    "one-time codes of nobody": (
        Kind.ROW_STRAY,
        sql("INSERT INTO totp VALUES (99, 1, 1, 0)"),
    ),
    "second step that nobody can take": (
        Kind.ROW_STRAY,
        sql("UPDATE account SET second_factor = 1 WHERE id = $1", me),
    ),
    "right to send of nobody": (
        Kind.ROW_STRAY,
        sql("INSERT INTO send_right VALUES ('one@example.org', 4711, 'as', 1, 'x')"),
    ),
    "right to send from nothing": (
        Kind.ROW_STRAY,
        sql("INSERT INTO send_right VALUES ('gone@example.org', $1, 'as', 1, 'x')", me),
    ),
    "network of no device": (
        Kind.ROW_STRAY,
        sql("INSERT INTO device_network VALUES ($1, '192.0.2.7/32')", me),
    ),
    "limit of nobody": (Kind.ROW_STRAY, sql("INSERT INTO send_limit VALUES (1, 4711, 1, 1, 0)")),
    "limit of no domain": (
        Kind.ROW_STRAY,
        sql("INSERT INTO send_limit VALUES (2, 4711, 1, 1, 0)"),
    ),
    "a note of nobody": (Kind.ROW_STRAY, note(nobody, none, nobody)),
    "a deleted mailbox of nobody": (
        Kind.ROW_STRAY,
        sql("INSERT INTO gone_mailbox (id, account, path, until) VALUES (1, 4711, 'a', 1)"),
    ),
    "rights on nothing": (Kind.ROW_STRAY, sql("UPDATE mailbox_right SET mailbox = mailbox + 50")),
    "rights of nobody": (
        Kind.ROW_STRAY,
        sql(
            "INSERT INTO mailbox_right (mailbox, grantee, letters) VALUES ($1, 4711, 'lr')",
            mailbox(8),
        ),
    ),
    "a list without its owner": (
        Kind.RIGHTS_LIST,
        sql("DELETE FROM mailbox_right WHERE grantee = $1", me),
    ),
    "seen by nobody": (Kind.ROW_STRAY, sql("UPDATE reader_seen SET reader = 4711")),
    "seen of nothing": (Kind.ROW_STRAY, sql("UPDATE reader_seen SET email = email + 50")),
    "upload of nothing": (
        Kind.ROW_STRAY,
        sql("INSERT INTO upload (account, id, blob, until) VALUES (1, 1, 999, 1)"),
    ),
    "send of nothing": (
        Kind.ROW_STRAY,
        sql(
            "INSERT INTO scheduled_send (account, email, send_at, payload) VALUES (1, 999, 1, $1)",
            lambda _: b"",
        ),
    ),
    "job": (
        Kind.JOB_LEASE,
        sql(
            "INSERT INTO job (id, kind, key, payload, run_at, until) VALUES (1, 'k', 'k', $1, 1, 99)",
            lambda _: b"",
        ),
    ),
    "queued recipient": (Kind.ROW_STRAY, queued("DELETE FROM queue_message")),
    "queued message": (Kind.ROW_STRAY, queued("DELETE FROM queue_recipient")),
    "queued content": (Kind.ROW_STRAY, queued("UPDATE queue_message SET blob = 4711")),
    "route gone": (Kind.QUEUE_ROUTE, queued("DELETE FROM queue_route")),
    "route late": (Kind.QUEUE_ROUTE, queued("UPDATE queue_route SET due_at = 99")),
    "directory head gone": (Kind.DIRECTORY_HEAD, sql("DELETE FROM directory_head")),
    "another schema": (
        Kind.SCHEMA,
        sql(
            "INSERT INTO migration (step, name, applied_at, rows_before, rows_after)"
            " VALUES (999, 'x', 1, '', '')"
        ),
    ),
}


async def findings(house: House, tx: Tx, *, deep: bool = True) -> list[Finding]:
    return [f async for f in check(tx, house.store.blobs, deep=deep)]


async def run(tx: Tx, command: AnyCommand) -> AnyResult:
    """Execute a command in a transaction that will not be committed."""
    outcome = await execute(tx, [Submission(77, next(_keys), command)], int(time.time()))
    return decode_result(outcome.results[0])


_keys = itertools.count(1)


async def test_each_kind_of_damage_is_found(house: House) -> None:
    """Each case in a transaction that sees the damage and is then given up."""
    account = await filled(house)
    wrong: dict[str, Any] = {}
    for name, (kind, damage) in DAMAGE.items():
        async with house.trial() as tx:
            await damage(tx, account)
            found = await findings(house, tx, deep=kind is Kind.BLOB_CONTENT)
            if kind not in {finding.kind for finding in found}:
                wrong[name] = found
            for finding in found:
                if not finding.object or len(finding.text) < 10:
                    wrong[name] = finding
                rendered_again = finding.kind in REPAIRED_BY_RENDERING
                if finding.repairable != (rendered_again or bool(repairs([finding]))):
                    wrong[name] = finding
    assert wrong == {}


async def test_what_is_derived_is_repaired(house: House) -> None:
    account = await filled(house)
    wrong: dict[str, Any] = {}
    for name, (kind, damage) in DAMAGE.items():
        if kind in REPAIRED_BY_ACCOUNT | REPAIRED_BY_RENDERING:
            async with house.trial() as tx:
                await damage(tx, account)
                problem = await _repair(house, tx, account)
                if problem:
                    wrong[name] = problem
    assert wrong == {}


async def test_repair_of_all_at_once(house: House) -> None:
    """Many kinds of damage together, as a bad disk does them."""
    account = await filled(house)
    async with house.trial() as tx:
        for kind, damage in DAMAGE.values():
            if kind in REPAIRED_BY_ACCOUNT | REPAIRED_BY_RENDERING:
                await damage(tx, account)
        assert await _repair(house, tx, account) is None


async def _repair(house: House, tx: Tx, account: int) -> Any:
    """What is wrong after a repair: nothing may be lost, a second run must have nothing to do."""
    emails = sorted(await tx.rows("SELECT id, blob FROM email"))
    for command in repairs(await findings(house, tx, deep=False)):
        await run(tx, command)
    lost = "SELECT id, blob FROM email e WHERE id NOT IN (SELECT id FROM email_wide) ORDER BY id"
    for number, blob in await tx.rows(lost):
        await run(tx, Render(email=number, blob=blob, rendered=rendered()))
    left = [f for f in await findings(house, tx, deep=False) if f.repairable]
    if left:
        return left
    if sorted(await tx.rows("SELECT id, blob FROM email")) != emails:
        return "emails are gone"
    again = await run(tx, RepairAccount(account=account))
    if not isinstance(again, Done) or again.count:
        return again
    for command in (
        deliver(account),
        CreateMailbox(actor=account, account=account, parent=0, path=("after the repair",)),
    ):
        answer = await run(tx, command)
        if isinstance(answer, Refused) or (
            isinstance(answer, Delivered) and answer.filed[0].refused
        ):
            return answer
    return None


async def test_every_kind_is_tried() -> None:
    """Damage that no case above does is done below, or needs the disk."""
    elsewhere = {
        Kind.ENGINE,
        Kind.UNREADABLE,
        Kind.BLOB_FILE,
        Kind.FILE_STRAY,
        Kind.NEXT_NUMBERS,
        # In test_contacts.
        Kind.CONTACT_COUNTERS,
        Kind.CARD_STRAY,
        Kind.CARD_NOWHERE,
        Kind.CARD_CONTENT,
    }
    assert {kind for kind, _ in DAMAGE.values()} | elsewhere == set(Kind)


@pytest.mark.parametrize(
    "name", ["blob", "account", "domain", "organisation", "job", "queue_message"]
)
async def test_numbers_in_use_are_found_and_repaired(house: House, name: str) -> None:
    await filled(house)
    if name == "queue_message":
        async with house.place.raw() as tx:
            await queued("UPDATE queue_message SET id = 5")(tx, 0)
            await tx.run("UPDATE queue_recipient SET message = 5")
    if name == "job":
        await house.damage(
            "INSERT INTO job (id, kind, key, payload, run_at) VALUES (5, 'k', 'k', $1, 1)", b""
        )
    if house.place.dsn:
        await house.reset_sequence(name)
    else:
        await house.damage("UPDATE sequence SET next = 1 WHERE name = $1", name)
    (finding,) = await house.fsck()
    assert finding.kind is Kind.NEXT_NUMBERS
    assert finding.repairable
    (command,) = repairs([finding])
    await house.do(command, Done)
    assert await house.fsck() == []
    account = await house.account("three")
    await house.fill(account, 1)
    await house.domain("example.net")
    assert await house.fsck() == []


@pytest.mark.parametrize(
    "damage", ["DELETE FROM queue_route", "UPDATE queue_route SET due_at = 99"]
)
async def test_routes_are_made_anew(house: House, damage: str) -> None:
    await filled(house)
    async with house.place.raw() as tx:
        await queued(damage)(tx, 0)
    (finding,) = await house.fsck()
    assert finding.repairable
    for command in repairs([finding]):
        await house.do(command, Done)
    assert await house.fsck() == []
    assert await house.rows("SELECT route, due_at FROM queue_route") == [("b", 5)]


async def test_a_lost_mailbox_comes_back_with_its_messages(house: House) -> None:
    account = await filled(house)
    before = await house.info(mailbox(B)(account))
    await house.damage("DELETE FROM mailbox WHERE id = $1", mailbox(B)(account))
    await house.do(RepairAccount(account=account), Done)
    after = await house.info(mailbox(B)(account))
    assert (after.name, after.parent, after.messages) == ("Recovered", 0, before.messages)
    assert after.uidvalidity > before.uidvalidity
    assert after.uidnext == before.uidnext
    assert await house.fsck() == []


async def test_a_dead_uid_leaves_a_tombstone_and_is_not_given_again(house: House) -> None:
    account = await filled(house)
    view = await house.store.views.open(inbox(account))
    await house.damage("DELETE FROM email WHERE id = $1", email(3)(account))
    await house.do(RepairAccount(account=account), Done)
    await view.refresh()
    assert list(view.uids) == await house.uids(inbox(account)) == [1, 2]
    assert (await house.deliver(account)).uid == 5


async def test_what_nobody_could_see_becomes_recoverable(house: House) -> None:
    account = await filled(house)
    await house.damage("DELETE FROM membership WHERE email = $1", email(1)(account))
    await house.do(RepairAccount(account=account), Done)
    rows = await house.rows("SELECT email, until FROM recoverable ORDER BY email")
    assert [row[0] for row in rows] == [email(1)(account), email(4)(account)]
    assert rows[0][1] > time.time() + 29 * 86_400
    assert await house.fsck() == []


async def test_only_some_accounts(house: House) -> None:
    account = await filled(house)
    await house.damage("UPDATE mailbox SET messages = 9")
    reader = house.store.reader
    found = [f async for f in check(reader, house.store.blobs, accounts=[account])]
    assert {finding.account for finding in found} == {account}
    assert [f async for f in check(reader, accounts=[])] == []


async def test_progress_is_told(house: House) -> None:
    await filled(house)
    told: list[tuple[str, int, int]] = []
    findings = check(
        house.store.reader,
        house.store.blobs,
        deep=True,
        progress=lambda *step: told.append(step),
    )
    assert [f async for f in findings] == []
    stages = {stage for stage, _, _ in told}
    assert {"accounts", "directory", "content"} <= stages
    assert all(done <= total for _, done, total in told)
    last = {stage: (done, total) for stage, done, total in told}
    assert all(done == total for done, total in last.values())


async def test_too_many_of_a_kind_are_counted(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("malleposte.store.fsck.MAX_SAME", 2)
    account = await house.account()
    await house.fill(account, 5)
    await house.damage("UPDATE email SET size = 1")
    found = [f for f in await house.fsck() if f.kind is Kind.EMAIL_SIZE]
    assert len(found) == 3
    assert found[-1].text == "3 more of this kind"


async def test_slices_see_every_row(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("malleposte.store.fsck.emails.SLICE", 2)
    monkeypatch.setattr("malleposte.store.fsck.blobs.SLICE", 2)
    account = await house.account()
    await house.fill(account, 5)
    assert await house.fsck() == []
    await house.damage("UPDATE email SET size = size + 1")
    await house.damage("UPDATE blob SET stored = stored + 1")
    kinds = [finding.kind for finding in await house.fsck()]
    assert kinds.count(Kind.EMAIL_SIZE) == 5
    assert kinds.count(Kind.BLOB_FRAMES) == 5


async def test_a_store_in_use_gives_no_false_alarm(house: House) -> None:
    """Each statement sees one state, whatever happens between two."""
    busy = _Busy(house, await filled(house))
    assert [f async for f in check(busy, house.store.blobs)] == []


class _Busy:
    """A reader before whose every statement something changes."""

    def __init__(self, house: House, account: int) -> None:
        self._house = house
        self._account = account
        self.dialect = house.store.reader.dialect

    async def _change(self) -> None:
        account, box = self._account, inbox(self._account)
        await self._house.deliver(account, keywords=(f"new{time.monotonic_ns()}",))
        uids = await self._house.uids(box)
        await self._house.flag(box, ((uids[-1], uids[-1]),), flags=SEEN)
        if len(uids) > 3:
            await self._house.expunge(box, ((uids[0], uids[0]),))

    async def rows(self, *args: Any) -> Any:
        await self._change()
        return await self._house.store.reader.rows(*args)

    async def row(self, *args: Any) -> Any:
        await self._change()
        return await self._house.store.reader.row(*args)


# SQLite: files and the database file ---------------------------------------------------------------


@pytest.fixture
async def large(house: House) -> tuple[int, Path]:
    """A blob that is a file, and its path."""
    if house.place.dsn:
        pytest.skip("no files on PostgreSQL")
    account = await house.account()
    what, descriptor = in_file(memoryview(os.urandom(FRAME + 5)), house.store.blobs)
    try:
        await house.do(deliver(account, what=what), Delivered, descriptor)
    finally:
        os.close(descriptor)
    ((blob,),) = await house.rows("SELECT id FROM blob")
    return blob, blob_path(house.store.blobs, blob)


async def test_files_are_looked_at(house: House, large: tuple[int, Path]) -> None:
    _, path = large
    assert await house.fsck() == []
    house.damaged = True
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    (finding,) = await house.fsck(deep=False)
    assert finding.kind is Kind.BLOB_FILE
    path.unlink()
    (finding,) = await house.fsck(deep=False)
    assert finding.kind is Kind.BLOB_FILE
    assert not finding.repairable
    path.write_bytes(whole[:1000] + bytes([whole[1000] ^ 1]) + whole[1001:])
    assert await house.fsck(deep=False) == []
    (finding,) = await house.fsck(deep=True)
    assert finding.kind is Kind.BLOB_CONTENT


async def test_stray_files_are_named_once_they_are_old(
    house: House, large: tuple[int, Path]
) -> None:
    blob, path = large
    house.damaged = True
    strays = [
        path.with_name(f"{blob + 256}"),
        path.with_name(f"{blob}.new"),
        path.with_name(f"{blob + 1}"),  # the wrong folder for it
    ]
    for stray in strays:
        stray.write_bytes(b"x")
    assert await house.fsck() == []
    for stray in strays:
        os.utime(stray, (1, 1))
    found = await house.fsck()
    assert {finding.kind for finding in found} == {Kind.FILE_STRAY}
    assert sorted(finding.object for finding in found) == sorted(
        f"file {s.parent.name}/{s.name}" for s in strays
    )


@pytest.fixture
async def closed(tmp_path: Path) -> Place:
    """A closed store on SQLite with some mail in it."""
    place = Place(tmp_path / "data")
    async with place.open() as store:
        house = House(store, place, Clock())
        await house.domain("example.org")
        await house.fill(await house.account(), 20)
    return place


async def examine(place: Place) -> list[Finding]:
    async with alone(place.folder) as store:
        return [f async for f in check(store.reader, store.blobs, deep=True)]


async def test_an_index_that_disagrees_with_its_table_is_found(closed: Place) -> None:
    assert await examine(closed) == []
    db = Sqlite(closed.database, writable=True)
    pages = {
        str(name): page
        for name, page in db.connection.execute("SELECT name, rootpage FROM sqlite_schema")
    }
    db.connection.execute("PRAGMA writable_schema = ON")
    for name, other in (("email_thread", "email_blob"), ("email_blob", "email_thread")):
        db.connection.execute(
            "UPDATE sqlite_schema SET rootpage = ? WHERE name = ?", (pages[other], name)
        )
    db.close()
    assert Kind.ENGINE in {f.kind for f in await examine(closed)}


async def test_what_sqlite_finds_is_told_in_one_line(closed: Place) -> None:
    db = Sqlite(closed.database, writable=True)
    ((page,),) = db.connection.execute(
        "SELECT rootpage FROM sqlite_schema WHERE name = 'mailbox'"
    ).fetchall()
    db.checkpoint(truncate=True)
    db.close()
    with closed.database.open("r+b") as file:
        # Where the content of the page begins, as it says.
        at = (int(page or 0) - 1) * 4096 + 5
        file.seek(at)
        begins = int.from_bytes(file.read(2), "big")
        file.seek(at)
        file.write((begins - 8).to_bytes(2, "big"))
    texts = [f.text for f in await examine(closed) if f.kind is Kind.ENGINE]
    assert any("in database main" in text and ";" in text for text in texts), texts
    assert all(text.isprintable() for text in texts)


async def test_a_part_that_cannot_be_read_is_named_and_the_rest_examined(closed: Place) -> None:
    db = Sqlite(closed.database, writable=True)
    ((page,),) = db.connection.execute(
        "SELECT rootpage FROM sqlite_schema WHERE name = 'email_wide'"
    ).fetchall()
    db.connection.execute("UPDATE address SET kind = 'alias' WHERE kind = 'system'")
    db.checkpoint(truncate=True)
    db.close()
    with closed.database.open("r+b") as file:
        file.seek((int(page or 0) - 1) * 4096)
        file.write(b"\xff" * 200)
    found = await examine(closed)
    unreadable = [f.object for f in found if f.kind is Kind.UNREADABLE]
    assert unreadable == ["emails of account 1"]
    assert {Kind.ENGINE, Kind.SYSTEM_ADDRESS} <= {f.kind for f in found}
