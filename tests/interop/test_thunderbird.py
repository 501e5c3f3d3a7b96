"""Thunderbird: an account of 2,000 messages set up, read, moved, tagged, searched, taken offline and back.

One program for the module, one account; each test has messages of its own and leaves the rest. What it did
is looked up twice: in its own database, and on the server by a client that knows nothing of it.
"""

import asyncio
import base64
import email.header
import re
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from support import mailbox, thunderbird
from support.display import display
from support.far_side import Far, eventually, far_side, wire
from support.imap_client import Literal
from support.mailbox import Account
from support.programs import Home, need
from support.server import Server
from support.thunderbird import Thunderbird

pytestmark = pytest.mark.interop

COUNT = 2_000
IN_ONE = 100
"""Messages in one APPEND."""

SPECIAL = {"Sent": "Gesendete Objekte", "Drafts": "Entwürfe", "Trash": "Papierkorb"}
"""Names that an earlier program gave; Thunderbird must know by their use what they are for."""
NAMES = {"INBOX", "Archive", "Junk", *SPECIAL.values()}


def subject(number: int) -> str:
    return f"Größe {number:04}" if number % 10 == 0 else f"Message {number:04}"


def subjects(*numbers: int) -> list[str]:
    return [subject(number) for number in numbers]


def message(number: int) -> bytes:
    """Some with a needle, some of two parts, every tenth with words beyond ASCII."""
    date = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number)
    head = (
        f"From: Sender {number % 7} <s{number % 7}@sender.example>\r\nTo: me@example.test\r\n"
        f"Date: {format_datetime(date)}\r\nMessage-ID: <{number}@sender.example>\r\n"
        f"Subject: {email.header.Header(subject(number), 'utf-8' if number % 10 == 0 else None)}\r\n"
        "MIME-Version: 1.0\r\n"
    )
    text = (
        f"Body of {number}\r\n" + ("Eine Nähnadel\r\n" if number % 400 == 7 else "") + "x\r\n" * 20
    )
    plain = f"Content-Type: text/plain; charset=utf-8\r\n\r\n{text}"
    if number % 25:
        return f"{head}{plain}".encode()
    data = base64.encodebytes(bytes(range(256)) * 8).decode().replace("\n", "\r\n")
    return (
        f'{head}Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n{plain}\r\n--b\r\n'
        "Content-Type: application/octet-stream; name=octets.bin\r\n"
        f"Content-Transfer-Encoding: base64\r\n\r\n{data}\r\n--b--\r\n"
    ).encode()


# ---- The program


