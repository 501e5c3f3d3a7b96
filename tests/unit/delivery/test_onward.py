"""Mail that goes on: what is queued and filed by one command, under which sender, and what stays here."""

import dataclasses
from typing import Any

import pytest
from structlog.testing import capture_logs

from malleposte.delivery.reports.job import REPORT_JOB, read_job
from malleposte.delivery.rewriting import Rewriter
from malleposte.secrets.node_key import NodeKeyError
from malleposte.secrets.sealing import KeyRing
from malleposte.store.commands import (
    CreateAccount,
    SetAccount,
    SetAlias,
    SetCatchAll,
    SetDomain,
    SetForward,
    SetOrganisation,
    SetRelayed,
)
from malleposte.store.dialect import Reader, Row, Sql
from support.store import House
from unit.delivery.post import ADA, BOB, BODY, EVE, NAMES, SENDER, Post, inside, written_by

ANYWHERE = SetDomain(name="example.org", forwarding="anywhere")
FAR = "ada@far.example"


@pytest.fixture
async def post(house: House) -> Post:
    """Accounts ada, bob and eve; mail may be forwarded to anywhere."""
    for name in NAMES.values():
        await house.account(name)
    post = Post(house)
    await post.do(ANYWHERE)
    return post


# Forwards -------------------------------------------------------------------------------------------


async def test_a_forward_with_a_copy_is_filed_and_queued(post: Post) -> None:
    await post.do(SetForward(account=ADA, addresses=(FAR,)))
    assert await post.send("ada@example.org") == [250]
    assert await post.filed() == [ADA]
    ((sender, address, route),) = await post.queued()
    assert (address, route) == (FAR, "far.example")
    assert sender.startswith("SRS0=")
    assert sender.endswith("@example.org")
    assert post.rewriter.decode(sender) == SENDER


async def test_a_forward_without_a_copy_is_only_queued(post: Post) -> None:
    await post.do(SetForward(account=ADA, addresses=(FAR, "bob@example.org"), keep=False))
    assert await post.send("ada@example.org") == [250]
    assert await post.filed() == [BOB]
    assert await post.to() == [FAR]


async def test_what_leaves_is_the_message_as_it_came(post: Post) -> None:
    """The author's signature must hold: lines are put before it, nothing else."""
    await post.do(SetForward(account=ADA, addresses=(FAR,)))
    await post.send("ada@example.org")
    octets = await post.leaving()
    assert octets.endswith(BODY)
    head = octets.removesuffix(BODY).decode()
    assert head.startswith("ARC-Seal: i=1; d=example.org\r\nDelivered-To: ada@example.org\r\n")
    assert "Return-Path" not in head


async def test_one_seal_serves_all_copies_of_a_domain(post: Post) -> None:
    """Each costs a hash of the whole, and looks at the DNS where others have sealed it."""
    for one in (ADA, BOB, EVE):
        await post.do(SetForward(account=one, addresses=(f"{one}@far.example",), keep=False))
    await post.send("ada@example.org", "bob@example.org", "eve@example.org")
    assert len(await post.to()) == 3
    assert post.sealed == ["example.org"]


async def test_a_message_that_goes_to_many_is_stored_once(post: Post) -> None:
    targets = tuple(f"u{n}@far{n}.example" for n in range(20))
    await post.do(
        SetForward(account=ADA, addresses=targets),
        SetForward(account=BOB, addresses=(*targets[:5], "more@far.example")),
    )
    assert await post.send("ada@example.org", "bob@example.org") == [250, 250]
    assert await post.to() == sorted((*targets, "more@far.example"))
    assert await post.filed() == [ADA, BOB]
    assert await post.blobs() == 1


