"""Groups: whom a message to one reaches, in which form, and who may write."""

import email
import email.policy

import pytest

from malleposte.delivery.listing import OF_LISTS, as_list_mail, fields_of
from malleposte.delivery.reports.job import REPORT_JOB, read_job
from malleposte.directory.groups import Group
from malleposte.mime import fields
from malleposte.store.commands import (
    CreateAccount,
    GroupEntry,
    PutGroup,
    SetAccount,
    SetDomain,
    SetForward,
    SetMembers,
)
from malleposte.store.results import Refused
from support.store import House
from unit.delivery.post import ADA, BOB, BODY, EVE, NAMES, SENDER, Post, inside, written_by

STAFF = "staff@example.org"
FAR = "far@far.example"
OURS = {"sender": "ada@example.org", "body": written_by("Ada <ada@example.org>")}


def elsewhere(*addresses: str) -> tuple[GroupEntry, ...]:
    """Members at other servers, or other groups."""
    return tuple(GroupEntry(address=address) for address in addresses)


def accounts(*numbers: int) -> tuple[GroupEntry, ...]:
    """Members here."""
    return tuple(GroupEntry(account=number) for number in numbers)


@pytest.fixture
async def post(house: House) -> Post:
    """The group staff: ada, bob, and somebody elsewhere; eve is its owner and no member."""
    for name in NAMES.values():
        await house.account(name)
    post = Post(house)
    await post.do(
        SetDomain(name="example.org", forwarding="anywhere"),
        PutGroup(address=STAFF, fresh=True, name="The Staff", senders="anyone"),
        SetMembers(address=STAFF, entries=(*accounts(ADA, BOB), *elsewhere(FAR))),
        SetMembers(address=STAFF, entries=accounts(EVE), owner=True),
    )
    return post


async def header_of(post: Post, at: int = 0) -> email.message.EmailMessage:
    """The header of a queued message."""
    return email.message_from_bytes(await post.leaving(at), policy=email.policy.default)


# Whom it reaches ------------------------------------------------------------------------------------


async def test_a_message_reaches_all_members_once(post: Post) -> None:
    assert await post.send(STAFF, "ada@example.org") == [250, 250]
    assert await post.filed() == [ADA, BOB]
    assert await post.queued() == [("staff+bounces@example.org", FAR, "far.example")]
    assert await post.blobs() == 1


async def test_a_thousand_members_share_one_content(post: Post) -> None:
    for start in range(0, 1_000, 250):
        names = (f"u{n}@far{n % 7}.example" for n in range(start, start + 250))
        await post.do(SetMembers(address=STAFF, entries=elsewhere(*names)))
    assert await post.send(STAFF) == [250]
    assert len(await post.to()) == 1_001
    assert await post.blobs() == 1
    assert await post.house.value("SELECT count(*) FROM queue_message") == 1


async def test_a_thousand_members_share_one_content_where_from_is_another(post: Post) -> None:
    post.strict.add("sender.example")
    names = (f"u{n}@far{n % 7}.example" for n in range(999))
    await post.do(SetMembers(address=STAFF, entries=elsewhere(*names)))
    assert await post.send(STAFF) == [250]
    assert len(await post.to()) == 1_000
    assert await post.blobs() == 2, "what came, for members here, and its other form"


async def test_a_large_message_is_given_to_members_with_another_header(post: Post) -> None:
    """Content that outgrew memory takes another way into the store."""
    post.strict.add("sender.example")
    large = BODY + b"".join(b"%08d of a line that is long\r\n" % n for n in range(20_000))
    assert await post.send(STAFF, body=large) == [250]
    assert await post.filed() == [ADA, BOB]
    sizes = await post.house.rows("SELECT size FROM blob ORDER BY size")
    assert sizes[0] == (len(large),)
    assert 100 < sizes[1][0] - len(large) < 600


