"""Render: a row written anew, or again where it was lost; nothing else moves unless it must."""

import msgspec
import pytest

from malleposte.store.commands import PurgeRecoverable, Render, Rendered
from malleposte.store.fsck import Kind
from malleposte.store.read import rendering
from malleposte.store.read.emails import Damaged
from malleposte.store.results import Done, Refused
from support.store import House, inbox, rendered

PREFIX = b"Return-Path: <ada@example.com>\r\n"
OTHER = msgspec.structs.replace(
    rendered(subject="Another", message_id="other@example.com"),
    structure=b"other structure",
    envelope=b"other envelope",
    envelope_utf8=b"for UTF-8",
    preview="other preview",
    to_text="group: bob@example.org",
    sent_at=1_234,
    attachment=True,
)


async def command(house: House, email: int, about: Rendered = OTHER) -> Render:
    blob = await house.value("SELECT blob FROM email WHERE id = $1", email)
    return Render(email=email, blob=blob, rendered=about)


async def render(house: House, email: int, about: Rendered = OTHER) -> Done:
    return await house.do(await command(house, email, about), Done)


async def lose(house: House, email: int) -> None:
    async with house.place.raw() as tx:
        await tx.run("DELETE FROM email_wide WHERE id = $1", email)


async def head(house: House, account: int) -> tuple[int, int]:
    """Octets used, modseq."""
    (row,) = await house.rows(
        "SELECT used_bytes, modseq FROM account_head WHERE account = $1", account
    )
    return row[0], row[1]


async def test_another_rendering_is_written_and_nothing_else_moves(house: House) -> None:
    """Clients take what is rendered for immutable: no modseq tells them of it."""
    account = await house.account()
    filed = await house.deliver(account, prefix=PREFIX, flags=1, keywords=("k",))
    before = await house.snapshot()
    narrow = await house.email(inbox(account), filed.uid)
    octets = await house.bytes_of(filed.email)
    assert (await render(house, filed.email)) == Done(modseq=0, count=0)
    assert await house.snapshot() == before
    assert await house.email(inbox(account), filed.uid) == narrow
    assert await house.bytes_of(filed.email) == octets
    (row,) = await house.rows(
        "SELECT prefix, structure, envelope, bodystructure, envelope_utf8, bodystructure_utf8,"
        " preview, subject, base_subject, from_text, to_text, cc_text, bcc_text, message_id,"
        " sent_at, attachment FROM email_wide w JOIN email e ON e.id = w.id"
    )
    assert row == (
        PREFIX,
        OTHER.structure,
        OTHER.envelope,
        OTHER.bodystructure,
        OTHER.envelope_utf8,
        None,
        OTHER.preview,
        OTHER.subject,
        OTHER.base_subject,
        OTHER.from_text,
        OTHER.to_text,
        "",
        "",
        OTHER.message_id,
        OTHER.sent_at,
        1,
    )
    assert (await render(house, filed.email)) == Done(modseq=0, count=0)


async def test_threads_stay_as_they_are(house: House) -> None:
    account = await house.account()
    first = await house.deliver(account, about=rendered(message_id="a@example.com"))
    reply = rendered(subject="Re: Hello", message_id="b@example.com", references=("a@example.com",))
    second = await house.deliver(account, about=reply)
    references = await house.rows("SELECT hash, thread FROM thread_reference ORDER BY hash")
    await render(house, second.email)
    await render(house, first.email)
    threads = await house.rows("SELECT DISTINCT thread FROM email")
    assert len(threads) == 1
    assert await house.rows("SELECT hash, thread FROM thread_reference ORDER BY hash") == references


async def test_a_lost_row_comes_back_without_its_prefix(house: House) -> None:
    """The email is shorter, in each mailbox that holds it and in the account; its readers are told."""
    account = await house.account()
    box, other = inbox(account), await house.mailbox(account, "other")
    filed = await house.deliver(account, data=b"content", prefix=PREFIX)
    kept = await house.deliver(account, prefix=PREFIX)
    await house.copy(box, other, ((filed.uid, filed.uid),))
    view = await house.store.views.open(box)
    boxes = [await house.info(one) for one in (box, other)]
    used, modseq = await head(house, account)
    await lose(house, filed.email)
    assert [finding.kind for finding in await house.fsck()] == [Kind.EMAIL_WIDE]
    assert await render(house, filed.email) == Done(modseq=modseq + 1, count=1)
    assert await house.bytes_of(filed.email) == b"content"
    assert await head(house, account) == (used - len(PREFIX), modseq + 1)
    for before in boxes:
        after = await house.info(before.id)
        assert (after.size, after.messages, after.unseen) == (
            before.size - len(PREFIX),
            before.messages,
            before.unseen,
        )
        assert (after.modseq, after.message_modseq) == (modseq + 1, modseq + 1)
    await view.refresh()
    assert list(view.modseqs) == [modseq + 1, kept.modseq]
    assert await render(house, filed.email) == Done(modseq=0, count=0)


