"""Import and export of real mail: byte for byte with flags and dates, through every form; killed in the
middle and taken up again; with a server and without."""

import asyncio
import os
import random
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import pytest

from malleposte.operations.mail_export import flags_of
from malleposte.operations.mailfiles.message_file import with_crlf, with_lf
from malleposte.store import alone
from malleposte.store.read import emails, mailboxes
from support import corpora
from support.server import Server
from unit.cli.program import TOML, Program, killed

ALL = "[[1,4294967295]]"
FOLDERS = {"INBOX": ".", "Sent": ".Sent", "Projects/Été": ".Projects.&AMk-t&AOk-"}


@dataclass(frozen=True, order=True)
class Mail:
    """A message as an account has it, or should have it."""

    mailbox: str
    octets: bytes
    flags: tuple[str, ...]
    received_at: int


async def _account(data: Path, address: str) -> list[Mail]:
    async with alone(data) as store:
        row = await store.reader.row("SELECT id FROM account WHERE address = $1", address)
        assert row is not None
        shown = await mailboxes.keywords(store.reader, row[0])
        found = []
        for box in await mailboxes.mailboxes(store.reader, row[0]):
            rows = await store.reader.rows(
                "SELECT m.uid, m.deleted, e.flags, e.keywords, e.received_at FROM membership m"
                " JOIN email e ON e.id = m.email WHERE m.mailbox = $1",
                box.id,
            )
            facts = {uid: rest for uid, *rest in rows}
            for one in await emails.stored(store.reader, box.id, ALL, 100_000):
                pieces = emails.read(store.reader, store.blobs, one, 0, one.size)
                deleted, bits, keywords, received_at = facts[one.uid]
                found.append(
                    Mail(
                        box.path,
                        b"".join([piece async for piece in pieces]),
                        tuple(sorted(flags_of(bits, keywords, deleted, shown))),
                        received_at,
                    )
                )
        return sorted(found)


def account(program: Program, address: str) -> list[Mail]:
    """Everything in an account, read from the store itself (no server runs)."""
    return asyncio.run(_account(program.data, address))