async def test_nothing_of_a_stranger_is_told_as_success_or_returned_whole(post: Post) -> None:
    await post.do(SetForward(account=ADA, addresses=(FAR,), keep=False))
    await post.send("ada@example.org", notify="SUCCESS,FAILURE", returned="FULL")
    assert await post.house.rows(
        "SELECT r.notify, m.ret FROM queue_recipient r JOIN queue_message m ON m.id = r.message"
    ) == [("FAILURE", "HDRS")]


async def test_reports_are_asked_of_the_next_server_as_of_us(post: Post) -> None:
    await post.do(SetForward(account=ADA, addresses=(FAR,), keep=False))
    await post.send("ada@example.org", notify="SUCCESS,FAILURE", **FROM_BOB)
    assert await post.house.rows(
        "SELECT r.notify, r.original, m.ret, m.envelope, m.account FROM queue_recipient r"
        " JOIN queue_message m ON m.id = r.message"
    ) == [("SUCCESS,FAILURE", "rfc822;ada@example.org", "HDRS", "mine", ADA)]


async def actions(post: Post) -> list[tuple[str, list[str]]]:
    """What its sender is told by us: what became of whom."""
    rows = await post.house.rows("SELECT payload FROM job WHERE kind = $1 ORDER BY id", REPORT_JOB)
    jobs = [read_job(row[0]) for row in rows]
    return [(job.action, [fate.address for fate in job.fates]) for job in jobs]


async def notifies(post: Post) -> list[str]:
    rows = await post.house.rows("SELECT notify FROM queue_recipient ORDER BY message, n")
    return [row[0] for row in rows]


FROM_BOB: Any = {
    "sender": "bob@example.org",
    "body": written_by("bob@example.org"),
    "origin": inside(BOB),
}


async def test_what_leads_to_one_elsewhere_is_told_by_that_server(post: Post) -> None:
    """RFC 3461 §5.2.7.2."""
    await post.do(SetAlias(address="away@example.org", remotes=(FAR,)))
    await post.send("away@example.org", notify="SUCCESS,DELAY", **FROM_BOB)
    assert await actions(post) == []
    assert await notifies(post) == ["SUCCESS,DELAY"]


async def test_what_leads_to_several_is_told_once_as_expanded(post: Post) -> None:
    """RFC 3461 §5.2.7.3 (c): failures and delays are still told of each."""
    await post.do(
        SetForward(account=ADA, addresses=(FAR,)),
        SetAlias(address="away@example.org", remotes=("u@a.example", "v@b.example")),
    )
    await post.send("ada@example.org", "away@example.org", notify="SUCCESS,FAILURE", **FROM_BOB)
    assert await actions(post) == [("expanded", ["ada@example.org", "away@example.org"])]
    assert await notifies(post) == ["FAILURE"] * 3
    await post.send("away@example.org", notify="SUCCESS", **FROM_BOB)
    assert (await notifies(post))[3:] == ["NEVER"] * 2
    await post.send("away@example.org", notify="FAILURE", **FROM_BOB)
    assert len(await actions(post)) == 2


async def test_an_alias_of_mailboxes_here_has_delivered(post: Post) -> None:
    """All of them have it: nothing more will be told."""
    await post.do(SetAlias(address="both@example.org", accounts_=(ADA, EVE)))
    await post.send("both@example.org", notify="SUCCESS", **FROM_BOB)
    assert await actions(post) == [("delivered", ["both@example.org"])]


async def test_our_own_sender_and_the_null_sender_stay(post: Post) -> None:
    await post.do(SetForward(account=ADA, addresses=(FAR,), keep=False))
    await post.send("ada@example.org", sender="")
    await post.send(
        "ada@example.org",
        sender="bob@example.org",
        origin=inside(BOB),
        body=written_by("bob@example.org"),
    )
    assert [sender for sender, *_ in await post.queued()] == ["", "bob@example.org"]