async def test_of_an_expunged_email_nobody_is_told(house: House) -> None:
    account = await house.account()
    filed = await house.deliver(account, prefix=PREFIX)
    await house.expunge(inbox(account))
    await lose(house, filed.email)
    before = await head(house, account)
    assert await render(house, filed.email) == Done(modseq=0, count=1)
    assert await head(house, account) == before
    assert await house.value("SELECT size FROM email") == len(await house.bytes_of(filed.email))


async def test_a_wrong_size_is_put_right(house: House) -> None:
    account = await house.account()
    filed = await house.deliver(account, prefix=PREFIX)
    used, modseq = await head(house, account)
    async with house.place.raw() as tx:
        for sql in (
            "UPDATE email SET size = size + 7",
            "UPDATE mailbox SET size = size + 7 WHERE messages = 1",
            "UPDATE account_head SET used_bytes = used_bytes + 7",
        ):
            await tx.run(sql)
    assert await render(house, filed.email) == Done(modseq=modseq + 1, count=0)
    assert await head(house, account) == (used, modseq + 1)


async def test_usage_that_falls_has_its_warnings_told_again(house: House) -> None:
    account = await house.account(quota=1_000)
    filed = await house.deliver(account, data=b"x" * 700, prefix=b"P: " + b"p" * 148 + b"\r\n")
    level = "SELECT quota_level FROM account_head WHERE account = $1"
    assert await house.value(level, account) == 80
    await lose(house, filed.email)
    await render(house, filed.email)
    assert await house.value(level, account) == 0


async def test_what_is_gone_is_refused(house: House) -> None:
    account = await house.account()
    filed = await house.deliver(account)
    asked = await command(house, filed.email)
    await house.expunge(inbox(account), until=1)
    await house.do(PurgeRecoverable(), Done)
    assert await house.refused(asked) == "no-such-email"
    elsewhere = msgspec.structs.replace(asked, email=(account + 50) << 32 | 1)
    assert await house.refused(elsewhere) == "no-such-account"
    assert await house.rows("SELECT id FROM email_wide") == []


async def test_what_was_made_of_other_content_is_refused(house: House) -> None:
    account = await house.account()
    one, other = await house.fill(account, 2)
    asked = msgspec.structs.replace(await command(house, other.email), email=one.email)
    assert await house.refused(asked) == "no-such-email"
    assert await house.value("SELECT count(*) FROM email_wide WHERE subject = 'Another'") == 0


async def test_many_in_one_batch(house: House) -> None:
    account = await house.account()
    filed = await house.fill(account, 3)
    await lose(house, filed[1].email)
    commands = [await command(house, one.email) for one in filed]
    for asked in commands + commands:
        assert isinstance(await house.store.submit(asked), Done)
    assert await house.value("SELECT count(*) FROM email_wide WHERE subject = 'Another'") == 3


# Reading ------------------------------------------------------------------------------------------


async def test_emails_are_listed_in_order_and_the_lost_marked(house: House) -> None:
    account, other = await house.account(), await house.account()
    filed = [one.email for one in await house.fill(account, 4)]
    await house.fill(other, 1)
    await house.expunge(inbox(account), ((4, 4),))
    await lose(house, filed[1])
    slices = []
    async for emails in rendering.ids(house.store.reader, account, 3):
        slices.append(emails)
        await house.deliver(account)
    assert slices == [
        [(filed[0], False), (filed[1], True), (filed[2], False)],
        [(filed[3], False)],
    ], "what came meanwhile is left out"
    nobody = rendering.ids(house.store.reader, account + 50, 3)
    assert [emails async for emails in nobody] == []
    house.damaged = True


async def test_what_differs_is_told(house: House) -> None:
    account = await house.account()
    about = msgspec.structs.replace(rendered(), sent_at=5, attachment=True)
    filed = await house.deliver(account, about=about, prefix=PREFIX)
    reader = house.store.reader
    kept = await rendering.kept(reader, filed.email)
    assert kept is not None
    assert not kept.differs(about)
    for name in msgspec.structs.fields(Rendered):
        if name.name == "thread_ids":
            continue
        value = getattr(about, name.name)
        other = {bytes: b"?", str: "?", int: 6, bool: False, type(None): None}[type(value)]
        if value is None:
            other = "?" if name.name == "message_id" else b"?"
        changed = msgspec.structs.replace(about, **{name.name: other})
        assert kept.differs(changed), name.name
    await lose(house, filed.email)
    lost = await rendering.kept(reader, filed.email)
    assert lost is not None
    assert lost.lost
    assert lost.differs(about)
    await render(house, filed.email, about)


async def test_content_that_is_gone_is_damage_and_an_email_that_is_gone_is_none(
    house: House,
) -> None:
    account = await house.account()
    filed = await house.deliver(account)
    reader = house.store.reader
    assert await rendering.kept(reader, filed.email + 1) is None
    await house.damage("DELETE FROM blob")
    with pytest.raises(Damaged, match="gone"):
        await rendering.kept(reader, filed.email)
    refused = await house.store.submit(Render(email=filed.email, blob=1, rendered=OTHER))
    assert isinstance(refused, Refused)