async def test_what_a_group_was_given_has_arrived(post: Post) -> None:
    """RFC 3461 §5.2.7.1: of its members the author is told nothing, nor do they tell him."""
    assert await post.send(STAFF, notify="SUCCESS,FAILURE", origin=inside(ADA), **OURS) == [250]  # type: ignore[arg-type]
    rows = await post.house.rows("SELECT payload FROM job WHERE kind = $1", REPORT_JOB)
    jobs = [read_job(row[0]) for row in rows]
    assert [(job.action, [fate.address for fate in job.fates]) for job in jobs] == [
        ("delivered", [STAFF])
    ]
    assert await post.house.rows(
        "SELECT r.notify, r.original, m.ret, m.envelope FROM queue_recipient r"
        " JOIN queue_message m ON m.id = r.message"
    ) == [("", "", "HDRS", "")]


async def test_groups_in_groups_reach_each_member_once(post: Post) -> None:
    await post.do(
        PutGroup(address="all@example.org", fresh=True, senders="anyone"),
        PutGroup(address="board@example.org", fresh=True, senders="owners"),
        SetMembers(address="all@example.org", entries=elsewhere(STAFF, "board@example.org")),
        SetMembers(address="board@example.org", entries=(*accounts(ADA, EVE), *elsewhere(FAR))),
    )
    assert await post.send("all@example.org") == [250]
    assert await post.filed() == [ADA, BOB, EVE]
    assert await post.to() == [FAR]


async def test_groups_are_not_put_into_each_other_in_a_circle(post: Post) -> None:
    await post.do(PutGroup(address="all@example.org", fresh=True))
    await post.do(SetMembers(address="all@example.org", entries=elsewhere(STAFF)))
    for inner, outer in ((STAFF, STAFF), ("all@example.org", STAFF)):
        command = SetMembers(address=outer, entries=elsewhere(inner))
        answer = await post.house.do(command, Refused)
        assert answer.reason == "loop"


async def test_too_many_members_through_other_groups_are_refused_in_words(post: Post) -> None:
    await post.do(PutGroup(address="all@example.org", fresh=True, senders="anyone"))
    for number in range(3):
        inner = f"g{number}@example.org"
        names = (f"u{n}@far{number}.example" for n in range(900))
        await post.do(
            PutGroup(address=inner, fresh=True),
            SetMembers(address=inner, entries=elsewhere(*names)),
            SetMembers(address="all@example.org", entries=elsewhere(inner)),
        )
    assert await post.send("all@example.org") == [550]
    assert await post.to() == []