async def test_what_ours_wrote_leaves_signed(post: Post) -> None:
    post.signs.add("example.org")
    await post.do(SetForward(account=ADA, addresses=(FAR,), keep=False))
    bob = {"sender": "bob@example.org", "body": written_by("bob@example.org")}
    await post.send("ada@example.org", origin=inside(BOB), **bob)  # type: ignore[arg-type]
    assert (await post.leaving()).startswith(b"DKIM-Signature: d=example.org\r\nDelivered-To")


async def test_what_waited_before_it_goes_on_leaves_signed_too(post: Post) -> None:
    """Its author was asked when it came; where it leads is known now, so it is recoded and signed now."""
    post.signs.add("example.org")
    await post.do(SetAlias(address="away@example.org", remotes=(FAR,)))
    body = written_by("bob@example.org") + "Déjà vu\r\n".encode()
    origin = dataclasses.replace(inside(BOB), released=True)
    await post.send("away@example.org", sender="bob@example.org", body=body, origin=origin)
    octets = await post.leaving()
    assert octets.startswith(b"DKIM-Signature: d=example.org\r\nDelivered-To")
    assert octets.isascii()
    assert await post.house.value("SELECT needs FROM queue_message") == 0


async def test_nothing_goes_outside_unless_it_may(post: Post) -> None:
    await post.do(
        SetForward(account=ADA, addresses=(FAR,), keep=False),
        SetDomain(name="example.org", forwarding=""),
    )
    await post.send("ada@example.org")
    assert await post.filed() == [ADA], "what may not go on stays with whom it is for"
    await post.do(SetOrganisation(organisation=0, forwarding="anywhere"))
    await post.send("ada@example.org")
    assert await post.to() == [FAR]
    await post.do(SetDomain(name="example.org", forwarding="inside"))
    await post.send("ada@example.org")
    assert await post.to() == [FAR]
    assert await post.filed() == [ADA, ADA]


async def test_forwards_in_a_circle_end(post: Post) -> None:
    """Somebody keeps the mail, and nobody has it twice."""
    for one, other in ((ADA, "bob"), (BOB, "eve"), (EVE, "ada")):
        await post.do(SetForward(account=one, addresses=(f"{other}@example.org",), keep=False))
    for name, last in (("ada", EVE), ("bob", ADA), ("eve", BOB)):
        _, resolution = await post.rcpt(f"{name}@example.org")
        assert resolution.accounts == (last,)


async def test_a_forward_to_nobody_keeps_the_mail(post: Post) -> None:
    await post.do(SetForward(account=ADA, addresses=("gone@example.org",), keep=False))
    await post.send("ada@example.org")
    assert await post.filed() == [ADA]


async def test_a_message_that_was_there_before_is_not_sent_on_again(post: Post) -> None:
    """Two servers that forward to each other: the second time it stays."""
    await post.do(SetForward(account=ADA, addresses=(FAR,), keep=False))
    body = b"Delivered-To: Ada@Example.org\r\n" + BODY
    assert await post.send("ada@example.org", body=body) == [250]
    assert await post.filed() == [ADA]
    assert await post.to() == []


async def test_junk_is_not_sent_on(post: Post) -> None:
    await post.do(
        SetForward(account=ADA, addresses=(FAR,), keep=False),
        SetAlias(address="away@example.org", remotes=(FAR,)),
    )
    junk = b"X-Spam-Flag: YES\r\n" + BODY
    assert await post.send("ada@example.org", body=junk) == [250]
    assert await post.filed() == [ADA]
    # An alias has nowhere to keep it: its sender hears so.
    assert await post.send("away@example.org", body=junk) == [554]
    assert await post.send("away@example.org", "bob@example.org", body=junk) == [554, 554]
    assert await post.send("away@example.org", "bob@example.org", body=junk, each=True) == [
        554,
        250,
    ]
    assert await post.filed() == [ADA, BOB]
    assert await post.to() == []