async def fill(server: Server, account: Account, count: int = COUNT) -> None:
    """The special mailboxes get names of another language, INBOX gets its messages."""
    async with far_side(server, account) as far:
        for old, new in SPECIAL.items():
            await far.client.command(b"RENAME " + wire(old) + b" " + wire(new))
            await far.client.command(b"UNSUBSCRIBE " + wire(old))
            await far.client.command(b"SUBSCRIBE " + wire(new))
        for first in range(1, count + 1, IN_ONE):
            parts: list[bytes | Literal] = [b"APPEND INBOX"]
            for number in range(first, first + IN_ONE):
                parts += [b" (\\Seen) " if number <= count // 2 else b" ", Literal(message(number))]
            await far.client.command(*parts)


@dataclass(frozen=True, slots=True)
class Desk:
    """A person's screen, home and account."""

    server: Server
    account: Account
    other: Account
    home: Home
    screen: str
    bird: Thunderbird

    def far(self) -> AbstractAsyncContextManager[Far]:
        """Another client of the account."""
        return far_side(self.server, self.account)

    async def agree(self, *names: str) -> None:
        """Thunderbird and the server say the same of these mailboxes."""
        async with self.far() as far:
            for name in names:

                async def same(name: str = name) -> bool:
                    rows = self.bird.rows(name)
                    near = {row.subject: _flags(row) for row in rows}
                    return len(near) == len(rows) and near == {
                        key: value - {"NonJunk"} for key, value in (await far.rows(name)).items()
                    }

                await eventually(same, f"{name} differs")


def _flags(row: thunderbird.Row) -> frozenset[str]:
    found = {"\\Seen": row.read, "\\Flagged": row.flagged, "\\Answered": row.answered}
    return frozenset(flag for flag, on in found.items() if on) | (set(row.keywords) - {"nonjunk"})


def settings(server: Server, account: Account, *, tls: bool) -> dict[str, object]:
    ports = server.ports
    return {
        "address": account.address,
        "password": account.password,
        "name": "Zoë Müller",
        "tls": tls,
        "imap": ports["imaps" if tls else "imap"],
        "submission": ports["submissions" if tls else "submission"],
    }


HOW: dict[str, dict[str, bool | int | str]] = {
    "tls": {},
    # The same over STARTTLS, with CONDSTORE and without UTF8=ACCEPT: the other way round by default.
    "starttls": {
        "mail.server.default.use_condstore": True,
        "mail.server.default.allow_utf8_accept": False,
    },
}


@pytest.fixture(scope="module", params=["tls", pytest.param("starttls", marks=pytest.mark.slow)])
def desk(
    request: pytest.FixtureRequest,
    server: Server,
    ca: Path,
    accounts: Iterator[Account],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Desk]:
    """Thunderbird with an account that has just been set up."""
    need("thunderbird")
    account, other = next(accounts), next(accounts)
    asyncio.run(fill(server, account))
    home = Home(tmp_path_factory.mktemp("thunderbird"))
    with (
        display(home.folder / "xvfb") as screen,
        thunderbird.running(home, screen, ca, HOW[request.param]) as bird,
    ):
        # A wrong password is said to be one.
        words = settings(server, account, tls=request.param == "tls")
        assert "password" in bird.call("verify", {**words, "password": "wrong"})
        logins = bird.call("setUp", words, sorted(NAMES))
        assert sorted(logins) == sorted(
            [kind, account.address] for kind in ("imap://localhost", "smtp://localhost")
        )
        # Headers come before the folder is shown: with each handful the list would be drawn anew.
        bird.call("count", "INBOX", COUNT, 120)
        bird.show("INBOX", COUNT)
        yield Desk(server, account, other, home, screen, bird)


def test_it_finds_its_settings_by_an_address_alone(desk: Desk) -> None:
    """As people set up an account: it signs in with what it was told, over IMAP and to send."""
    words = settings(desk.server, desk.other, tls=True)
    ports = desk.server.ports
    found = desk.bird.call("findSettings", words, {name: ports[name] for name in ("http", "https")})
    name = desk.other.address
    assert found["incoming"] == [
        ["imap", "localhost", ports["imaps"], True, name],
        ["imap", "localhost", ports["imap"], False, name],
        ["pop3", "localhost", ports["pop3s"], True, name],
        ["pop3", "localhost", ports["pop3"], False, name],
    ]
    assert found["outgoing"] == [
        ["smtp", "localhost", ports["submissions"], True, name],
        ["smtp", "localhost", ports["submission"], False, "%EMAILADDRESS%"],
    ]
    # The certificate of a test is not for the domain itself: it asked in clear.
    assert found["by"].endswith("isp-http")


async def test_it_sees_every_message(desk: Desk) -> None:
    assert desk.bird.subjects("INBOX") == subjects(*range(1, COUNT + 1))
    assert desk.bird.call("rowCount") == COUNT
    assert {row.read for row in desk.bird.rows("INBOX")[: COUNT // 2]} == {True}
    assert {row.read for row in desk.bird.rows("INBOX")[COUNT // 2 :]} == {False}
    await desk.agree("INBOX")


async def test_special_mailboxes_are_found_by_their_use(desk: Desk) -> None:
    uses = desk.bird.call("listed")
    assert uses == {
        "INBOX": ["Inbox"],
        "Archive": ["Archive"],
        "Junk": ["Junk"],
        SPECIAL["Sent"]: ["SentMail"],
        SPECIAL["Drafts"]: ["Drafts"],
        SPECIAL["Trash"]: ["Trash"],
    }
    assert desk.bird.call("identity") == {"sent": SPECIAL["Sent"], "drafts": SPECIAL["Drafts"]}
    async with desk.far() as far:
        assert await far.names() == NAMES


async def test_a_message_that_is_read_is_seen(desk: Desk) -> None:
    unread = subject(1901)
    desk.bird.command("INBOX", [unread], "select")
    desk.bird.call("shown", "Body of 1901")
    desk.bird.wait("INBOX", [unread], read=True)
    await desk.agree("INBOX")


async def test_it_moves_ten(desk: Desk) -> None:
    moved = subjects(*range(1, 11))
    desk.bird.command("INBOX", moved, "moveMessages", "Archive")
    desk.bird.show("Archive", 10)
    assert sorted(desk.bird.subjects("Archive")) == sorted(moved)
    assert not set(moved) & set(desk.bird.subjects("INBOX"))
    await desk.agree("INBOX", "Archive")


async def test_it_flags_marks_and_tags(desk: Desk) -> None:
    flagged, read, unread = subjects(1101, 1102), subjects(1103, 1104), subjects(11, 12)
    important, umlauts = subjects(1105, 1110), subjects(1107)
    desk.bird.command("INBOX", flagged, "flagMessages")
    desk.bird.command("INBOX", read, "markMessagesRead")
    desk.bird.command("INBOX", unread, "markMessagesUnread")
    desk.bird.command("INBOX", important, "cmd_tag1")
    key = desk.bird.call("addTag", "Größe & Co")
    desk.bird.call("tag", "INBOX", umlauts, key)
    desk.bird.wait("INBOX", flagged, flagged=True)
    desk.bird.wait("INBOX", important, keywords=["$label1"])
    await desk.agree("INBOX")
    async with desk.far() as far:
        rows = await far.rows("INBOX")
    assert all("\\Flagged" in rows[name] for name in flagged)
    assert all("\\Seen" in rows[name] for name in read)
    assert not any("\\Seen" in rows[name] for name in unread)
    assert all("$label1" in rows[name] for name in important)
    assert key in rows[umlauts[0]]
    # And off again.
    desk.bird.command("INBOX", flagged, "unflagMessages")
    desk.bird.command("INBOX", important, "cmd_tag1")
    desk.bird.wait("INBOX", flagged, flagged=False)
    desk.bird.wait("INBOX", important, without=["$label1"])
    await desk.agree("INBOX")


async def test_it_deletes_to_the_trash(desk: Desk) -> None:
    deleted = subjects(21, 22, 23)
    before = len(desk.bird.rows("INBOX"))
    desk.bird.command("INBOX", deleted, "deleteMsg")
    desk.bird.call("count", "INBOX", before - 3, 30)
    desk.bird.show(SPECIAL["Trash"], 3)
    assert sorted(desk.bird.subjects(SPECIAL["Trash"])) == deleted
    await desk.agree("INBOX", SPECIAL["Trash"])


async def test_it_searches_here_and_on_the_server(desk: Desk) -> None:
    needles = sorted(subjects(*range(407, COUNT + 1, 400)))
    assert desk.bird.call("search", "INBOX", True, "Body", "Nähnadel") == sorted(
        [*needles, subject(7)] if subject(7) in desk.bird.subjects("INBOX") else needles
    )
    for online in (True, False):
        found = desk.bird.call("search", "INBOX", online, "Subject", "größe 19")
        assert found == subjects(*range(1900, 2000, 10)), online
        found = desk.bird.call("search", "INBOX", online, "Sender", "s3@sender")
        assert found == sorted(
            name
            for name in desk.bird.subjects("INBOX")
            if name[-4:].isdigit() and int(name[-4:]) % 7 == 3
        )
    assert desk.bird.call("search", "INBOX", True, "Body", "no such words") == []


async def test_bodies_are_downloaded_and_read_offline(desk: Desk) -> None:
    wanted = subjects(*range(1200, 1300))
    desk.bird.call("download", "INBOX", wanted)
    assert [row.subject for row in desk.bird.rows("INBOX") if row.offline] == wanted
    desk.bird.call("goOffline")
    try:
        for number in (1201, 1225, 1250):
            lines = base64.b64decode(
                desk.bird.call("source", "INBOX", subject(number))
            ).splitlines()
            # Its file has lines of its own before the message.
            kept = [line for line in lines if not line.startswith(b"X-Mozilla-")]
            assert kept == message(number).splitlines()
    finally:
        desk.bird.call("goOnline")
    await desk.agree("INBOX")


async def test_what_was_done_offline_is_done_on_the_server(desk: Desk) -> None:
    # Thunderbird tells flags first, then tags, then moves, and stops where a message that it has dealt with
    # comes before one it has not (153: nsImapOfflineSync::ProcessNextOperation). So UIDs go the other way.
    moved, deleted = subjects(1301, 1302, 1303), subjects(1311, 1312)
    tagged, read, flagged = subjects(1321), subjects(1331, 1332), subjects(1341, 1342)
    desk.bird.call("show", "Archive")
    archived, trashed = len(desk.bird.rows("Archive")), len(desk.bird.rows(SPECIAL["Trash"]))
    desk.bird.call("download", "INBOX", moved + deleted)
    desk.bird.call("goOffline")
    try:
        desk.bird.command("INBOX", flagged, "flagMessages")
        desk.bird.command("INBOX", read, "markMessagesRead")
        desk.bird.command("INBOX", tagged, "cmd_tag2")
        desk.bird.command("INBOX", moved, "moveMessages", "Archive")
        desk.bird.command("INBOX", deleted, "deleteMsg")
        # Meanwhile another program of the same account is at work too, and mail comes.
        async with desk.far() as far:
            assert "\\Flagged" not in (await far.rows("INBOX"))[flagged[0]]
            await far.flag("INBOX", [1351, 1352], "+FLAGS (\\Answered)")
            await far.flag("INBOX", [1341], "+FLAGS ($label3)")
        mailbox.fill(
            desk.server, desk.account.address, b"Subject: came meanwhile\r\n\r\nmeanwhile\r\n"
        )
    finally:
        desk.bird.call("goOnline")
    desk.bird.wait("INBOX", ["came meanwhile"], read=False)
    desk.bird.wait("INBOX", flagged, flagged=True)
    desk.bird.wait("INBOX", subjects(1351, 1352), answered=True)
    desk.bird.wait("INBOX", subjects(1341), keywords=["$label3"])
    desk.bird.show("Archive", archived + 3)
    desk.bird.show(SPECIAL["Trash"], trashed + 2)
    await desk.agree("INBOX", "Archive", SPECIAL["Trash"])
    async with desk.far() as far:
        rows = await far.rows("INBOX")
        assert all("\\Flagged" in rows[name] for name in flagged)
        assert all("\\Seen" in rows[name] for name in read)
        assert "$label2" in rows[tagged[0]]
        assert not set(moved + deleted) & set(rows)
        assert set(moved) <= set(await far.rows("Archive"))
        assert set(deleted) <= set(await far.rows(SPECIAL["Trash"]))


async def test_idle_brings_mail_flags_and_what_goes(desk: Desk) -> None:
    """Nothing is pressed: the folder is open, and the server speaks."""
    desk.bird.call("show", "INBOX")
    before = len(desk.bird.rows("INBOX"))
    for number in range(3):
        # What it hears while it loads a message it does not look at.
        desk.bird.wait_until_idle()
        mailbox.fill(
            desk.server, desk.account.address, f"Subject: idle {number}\r\n\r\nx\r\n".encode()
        )
        desk.bird.call("count", "INBOX", before + 1 + number, 20)
    desk.bird.wait_until_idle()
    async with desk.far() as far:
        await far.flag("INBOX", [1401, 1402], "+FLAGS (\\Flagged $label4)")
        desk.bird.wait("INBOX", subjects(1401, 1402), flagged=True, keywords=["$label4"])
        desk.bird.wait_until_idle()
        await far.flag("INBOX", [1403], "+FLAGS (\\Deleted)")
        await far.client.command(b"EXPUNGE")
    desk.bird.call("count", "INBOX", before + 2, 20)
    assert subject(1403) not in desk.bird.subjects("INBOX")
    await desk.agree("INBOX")


async def test_mail_that_comes_while_it_reads_is_shown(desk: Desk) -> None:
    """Message after message is opened; what came meanwhile is there once it idles, unasked."""
    desk.bird.call("show", "INBOX")
    before = len(desk.bird.rows("INBOX"))
    for number in range(1601, 1607):
        mailbox.fill(
            desk.server, desk.account.address, f"Subject: reading {number}\r\n\r\nx\r\n".encode()
        )
        desk.bird.command("INBOX", [subject(number)], "select")
        desk.bird.call("shown", f"Body of {number}")
    desk.bird.call("count", "INBOX", before + 6, 30)
    await desk.agree("INBOX")


async def test_it_sends_and_keeps_drafts(desk: Desk) -> None:
    desk.bird.call("send", desk.other.address, "Grüße aus dem Test", "Schöne Grüße\n")
    (octets,) = mailbox.wait_for(desk.server, desk.other.address, desk.other.password, 1)
    parsed = mailbox.parsed(octets)
    assert parsed["Subject"] == "Grüße aus dem Test"
    assert "Zoë Müller" in parsed["From"]
    desk.bird.show(SPECIAL["Sent"], 1)
    desk.bird.call("saveDraft", desk.other.address, "Ein Entwurf", "angefangen\n")
    desk.bird.show(SPECIAL["Drafts"], 1)
    async with desk.far() as far:
        assert await far.rows(SPECIAL["Sent"]) == {"Grüße aus dem Test": {"\\Seen"}}
        ((name, flags),) = (await far.rows(SPECIAL["Drafts"])).items()
        assert name == "Ein Entwurf"
        assert "\\Draft" in flags
        # No second Sent, no second Drafts.
        assert await far.names() == NAMES


async def test_folders_are_made_and_renamed(desk: Desk) -> None:
    made = desk.bird.call("makeFolder", "", "Projekte")
    below = desk.bird.call("makeFolder", made, "Größe & Co")
    assert below == "Projekte/Größe & Co"
    copied = subjects(1501, 1502, 1510)
    desk.bird.command("INBOX", copied, "copyMessages", below)
    desk.bird.show(below, 3)
    await desk.agree(below)
    renamed = desk.bird.call("renameFolder", below, "日本語")
    assert renamed == "Projekte/日本語"
    desk.bird.show(renamed, 3)
    await desk.agree(renamed)
    async with desk.far() as far:
        assert await far.names() == {*NAMES, made, renamed}
        await far.client.command(b"DELETE " + wire(renamed))
        await far.client.command(b"DELETE " + wire(made))


def test_the_server_refused_nothing(desk: Desk) -> None:
    """The last: over all of the above, but for the wrong password."""
    refused = desk.bird.complaints()
    assert any("AUTHENTICATIONFAILED" in line for line in refused)
    assert [line for line in refused if "AUTHENTICATIONFAILED" not in line] == []


@pytest.mark.parametrize("condstore", [False, pytest.param(True, marks=pytest.mark.slow)])
async def test_it_catches_up_when_it_is_started_again(
    server: Server, ca: Path, account: Account, other: Account, home: Home, condstore: bool
) -> None:
    """What others did meanwhile is there; what it has is not asked for again, its password neither."""
    need("thunderbird")
    await fill(server, account, 2 * IN_ONE)
    preferences = {"mail.server.default.use_condstore": condstore}
    with display(home.folder / "xvfb") as screen:
        with thunderbird.running(home, screen, ca, preferences) as bird:
            bird.call("setUp", settings(server, account, tls=True), sorted(NAMES))
            bird.show("INBOX", 2 * IN_ONE)
        async with far_side(server, account) as far:
            await far.flag("INBOX", [1, 2], "-FLAGS (\\Seen)")
            await far.flag("INBOX", [3, 4], "+FLAGS (\\Flagged $label1)")
            await far.flag("INBOX", [5, 150], "+FLAGS (\\Deleted)")
            await far.client.command(b"EXPUNGE")
            await far.client.command(b"APPEND INBOX ", Literal(message(201)))
            await far.client.command(b"APPEND Archive ", Literal(message(202)))
        with thunderbird.running(home, screen, ca, preferences) as bird:
            bird.show("INBOX", 2 * IN_ONE - 1)
            bird.show("Archive", 1)
            await Desk(server, account, other, home, screen, bird).agree("INBOX", "Archive")
            said = bird.log.read_text(errors="replace")
            assert bird.complaints() == []
    asked = [line for line in said.splitlines() if "BODY.PEEK[HEADER.FIELDS" in line]
    # One message of each folder.
    assert len(asked) == 2
    assert all(re.search(r"UID fetch \d+ ", line) for line in asked), asked
    assert ("CHANGEDSINCE" in said) == condstore