async def test_several_groups_at_a_time_have_a_bound(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("malleposte.delivery.onward.MOST_REACHED", 4)
    await post.do(
        PutGroup(address="other@example.org", fresh=True, senders="anyone"),
        SetMembers(address="other@example.org", entries=(*accounts(ADA, EVE), *elsewhere(FAR))),
    )
    assert await post.send(STAFF, "other@example.org") == [250, 250], "four in all"
    await post.do(SetMembers(address=STAFF, entries=elsewhere("more@far.example")))
    assert await post.send(STAFF, "other@example.org") == [554, 554]
    assert await post.send(STAFF, "other@example.org", each=True) == [554, 554]
    assert await post.filed() == [ADA, BOB, EVE]


async def test_a_members_own_forward_counts(post: Post) -> None:
    await post.do(
        SetForward(account=ADA, addresses=("ada@home.example",), keep=False),
        SetAccount(account=BOB, status="archived"),
    )
    assert await post.send(STAFF) == [250]
    assert await post.filed() == []
    assert await post.to() == ["ada@home.example", FAR]


async def test_members_elsewhere_rest_while_nothing_may_be_forwarded(post: Post) -> None:
    await post.do(SetDomain(name="example.org", forwarding=""))
    assert await post.send(STAFF) == [250]
    assert await post.filed() == [ADA, BOB]
    assert await post.to() == []


async def test_who_has_mail_inside_only_reaches_no_member_elsewhere(post: Post) -> None:
    await post.do(SetAccount(account=ADA, internal=True))
    await post.send(STAFF, origin=inside(ADA), **OURS)  # type: ignore[arg-type]
    assert await post.filed() == [ADA, BOB]
    assert await post.to() == []


async def test_a_server_that_does_not_send_gives_it_to_members_here(house: House) -> None:
    await house.account("ada")
    post = Post(house, sends=False)
    await post.do(
        SetDomain(name="example.org", forwarding="anywhere"),
        PutGroup(address=STAFF, fresh=True, senders="anyone"),
        SetMembers(address=STAFF, entries=(*accounts(ADA), *elsewhere(FAR))),
    )
    assert await post.send(STAFF) == [250]
    assert await post.filed() == [ADA]


# In which form --------------------------------------------------------------------------------------


async def test_members_here_get_it_as_it_was_written(post: Post) -> None:
    post.strict.add("sender.example")
    await post.send(STAFF)
    octets = await post.copy(ADA)
    assert octets.endswith(BODY)
    header = octets.removesuffix(BODY)
    assert header.startswith(
        b"Return-Path: <staff+bounces@example.org>\r\nDelivered-To: staff@example.org\r\n"
        b"List-Id: The Staff\r\n <staff.example.org>\r\n"
        b"List-Post: <mailto:staff@example.org>\r\n"
        b"List-Owner: <mailto:staff%2Bowner@example.org>\r\nPrecedence: list\r\nReceived: "
    )


async def test_an_author_without_a_policy_stays_the_author(post: Post) -> None:
    await post.send(STAFF)
    octets = await post.leaving()
    assert octets.endswith(BODY), "his signature holds"
    assert octets.startswith(b"ARC-Seal: i=1; d=example.org\r\nList-Id: ")
    assert post.asked == ["sender.example"]


async def test_an_author_whose_domain_is_strict_is_named_beside_the_group(post: Post) -> None:
    post.strict.add("sender.example")
    post.signs.add("example.org")
    await post.send(STAFF)
    octets = await post.leaving()
    assert octets.startswith(b"DKIM-Signature: d=example.org\r\n")
    message = await header_of(post)
    assert message["From"] == "Zoe via The Staff <staff@example.org>"
    assert message["Reply-To"] == "Zoe <zoe@sender.example>"
    assert message["Subject"] == "hello"
    assert message["List-Id"].split() == ["The", "Staff", "<staff.example.org>"]
    assert len(message.get_all("From", [])) == 1
    assert message.get_content() == "Hello.\r\n"


async def test_a_reply_goes_where_its_author_wanted(post: Post) -> None:
    post.strict.add("sender.example")
    body = written_by("Zoe <zoe@sender.example>", "Reply-To: desk@sender.example")
    await post.send(STAFF, body=body)
    message = await header_of(post)
    assert message.get_all("Reply-To") == ["desk@sender.example"]


async def test_a_full_mailbox_beside_a_group_gets_its_copy(post: Post) -> None:
    """There is one answer for all, also where what leaves has another header."""
    post.strict.add("sender.example")
    await post.do(
        SetMembers(address=STAFF, entries=accounts(ADA, BOB), present=False),
        SetAccount(account=EVE, quota_bytes=500),
    )
    large = BODY + b"x" * 2_000
    assert await post.send(STAFF, "eve@example.org", body=large) == [250, 250]
    assert await post.filed() == [EVE]
    assert await post.to() == [FAR]


async def test_our_own_authors_are_never_renamed(post: Post) -> None:
    """We sign for them, or the sender's domain is theirs."""
    post.strict.add("example.org")
    await post.send(STAFF, origin=inside(ADA), **OURS)  # type: ignore[arg-type]
    post.signs.add("example.org")
    await post.send(STAFF, origin=inside(ADA), **OURS)  # type: ignore[arg-type]
    for at in range(2):
        assert (await header_of(post, at))["From"] == "Ada <ada@example.org>"
    assert (await post.leaving(1)).startswith(b"DKIM-Signature: d=example.org\r\nList-Id")
    assert post.asked == []


async def test_who_only_says_to_be_ours_is_renamed(post: Post) -> None:
    post.strict.add("example.org")
    await post.send(STAFF, body=written_by("Ada <ada@example.org>"))
    assert (await header_of(post))["From"] == "Ada via The Staff <staff@example.org>"


async def test_nobody_is_asked_where_nothing_leaves(post: Post) -> None:
    await post.do(SetMembers(address=STAFF, entries=elsewhere(FAR), present=False))
    await post.send(STAFF)
    assert post.asked == []
    assert await post.filed() == [ADA, BOB]


async def test_fields_of_another_list_give_way(post: Post) -> None:
    body = written_by(
        "zoe@sender.example",
        "List-Id: <other.far.example>",
        "List-Unsubscribe: <mailto:x@y.example>",
    )
    await post.send(STAFF, body=body)
    message = await header_of(post)
    assert [value.split()[-1] for value in message.get_all("List-Id", [])] == [
        "<staff.example.org>"
    ]
    assert message["List-Unsubscribe"] is None
    assert message["From"] == "zoe@sender.example"


async def test_a_message_that_was_at_the_list_is_a_loop(post: Post) -> None:
    body = written_by("zoe@sender.example", "List-Id: Ours <Staff.Example.org>")
    assert await post.send(STAFF, body=body) == [554]
    assert await post.filed() == []


@pytest.mark.parametrize("strict", [False, True])
async def test_two_groups_at_two_servers_that_have_each_other_end_at_once(
    post: Post, strict: bool
) -> None:
    """Each puts its own fields in place of the other's: a hundred rounds, once."""
    if strict:
        post.strict.add("sender.example")
    assert await post.send(STAFF) == [250]
    away = await post.leaving(0)
    other = Group("all@far.example", "", "anyone", 0, 1)
    header, _, body = away.partition(b"\r\n\r\n")
    back = b"Received: from us by far\r\n" + as_list_mail(header, other, rename=True)
    assert b"staff.example.org" not in back
    assert await post.send(STAFF, body=back + b"\r\n\r\n" + body) == [554]
    assert await post.house.value("SELECT count(*) FROM queue_message") == 1


async def test_junk_reaches_members_here_only(post: Post) -> None:
    assert await post.send(STAFF, body=b"X-Spam-Flag: YES\r\n" + BODY) == [250]
    assert await post.filed() == [ADA, BOB]
    assert await post.to() == []


@pytest.mark.parametrize(
    ("group", "identity"),
    [
        (Group("a.b@example.org", "", "anyone", 0, 1), b"List-Id: <a.b.example.org>\r\n"),
        (Group("o'neil@example.org", "", "anyone", 0, 1), b"List-Id: <o'neil.example.org>\r\n"),
        (
            Group("zoé@example.org", "Zoé <x>\r\nEvil: 1", "anyone", 0, 1),
            b"<zo\xc3\xa9.example.org>\r\nList-Post: <mailto:zo%C3%A9@example.org>\r\n",
        ),
        (Group("news@example.org", "", "owners", 0, 1), b"List-Post: NO "),
    ],
)
def test_fields_are_whole_whatever_a_group_is_called(group: Group, identity: bytes) -> None:
    fields = fields_of(group)
    assert identity in fields
    assert b"\nEvil" not in fields
    assert all(line[:1].isspace() or b":" in line for line in fields.splitlines())


# Bounces and owners ---------------------------------------------------------------------------------


async def test_what_comes_back_goes_to_the_owners(post: Post) -> None:
    assert await post.send("staff+bounces@example.org", sender="") == [250]
    assert await post.send("staff+owner@example.org") == [250]
    assert await post.filed() == [EVE, EVE]


async def test_reports_and_answering_programs_do_not_reach_members(post: Post) -> None:
    assert await post.send(STAFF, sender="") == [250]
    away = written_by("zoe@sender.example", "Auto-Submitted: auto-replied (vacation)")
    assert await post.send(STAFF, body=away) == [250]
    assert await post.filed() == [EVE, EVE]
    assert await post.to() == []


async def test_a_group_without_owners_reports_to_the_administrators(post: Post) -> None:
    boss = await post.house.account("boss", role="owner")
    await post.do(SetMembers(address=STAFF, entries=accounts(EVE), owner=True, present=False))
    assert await post.send("staff+bounces@example.org", sender="") == [250]
    assert await post.filed() == [boss]


# Who may write --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("senders", "account", "sender", "may"),
    [
        ("anyone", 0, SENDER, True),
        ("inside", 0, "ada@example.org", False),
        ("inside", EVE, "eve@example.org", True),
        ("members", 0, SENDER, False),
        ("members", 0, FAR, True),
        ("members", 0, "ada@example.org", False),
        ("members", ADA, "ada@example.org", True),
        ("members", EVE, "eve@example.org", True),
        ("owners", ADA, "ada@example.org", False),
        ("owners", 0, FAR, False),
        ("owners", EVE, "eve@example.org", True),
    ],
)
async def test_who_may_write(
    post: Post, senders: str, account: int, sender: str, may: bool
) -> None:
    await post.do(PutGroup(address=STAFF, senders=senders))
    verdict, _ = await post.rcpt(STAFF, sender, account)
    assert verdict.good is may
    if not may:
        assert "takes mail from" in verdict.text
    other = await post.house.account("other")
    if senders in ("members", "owners"):
        assert await post.refused(STAFF, "other@example.org", other)