async def test_a_header_too_long_to_be_looked_at_stays_here(post: Post) -> None:
    await post.do(
        SetForward(account=ADA, addresses=(FAR,), keep=False),
        SetAlias(address="away@example.org", remotes=(FAR,)),
    )
    large = b"X-Long: " + b"x" * 900 + b"\r\n"
    assert await post.send("ada@example.org", body=large * 600 + BODY) == [250]
    assert await post.filed() == [ADA]
    assert await post.send("away@example.org", body=large * 600 + BODY) == [552]
    assert await post.to() == []


async def test_the_trace_says_why_something_stayed(post: Post) -> None:
    targets = tuple(f"u{n}@far.example" for n in range(12))
    await post.do(SetForward(account=ADA, addresses=targets, keep=False))
    await post.send("ada@example.org", body=b"X-Spam-Flag: yes\r\n" + BODY)
    record = await post.house.value("SELECT record FROM trace")
    assert b"ada@example.org: not sent on to u0@far.example, " in bytes(record)
    assert b" and 2 more: The message looks like junk" in bytes(record)


async def test_a_sender_that_cannot_be_rewritten_stays_here(post: Post) -> None:
    await post.do(SetForward(account=ADA, addresses=(FAR,), keep=False))
    await post.send("ada@example.org", sender="x" * 60 + "@" + "y" * 60 + ".example" * 22)
    assert await post.filed() == [ADA]


async def test_without_a_node_key_mail_waits_with_its_sender(post: Post) -> None:
    def no_ring() -> KeyRing:
        raise NodeKeyError("there is none")

    await post.do(SetForward(account=ADA, addresses=(FAR,), keep=False))
    sending = post.reception._onwards._sending
    assert sending is not None
    object.__setattr__(sending, "rewriter", Rewriter(no_ring))
    with capture_logs() as lines:
        assert await post.send("ada@example.org") == [451]
        assert await post.send("ada@example.org") == [451]
    assert [line["reason"] for line in lines] == ["there is none"], (
        "said, and not with each message"
    )
    assert await post.send("ada@example.org", sender="") == [250]


async def test_a_server_that_does_not_send_keeps_what_is_forwarded(house: House) -> None:
    await house.account("ada")
    post = Post(house, sends=False)
    await post.do(
        ANYWHERE,
        SetForward(account=ADA, addresses=(FAR,), keep=False),
        SetAlias(address="away@example.org", remotes=(FAR,)),
    )
    assert await post.send("ada@example.org") == [250]
    assert await post.filed() == [ADA]
    assert "not set up" in await post.refused("away@example.org")


async def test_a_full_mailbox_beside_what_leaves_gets_its_copy(post: Post) -> None:
    """There is one answer for all: what was promised at RCPT is kept."""
    await post.do(
        SetForward(account=ADA, addresses=(FAR,), keep=False),
        SetAccount(account=BOB, quota_bytes=500),
    )
    large = BODY + b"x" * 2_000
    assert await post.send("ada@example.org", "bob@example.org", body=large) == [250, 250]
    assert await post.filed() == [BOB]
    assert await post.to() == [FAR]


# What comes back ------------------------------------------------------------------------------------


async def test_a_report_goes_back_to_who_wrote(post: Post) -> None:
    await post.do(SetForward(account=ADA, addresses=(FAR,), keep=False))
    await post.send("ada@example.org")
    ((back, *_),) = await post.queued()
    assert await post.send(back, sender="") == [250]
    assert (await post.queued())[1] == ("", SENDER, "sender.example")
    # Servers that make local parts lower case do no harm.
    assert await post.send(back.lower(), sender="") == [250]


async def test_a_report_goes_back_to_who_is_ours_since_then(post: Post) -> None:
    await post.do(SetForward(account=ADA, addresses=(FAR,), keep=False))
    await post.send("ada@example.org")
    ((back, *_),) = await post.queued()
    await post.house.domain("sender.example")
    assert (await post.refused(back, sender="")).startswith("550 5.1.1")
    await post.do(CreateAccount(address="zoe@sender.example", name="", password_hash=""))
    assert await post.send(back, sender="") == [250]
    assert await post.filed() == [4]