def some_mail(count: int) -> list[bytes]:
    """Messages of the corpora, of all shapes, LF as their files have it."""
    mail = [with_lf(octets) for octets in corpora.mail()[:: 3_674 // count][:count]]
    return mail + [with_lf(octets) for octets in corpora.shapes()]


def maildir(root: Path, messages: list[bytes]) -> list[Mail]:
    """A Maildir with flags and dates of all kinds; what an import must make of it."""
    chance = random.Random(7)
    keywords = ["Work", "$Label1"]
    expected = []
    for place in FOLDERS.values():
        for part in ("cur", "new", "tmp"):
            (root / place / part).mkdir(parents=True, exist_ok=True)
        (root / place / "dovecot-keywords").write_text("0 Work\n1 $Label1\n")
    names = {"D": "\\Draft", "F": "\\Flagged", "P": "$Forwarded", "R": "\\Answered",
             "S": "\\Seen", "T": "\\Deleted"}  # fmt: skip
    for number, octets in enumerate(messages):
        path, place = chance.choice(list(FOLDERS.items()))
        letters = "".join(letter for letter in "DFPRSTab" if chance.random() < 0.3)
        when = 1_000_000_000 + number * 1_000
        file = root / place / "cur" / f"{when}.M{number}.host:2,{letters}"
        file.write_bytes(octets)
        os.utime(file, (when, when))
        flags = [names[c] for c in letters if c in names]
        flags += [word for c, word in zip("ab", keywords, strict=True) if c in letters]
        expected.append(Mail(path, with_crlf(octets), tuple(sorted(flags)), when))
    return sorted(expected)


@pytest.fixture
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """An installation with some empty accounts."""
    program = Program(tmp_path_factory.mktemp("m"))
    program.config.write_text(TOML)
    program.run("init")
    names = "\n".join(f"{name}@example.test" for name in ("ada", "maildir", "mbox", "eml", "bob"))
    program.run("account", "add", "--from", "-", stdin=names)
    return program


def test_through_every_form_and_back_nothing_changes(program: Program) -> None:
    root = program.folder / "Maildir"
    expected = maildir(root, some_mail(60))
    said = program.json("import", "ada@example.test", root)
    assert (said["imported"], said["skipped"]) == (len(expected), 0)
    assert said["octets"] == sum(len(one.octets) for one in expected)
    assert said["checked"] > 0
    assert account(program, "ada@example.test") == expected
    for form in ("maildir", "mbox", "eml"):
        out = program.folder / f"out-{form}"
        said = program.json("export", "ada@example.test", out, "--form", form)
        assert (said["exported"], said["damaged"]) == (len(expected), 0)
        again = program.json("export", "ada@example.test", out, "--form", form)
        assert (again["exported"], again["there"]) == (0, len(expected))
        address = f"{form}@example.test"
        assert program.json("import", address, out)["imported"] == len(expected)
        found = account(program, address)
        if form == "mbox":
            # mbox cannot say that a last line has no end.
            assert [_ended(one) for one in found] == sorted(_ended(one) for one in expected)
        else:
            assert found == expected
        assert program.json("import", address, out)["imported"] == 0
    assert program.json("fsck", "--deep")["summary"]["found"] == 0


def _ended(mail: Mail) -> Mail:
    octets = mail.octets
    if not octets.endswith(b"\n"):
        octets += b"\n" if b"\n" in octets and b"\r\n" not in octets else b"\r\n"
    return Mail(mail.mailbox, octets, mail.flags, mail.received_at)


def test_a_message_larger_than_a_frame_comes_through(program: Program) -> None:
    root = program.folder / "Maildir"
    (root / "cur").mkdir(parents=True)
    octets = b"Subject: large\n\n" + b"0123456789abcdef" * 4 * 1024 * 100 + b"\n"
    (root / "cur" / "1.a:2,S").write_bytes(octets)
    program.run("import", "ada@example.test", root)
    out = program.folder / "out"
    program.run("export", "ada@example.test", out, "--form", "eml")
    (file,) = out.rglob("*.eml")
    assert file.read_bytes() == with_crlf(octets)


def test_a_dry_run_shows_where_everything_would_go(program: Program) -> None:
    root = program.folder / "Maildir"
    maildir(root, some_mail(10))
    said = program.json("import", "ada@example.test", root, "--dry-run")
    assert said["dry_run"] is True
    rows = {f["source"]: (f["target"], f["role"], f["made"]) for f in said["folders"]}
    assert rows == {
        "INBOX": ("INBOX", "", False),
        "Sent": ("Sent", "sent", False),
        "Projects/Été": ("Projects/Été", "", True),
    }
    assert sum(f["found"] for f in said["folders"]) == 10 + 107
    table = program.run(
        "import", "ada@example.test", root, "--dry-run", "--into", "Old", "--map", "Sent=Gone/Out"
    ).stdout
    assert "Old/Projects/Été" in table
    assert "Gone/Out" in table
    assert account(program, "ada@example.test") == []


def test_into_and_map_choose_the_mailbox(program: Program) -> None:
    root = program.folder / "Maildir"
    expected = maildir(root, some_mail(5))
    program.run("import", "ada@example.test", root, "--into", "Old", "--map", "Sent=Gone/Out")
    targets = {"INBOX": "Old", "Sent": "Gone/Out", "Projects/Été": "Old/Projects/Été"}
    wanted = Counter(targets[one.mailbox] for one in expected)
    assert Counter(one.mailbox for one in account(program, "ada@example.test")) == wanted
    program.run("import", "ada@example.test", root, "--map", "Nowhere=X", code=2)
    program.run("import", "ada@example.test", root, "--map", "X", code=2)


def test_what_is_damaged_is_listed_and_the_rest_goes_on(program: Program) -> None:
    root = program.folder / "Maildir"
    expected = maildir(root, some_mail(20))
    (root / "cur" / "0.empty").touch()
    (root / "cur" / "9.loop").symlink_to("9.loop")
    unreadable = next((root / ".Sent" / "cur").iterdir())
    if os.geteuid() != 0:
        unreadable.chmod(0)
    said = program.json("import", "ada@example.test", root, code=5)
    assert said["imported"] >= len(expected) - 1
    reasons = {Path(r["where"]).name: r["reason"] for r in said["skipped_records"]}
    assert reasons["0.empty"] == "it is empty"
    assert reasons["9.loop"] == "it is no regular file"
    text = program.run("import", "ada@example.test", root, code=5)
    assert "skipped: " in text.stderr
    box = program.folder / "box"
    box.write_bytes(b"rubbish\n\nFrom a Fri Jul  3 10:00:00 2026\nSubject: a\n\nA\n")
    said = program.json("import", "bob@example.test", box, "--form", "mbox", code=5)
    assert (said["imported"], said["skipped"]) == (1, 1)


def test_a_message_damaged_in_the_store_is_listed_and_the_rest_exported(program: Program) -> None:
    import apsw

    root = program.folder / "Maildir"
    expected = maildir(root, some_mail(20))
    program.run("import", "ada@example.test", root)
    with apsw.Connection(str(program.data / "store.db")) as db:
        db.execute("UPDATE blob_frame SET data = x'00' WHERE id = (SELECT min(id) FROM blob_frame)")
    for form in ("maildir", "mbox"):
        out = program.folder / f"out-{form}"
        said = program.json("export", "ada@example.test", out, "--form", form, code=5)
        assert (said["exported"], said["damaged"]) == (len(expected) - 1, 1)
        assert said["damaged_messages"][0]["uid"] == 1
        found = program.json("import", f"{form}@example.test", out)
        assert found["imported"] == len(expected) - 1
    assert program.json("fsck", "--deep", code=4)["findings"]


def test_mail_of_another_form_is_not_passed_over_in_silence(program: Program) -> None:
    root = program.folder / "Maildir"
    expected = maildir(root, some_mail(4))
    (root / "old.mbox").write_bytes(b"From x Mon Jan  2 03:04:05 2023\nSubject: x\n\nhello\n\n")
    (root / "kept").mkdir()
    (root / "kept" / "1.eml").write_bytes(b"Subject: x\n\nhello\n")
    (root / "dovecot-uidlist").write_text("3 V1 N2\n")
    for words in ((), ("--dry-run",)):
        done = program.run("import", "ada@example.test", root, *words, code=0 if words else 5)
        assert f"not imported: {root / 'old.mbox'}: it is an mbox file" in done.stderr
        assert f"not imported: {root / 'kept'}: it is a folder of .eml files" in done.stderr
        assert len(done.stderr.splitlines()) == 2
    assert account(program, "ada@example.test") == expected
    said = program.json("import", "ada@example.test", root, "--form", "mbox", code=5)
    assert said["imported"] == 1
    assert {(Path(o["where"]).name, o["reason"][:15]) for o in said["others"]} >= {
        ("Maildir", "it is a Maildir"),
        ("kept", "it is a folder "),
    }
    assert program.json("import", "ada@example.test", root / "kept")["others"] == []


@pytest.mark.parametrize("form", ["maildir", "mbox", "eml"])
def test_what_is_exported_is_for_nobody_else(program: Program, form: str) -> None:
    maildir(program.folder / "Maildir", some_mail(4))
    program.run("import", "ada@example.test", program.folder / "Maildir")
    out = program.folder / "out"
    program.run("export", "ada@example.test", out, "--form", form)
    for path in (out, *out.rglob("*")):
        assert not path.stat().st_mode & 0o077, path


def test_a_full_account_is_said_and_taken_up_when_there_is_room(program: Program) -> None:
    root = program.folder / "Maildir"
    expected = maildir(root, some_mail(50))
    program.run("account", "set", "ada@example.test", "--quota", "100 kB")
    said = program.json("import", "ada@example.test", root, code=5)
    assert 0 < said["skipped"] < len(expected)
    assert {r["reason"] for r in said["skipped_records"]} == {"the account's space is used up"}
    program.run("account", "set", "ada@example.test", "--quota", "0")
    said = program.json("import", "ada@example.test", root)
    assert said["imported"] + said["there"] == len(expected)
    assert account(program, "ada@example.test") == expected


def test_expunged_mail_comes_back_by_command(program: Program) -> None:
    root = program.folder / "Maildir"
    maildir(root, some_mail(10))
    program.run("import", "ada@example.test", root)
    before = account(program, "ada@example.test")
    asyncio.run(_expunge(program.data, "ada@example.test"))
    listed = program.json("recover", "ada@example.test", "--since", "1h")["emails"]
    assert len(listed) == len(before)
    assert "bring back with their numbers" in program.run("recover", "ada@example.test").stdout
    first = str(listed[0]["number"])
    done = program.json("recover", "ada@example.test", first, "4000000", code=5)
    assert (done["recovered"], done["missing"]) == (1, 1)
    program.run("recover", "ada@example.test", "--all")
    # It comes back to stay.
    kept = [replace(m, flags=tuple(f for f in m.flags if f != "\\Deleted")) for m in before]
    assert account(program, "ada@example.test") == sorted(kept)


def test_deleted_mailboxes_come_back_by_command(program: Program) -> None:
    root = program.folder / "Maildir"
    maildir(root, some_mail(10))
    program.run("import", "ada@example.test", root)
    before = account(program, "ada@example.test")
    asyncio.run(_expunge(program.data, "ada@example.test", mailboxes_too=True))
    text = program.run("recover", "ada@example.test").stdout
    assert "Sent (deleted)" in text
    assert "Projects/Été (deleted)" in text
    listed = program.json("recover", "ada@example.test", "--mailbox", "Projects")["emails"]
    assert {(e["mailbox"], e["gone"]) for e in listed} == {("Projects/Été", True)}
    done = program.run("recover", "ada@example.test", "--all", "--mailbox", "Projects").stdout
    assert "made for them: Projects/Été" in done
    assert program.json("recover", "ada@example.test", "--all")["made"] == ["Sent"]
    kept = [replace(m, flags=tuple(f for f in m.flags if f != "\\Deleted")) for m in before]
    assert account(program, "ada@example.test") == sorted(kept)
    assert program.json("fsck")["summary"]["found"] == 0
    program.run("recover", "ada@example.test", "--all", "--mailbox", "Nothing", code=1)


async def _expunge(data: Path, address: str, *, mailboxes_too: bool = False) -> None:
    from malleposte.store.commands import DeleteMailbox, Expunge

    async with alone(data) as store:
        row = await store.reader.row("SELECT id FROM account WHERE address = $1", address)
        assert row is not None
        for box in await mailboxes.mailboxes(store.reader, row[0]):
            command = Expunge(
                actor=0,
                mailbox=box.id,
                uids=((1, 4_294_967_295),),
                marked=False,
                recoverable_until=4_000_000_000,
            )
            await store.submit(command)
            if mailboxes_too and box.role != "inbox":
                gone = DeleteMailbox(actor=0, mailbox=box.id, recoverable_until=4_000_000_000)
                await store.submit(gone)


# Killed in the middle -----------------------------------------------------------------------------


def with_doubles(root: Path, count: int) -> list[bytes]:
    """A Maildir of real mail, some of it five times, some in two folders."""
    mail = [with_lf(octets) for octets in corpora.mail()[:count]]
    mail += mail[:20] * 4
    for place in (".", ".Copies"):
        (root / place / "cur").mkdir(parents=True, exist_ok=True)
    for number, octets in enumerate(mail):
        (root / "cur" / f"{number:06}.x:2,S").write_bytes(octets)
    for number, octets in enumerate(mail[:50]):
        (root / ".Copies" / "cur" / f"{number:06}.x:2,").write_bytes(octets)
    return [with_crlf(octets) for octets in (*mail, *mail[:50])]


def wait_for_lines(program: Program, count: int, process: "subprocess.Popen[bytes]") -> None:
    """Until the journal has that many lines, or the command has ended."""
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        for path in (program.data / "imports").glob("*.jsonl"):
            if path.read_bytes().count(b"\n") >= count:
                return
        time.sleep(0.005)


@pytest.mark.parametrize(
    "helper_too",
    [
        pytest.param(False, marks=pytest.mark.slow, id="command"),
        pytest.param(True, id="and-helper"),
    ],
)
def test_an_import_killed_again_and_again_files_everything_once(
    program: Program, helper_too: bool
) -> None:
    root = program.folder / "Maildir"
    mail = with_doubles(root, 700)
    for lines in (1, 150, 400):
        process = program.start("import", "ada@example.test", root, "--json")
        wait_for_lines(program, lines, process)
        if helper_too:
            for child in psutil.Process(process.pid).children() if process.poll() is None else []:
                os.kill(child.pid, signal.SIGKILL)
        killed(process)
    said = program.json("import", "ada@example.test", root)
    assert said["skipped"] == 0
    assert said["there"] > 0
    found = account(program, "ada@example.test")
    assert sorted(one.octets for one in found) == sorted(mail)
    assert Counter(one.mailbox for one in found) == {"INBOX": len(mail) - 50, "Copies": 50}
    assert program.json("import", "ada@example.test", root)["imported"] == 0
    assert program.json("fsck")["summary"]["found"] == 0


@pytest.mark.parametrize(
    "form",
    [
        pytest.param("maildir", marks=pytest.mark.slow),
        "mbox",
        pytest.param("eml", marks=pytest.mark.slow),
    ],
)
def test_an_export_killed_again_and_again_writes_everything_once(
    program: Program, form: str
) -> None:
    root = program.folder / "Maildir"
    with_doubles(root, 500)
    program.run("import", "ada@example.test", root)
    out = program.folder / "out"
    for wanted in (50_000, 400_000):
        process = program.start("export", "ada@example.test", out, "--form", form)
        until = time.monotonic() + 60
        while time.monotonic() < until and process.poll() is None and octets_in(out) < wanted:
            time.sleep(0.005)
        killed(process)
    program.run("export", "ada@example.test", out, "--form", form)
    program.run("import", "bob@example.test", out)
    assert account(program, "bob@example.test") == account(program, "ada@example.test")


def octets_in(folder: Path) -> int:
    total = 0
    for place, _, files in os.walk(folder):
        for name in files:
            try:
                total += Path(place, name).stat().st_size
            except FileNotFoundError:
                continue
    return total


# With a server ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Served:
    """A running server, and the command line that talks to it."""

    server: Server
    program: Program


@pytest.fixture
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with accounts u0 (owner) and u1."""
    folder = tmp_path_factory.mktemp("s")
    with Server(folder).running(2) as server:
        yield Served(server, Program(folder))


def test_a_running_server_takes_and_gives_the_same(served: Served) -> None:
    program = served.program
    root = program.folder / "Maildir"
    expected = maildir(root, some_mail(60))
    said = program.json("import", "u0@example.test", root)
    assert (said["imported"], said["skipped"]) == (len(expected), 0)
    out = program.folder / "out"
    said = program.json("export", "u0@example.test", out, "--form", "eml")
    assert said["exported"] == len(expected)
    program.run("import", "u1@example.test", out)
    assert program.json("fsck", "--deep")["summary"]["found"] == 0
    rendered = program.json("fsck", "--render")["summary"]
    assert (rendered["looked"], rendered["changed"]) == (2 * len(expected), 0)
    served.server.stop()
    assert account(program, "u0@example.test") == expected
    assert account(program, "u1@example.test") == expected


def test_an_import_killed_beside_a_server_files_everything_once(served: Served) -> None:
    """What the killed command had sent is still being filed when the next one begins."""
    program = served.program
    root = program.folder / "Maildir"
    mail = with_doubles(root, 700)
    for lines in (1, 200, 450):
        process = program.start("import", "u0@example.test", root, "--json")
        wait_for_lines(program, lines, process)
        killed(process)
    said = program.json("import", "u0@example.test", root)
    assert said["skipped"] == 0
    assert program.json("fsck")["summary"]["found"] == 0
    served.server.stop()
    assert sorted(one.octets for one in account(program, "u0@example.test")) == sorted(mail)


def test_a_server_that_is_killed_ends_the_command_in_words(served: Served) -> None:
    program = served.program
    root = program.folder / "Maildir"
    mail = with_doubles(root, 1_500)
    process = program.start("import", "u0@example.test", root)
    wait_for_lines(program, 100, process)
    served.server.kill()
    _, complaint = process.communicate(timeout=60)
    assert process.returncode == 3
    assert b"run the same command again" in complaint
    assert b"Traceback" not in complaint
    said = program.json("import", "u0@example.test", root)
    assert said["skipped"] == 0
    assert sorted(one.octets for one in account(program, "u0@example.test")) == sorted(mail)
    shutil.rmtree(root)


def test_changes_by_command_are_seen_by_the_running_server(served: Served) -> None:
    program = served.program
    program.run("account", "add", "new@example.test", "--generate")
    program.run("alias", "add", "team@example.test", "new@example.test", "u1@example.test")
    import smtplib

    with smtplib.SMTP("127.0.0.1", served.server.ports["smtp"], timeout=20) as smtp:
        smtp.sendmail("joe@example.com", ["team@example.test"], b"Subject: hello\r\n\r\nhello\r\n")
    listed = program.json("account", "list")["accounts"]
    assert {a["address"]: a["emails"] for a in listed}["new@example.test"] == 1
    program.run("account", "disable", "new@example.test")
    assert program.json("account", "show", "new@example.test")["status"] == "suspended"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
def test_another_user_may_not_administer(served: Served) -> None:
    """Even one who can reach the socket is turned away by who the kernel says it is."""
    program = served.program
    path = program.folder / "run" / "admin.sock"
    assert path.stat().st_mode & 0o777 == 0o600
    path.parent.chmod(0o755)
    path.chmod(0o666)
    code = (
        "import socket, sys\n"
        "s = socket.socket(socket.AF_UNIX)\n"
        "s.connect(sys.argv[1])\n"
        "print(s.recv(10_000).decode())\n"
    )
    done = subprocess.run(
        ["/usr/bin/env", "python3", "-c", code, "admin.sock"],
        capture_output=True,
        text=True,
        cwd=path.parent,
        user=65534,
        group=65534,
        check=False,
    )
    assert "user 65534 may not administer" in done.stdout, done.stderr
    assert '"hello"' not in done.stdout