# Archive --------------------------------------------------------------------------------------------


async def test_an_archive_keeps_a_copy_that_members_may_read(post: Post) -> None:
    await post.do(
        CreateAccount(address="kept@example.org", name="", password_hash="", kind="shared")
    )
    kept = await post.house.value("SELECT id FROM account WHERE address = 'kept@example.org'")
    shown = "Shared Folders/kept@example.org"
    await post.do(PutGroup(address=STAFF, archive=kept, archive_shown=shown))
    assert await readers(post, kept) == {ADA: "lrs", BOB: "lrs"}
    assert await post.send(STAFF) == [250]
    assert await post.filed() == [ADA, BOB, kept]
    await post.do(
        SetMembers(address=STAFF, entries=accounts(EVE), archive_shown=shown),
        SetMembers(address=STAFF, entries=accounts(BOB), present=False),
    )
    assert await readers(post, kept) == {ADA: "lrs", EVE: "lrs"}
    await post.do(PutGroup(address=STAFF, archive=0))
    assert await readers(post, kept) == {}


async def readers(post: Post, account: int) -> dict[int, str]:
    """Who may what in the INBOX of an account, beside its owner."""
    rows = await post.house.rows(
        "SELECT grantee, letters FROM mailbox_right WHERE mailbox = $1 AND grantee <> $2",
        account << 32 | 1,
        account,
    )
    return dict(rows)