async def test_nobody_relays_by_a_rewritten_sender(post: Post) -> None:
    await post.do(SetForward(account=ADA, addresses=(FAR,), keep=False))
    await post.send("ada@example.org")
    ((back, *_),) = await post.queued()
    assert "no sender" in await post.refused(back, sender="spammer@bad.example")
    assert await post.refused(back.replace("zoe@", "x@").replace("=zoe", "=joe"), sender="")
    assert await post.refused("SRS0=AAAAAAAA=AA=far.example=x@example.org", sender="")
    assert await post.refused("SRS0=x@example.org", sender="")


# Aliases, catch-all, other names --------------------------------------------------------------------


async def test_an_alias_reaches_accounts_and_addresses_elsewhere(post: Post) -> None:
    alias = SetAlias(address="all@example.org", accounts_=(ADA, BOB), remotes=(FAR, "x@y.example"))
    await post.do(alias)
    assert await post.send("all@example.org", "ada@example.org") == [250, 250]
    assert await post.filed() == [ADA, BOB]
    assert await post.to() == [FAR, "x@y.example"]


async def test_an_alias_leads_outside_only_where_mail_may_go(post: Post) -> None:
    await post.do(
        SetAlias(address="away@example.org", remotes=(FAR,)),
        SetAlias(address="both@example.org", accounts_=(BOB,), remotes=(FAR,)),
        SetDomain(name="example.org", forwarding=""),
    )
    assert (await post.refused("away@example.org")).startswith("550 5.2.1")
    assert await post.send("both@example.org") == [250]
    assert await post.filed() == [BOB]
    assert await post.to() == []


async def test_nobody_writes_as_who_forwards_to_him(post: Post) -> None:
    await post.do(SetForward(account=ADA, addresses=("bob@example.org",)))
    _, resolution = await post.rcpt("ada@example.org")
    assert set(resolution.accounts) == {ADA, BOB}
    assert await post.book.owns(ADA, "ada@example.org")
    assert not await post.book.owns(BOB, "ada@example.org")


async def test_a_catch_all_gets_what_is_for_nobody(post: Post) -> None:
    assert (await post.refused("unknown@example.org")).startswith("550 5.1.1")
    await post.do(SetCatchAll(domain="example.org", account=EVE))
    assert await post.send("unknown@example.org", "bob@example.org") == [250, 250]
    assert await post.filed() == [BOB, EVE]
    assert b"Delivered-To: unknown@example.org\r\n" in await post.copy(EVE)
    assert not await post.book.owns(EVE, "unknown@example.org")
    await post.do(SetCatchAll(domain="example.org", account=0))
    assert (await post.refused("unknown@example.org")).startswith("550 5.1.1")


async def test_strangers_fill_no_memory_by_a_catch_all(post: Post) -> None:
    await post.do(SetCatchAll(domain="example.org", account=EVE))
    await post.rcpt("bob@example.org")
    before = post.book.remembered
    for n in range(50):
        assert (await post.rcpt(f"guess{n}@example.org"))[0].good
    assert post.book.remembered == before


async def test_a_domain_is_another_name_of_one(post: Post) -> None:
    await post.house.domain("example.net")
    await post.do(SetDomain(name="example.net", alias_of="example.org"))
    await post.do(SetAlias(address="team@example.org", accounts_=(ADA, BOB)))
    assert await post.send("Ada+x@Example.net", "team@example.net") == [250, 250]
    assert await post.filed() == [ADA, BOB]
    assert b"Delivered-To: ada@example.net\r\n" in await post.copy(ADA)
    assert await post.book.owns(ADA, "ada@example.net")
    assert (await post.refused("carl@example.net")).startswith("550 5.1.1")
    # Who writes by that name is signed for by it.
    _, resolution = await post.rcpt("ada@example.net")
    assert resolution.address == "ada@example.net"


