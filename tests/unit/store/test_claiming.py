"""Roles that pass from one mailbox to another, and when they do not."""

from __future__ import annotations

from malleposte.store.commands import CreateMailbox, DeleteMailbox
from malleposte.store.read import mailboxes
from malleposte.store.results import Created, Done
from support.store import House, inbox


def wanted(account: int, claim: int, *path: str, role: str = "sent") -> CreateMailbox:
    return CreateMailbox(
        actor=account, account=account, parent=0, path=path, role=role, subscribe=False, claim=claim
    )


async def listed(house: House, account: int) -> dict[str, str | None]:
    return {box.path: box.role for box in await mailboxes.mailboxes(house.store.reader, account)}


async def test_a_mailbox_never_used_is_moved_and_stays_the_same(house: House) -> None:
    account = await house.account()
    sent = await house.standard(account, "sent")
    before = await house.info(sent)
    made = await house.do(wanted(account, sent, "[Gmail]", "Sent Mail"), Created)
    assert made.id == sent
    after = await house.info(sent)
    assert (after.uidvalidity, after.sort_order, after.subscribed) == (
        before.uidvalidity,
        before.sort_order,
        True,
    )
    assert after.modseq == made.modseq > before.modseq
    paths = await listed(house, account)
    assert paths["[Gmail]/Sent Mail"] == "sent"
    assert "Sent" not in paths
    assert await mailboxes.subscriptions(house.store.reader, account) == []
    # What comes is filed where it is now, under the same id.
    assert (await house.append(sent)).uid == 1
    assert await mailboxes.find(house.store.reader, account, "[Gmail]/Sent Mail") == sent


async def test_what_was_used_is_left_alone(house: House) -> None:
    account, other = await house.account(), await house.account()
    sent = await house.standard(account, "sent")
    await house.append(sent)
    await house.expunge(sent)
    assert await house.refused(wanted(account, sent, "Gesendet")) == "in-use"
    archive = await house.standard(account, "archive")
    await house.mailbox(account, "2026", parent=archive)
    assert await house.refused(wanted(account, archive, "Archiv", role="archive")) == "in-use"
    trash = await house.standard(account, "trash")
    await house.grant(trash, other, "lr")
    assert await house.refused(wanted(account, trash, "Papierkorb", role="trash")) == "in-use"


async def test_only_the_mailbox_that_has_the_role_is_moved(house: House) -> None:
    account, other = await house.account(), await house.account()
    drafts = await house.standard(account, "drafts")
    assert await house.refused(wanted(account, drafts, "Gesendet")) == "in-use"
    assert await house.refused(wanted(account, inbox(account), "Gesendet")) == "in-use"
    theirs = await house.standard(other, "sent")
    assert await house.refused(wanted(account, theirs, "Gesendet")) == "in-use"
    sent = await house.standard(account, "sent")
    assert await house.refused(wanted(account, sent, "Sent", "below itself")) == "in-use"
    assert await house.refused(wanted(account, sent, "Drafts")) == "exists"
    # Where no mailbox has the role, there is nothing to move.
    await house.do(DeleteMailbox(actor=account, mailbox=sent), Done)
    made = await house.do(wanted(account, drafts, "Gesendet"), Created)
    assert await listed(house, account) == {
        "INBOX": "inbox",
        "Drafts": "drafts",
        "Gesendet": "sent",
        "Archive": "archive",
        "Junk": "junk",
        "Trash": "trash",
    }
    assert made.id != drafts


async def test_an_heir_takes_the_role_of_what_is_deleted(house: House) -> None:
    account, other = await house.account(), await house.account()
    sent = await house.standard(account, "sent")
    heir = await house.mailbox(account, "Gesendet")
    stranger = await house.mailbox(other, "Gesendet")
    drafts = await house.standard(account, "drafts")
    plain = await house.mailbox(account, "Plain")
    # What had no role leaves none, and who has one takes no other.
    await house.do(DeleteMailbox(actor=account, mailbox=plain, heir=heir), Done)
    assert (await house.info(heir)).role is None
    for claimed in (stranger, drafts):
        box = await house.mailbox(account, "Next", str(claimed))
        await house.damage("UPDATE mailbox SET role = $1 WHERE id = $2", "other", box)
        await house.do(DeleteMailbox(actor=account, mailbox=box, heir=claimed), Done)
    assert (await house.info(stranger)).role is None
    assert (await house.info(drafts)).role == "drafts"
    done = await house.do(DeleteMailbox(actor=account, mailbox=sent, heir=heir), Done)
    found = await house.info(heir)
    assert (found.role, found.modseq) == ("sent", done.modseq)