# Hostile headers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        b"From: zoe@sender.example\r\n\r\n",
        b"From: =?utf-8?q?Zo=C3=A9?= <zoe@sender.example>\r\nX: y\r\n\r\n",
        b'From: Zo\xc3\xa9 "the <boss>\r\n of" <zoe@sender.example>\r\n\r\n',
        b"From: a@b.example\r\nFROM : c@d.example\r\n\r\n",
        b"From: a@b.example, c@d.example, Group: e@f.example;\r\n\r\n",
        b"From:\r\n\r\n",
        b"From: <staff@example.org> (staff@example.org)\r\n\r\n",
        b'From: "x\\"\r\n\tBcc: y" <zoe@sender.example>\nSubject: a\nList-Id: <x>\nList-Id: <y>\n\n',
        b"From: zoe@sender.example",
        b"From: zoe\x00@sender.example\r\nX: \r\n \r\n\r\n",
        b"X: no author\r\n\r\n",
        b"\r\n",
        b"",
    ],
)
@pytest.mark.parametrize("rename", [True, False])
def test_a_header_stays_one_whatever_came(header: bytes, rename: bool) -> None:
    """The fields of the list are there once, one author at most is the group, the rest is as it came."""
    group = Group(STAFF, "The Staff", "anyone", 0, 1)
    made = as_list_mail(header, group, rename=rename)
    names = [field.name.lower() for field in fields(made)]
    for name in (b"list-id", b"list-post", b"list-owner", b"precedence"):
        assert names.count(name) == 1
    if rename:
        assert names.count(b"from") == 1
        assert b"<staff@example.org>\r\n" in made
    gone = OF_LISTS | ({b"from"} if rename else set())
    kept = [field for field in fields(header) if field.name.lower() not in gone]
    left = [field for field in fields(made) if field.name.lower() not in gone]
    assert [field.value for field in left if field.name != b"Reply-To"] == [
        field.value for field in kept
    ]
    for end in (b"\r\n\r\n", b"\n\n", b"\r\n"):
        assert made.endswith(end) or not header.endswith(end)