# Relayed domains ------------------------------------------------------------------------------------


async def test_a_relayed_domain_takes_what_is_in_its_list(post: Post) -> None:
    await post.house.domain("inner.example")
    await post.do(
        SetDomain(name="inner.example", relay="mail.inner.example:2525"),
        SetRelayed(domain="inner.example", addresses=("a@inner.example", "b@inner.example")),
        CreateAccount(address="here@inner.example", name="", password_hash=""),
    )
    assert (
        await post.send("a@inner.example", "b+x@inner.example", "here@inner.example") == [250] * 3
    )
    assert await post.queued() == [
        (SENDER, "a@inner.example", "host:mail.inner.example:2525"),
        (SENDER, "b+x@inner.example", "host:mail.inner.example:2525"),
    ], "to servers of ours the sender is as it was"
    assert await post.filed() == [4]
    assert (await post.refused("c@inner.example")).startswith("550 5.1.1")
    # That server need not know other names of the domain.
    await post.house.domain("inner.test")
    await post.do(SetDomain(name="inner.test", alias_of="inner.example"))
    await post.send("a@inner.test")
    assert (await post.queued())[-1][1] == "a@inner.example"


# Inside only ----------------------------------------------------------------------------------------


async def test_an_account_for_inside_only(post: Post) -> None:
    await post.do(
        SetAccount(account=ADA, internal=True),
        SetAlias(address="two@example.org", accounts_=(ADA, BOB)),
    )
    assert "inside its organisation only" in await post.refused("ada@example.org")
    assert "inside its organisation only" in await post.refused(FAR, "ada@example.org", ADA)
    ours = {"sender": "bob@example.org", "body": written_by("bob@example.org")}
    assert await post.send("ada@example.org", origin=inside(BOB), **ours) == [250]  # type: ignore[arg-type]
    assert await post.filed() == [ADA]
    assert await post.send("two@example.org") == [250]
    assert await post.filed() == [ADA, BOB], "others of an alias get what she may not"
    await post.do(SetForward(account=ADA, addresses=(FAR,), keep=False))
    await post.send("ada@example.org", origin=inside(BOB), **ours)  # type: ignore[arg-type]
    assert await post.to() == []
    # No alias takes his mail outside either; what a colleague forwards is hers.
    await post.do(
        SetAlias(address="away@example.org", remotes=(FAR,)),
        SetAlias(address="both@example.org", accounts_=(EVE,), remotes=(FAR,)),
        SetForward(account=BOB, addresses=("bob@far.example",)),
    )
    hers = {"sender": "ada@example.org", "body": written_by("ada@example.org")}
    assert "inside its organisation" in await post.refused("away@example.org", "", ADA)
    await post.send("both@example.org", "bob@example.org", origin=inside(ADA), **hers)  # type: ignore[arg-type]
    assert await post.to() == ["bob@far.example"]
    assert EVE in await post.filed()


class Asked:
    """A reader that notes what it is asked."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.statements: list[str] = []
        self.dialect = reader.dialect

    async def row(self, sql: str | Sql, *values: Any) -> Row | None:
        self.statements.append(str(sql))
        return await self.reader.row(sql, *values)

    async def rows(self, sql: str | Sql, *values: Any) -> list[Row]:
        self.statements.append(str(sql))
        return await self.reader.rows(sql, *values)


async def test_plain_accounts_cost_what_they_did(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of mail to accounts that are known the routes ask the store nothing."""
    await post.send("ada@example.org", "bob@example.org")
    asked = Asked(post.house.store.reader)
    monkeypatch.setattr(post.house.store, "reader", asked)
    await post.send("ada@example.org", "bob@example.org")
    # Whether the directory is as it was, and room: at RCPT, as ever.
    known = ("directory_head", "account_head")
    assert [sql for sql in asked.statements if not any(name in sql for name in known)] == []
    assert len(asked.statements) <= 4
