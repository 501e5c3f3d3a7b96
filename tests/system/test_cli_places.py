"""The command line where things are not as usual: PostgreSQL, a data folder of another user, Ctrl-C."""

import asyncio
import os
import pwd
import signal
import tempfile
import time
from pathlib import Path

import pytest

from support import corpora, postgres
from unit.cli.program import TOML, Program


def filled(root: Path, count: int) -> Path:
    (root / "cur").mkdir(parents=True)
    for number, octets in enumerate(corpora.mail()[:count]):
        (root / "cur" / f"{number:06}.x:2,S").write_bytes(octets)
    return root


@pytest.mark.postgres
def test_everything_works_on_postgresql(
    postgres_server: postgres.Server, tmp_path_factory: pytest.TempPathFactory
) -> None:
    dsn = asyncio.run(postgres_server.cleaned())
    program = Program(tmp_path_factory.mktemp("pg"))
    program.config.write_text(f'{TOML}[store]\nbackend = "postgres"\ndsn = "{dsn}"\n')
    program.run("init", "--admin", "admin@example.test")
    program.run("init", "--admin", "admin@example.test")
    # As a second node would, whose key must be the first one's.
    (program.data / "node.key").rename(program.folder / "kept")
    assert "copy it from another node" in program.run("init", code=1).stderr
    (program.folder / "kept").rename(program.data / "node.key")
    program.run("account", "add", "ada@example.test", "--generate")
    root = filled(program.folder / "Maildir", 200)
    said = program.json("import", "ada@example.test", root)
    assert (said["imported"], said["skipped"]) == (200, 0)
    assert program.json("import", "ada@example.test", root)["imported"] == 0
    out = program.folder / "out"
    assert program.json("export", "ada@example.test", out, "--form", "eml")["exported"] == 200
    written = sorted(path.read_bytes() for path in out.rglob("*.eml"))
    assert written == sorted(corpora.mail()[:200])
    assert program.json("fsck", "--deep")["summary"]["found"] == 0
    said = program.json("doctor")
    assert said["wrong"] == 0
    assert "postgresql" in {check["name"] for check in said["checks"]}
    assert program.json("fsck", "--renew-uids")["accounts"] == 2
    rendered = program.json("fsck", "--render")["summary"]
    assert (rendered["looked"], rendered["changed"]) == (200, 0)


@pytest.mark.postgres
def test_postgresql_that_cannot_be_reached_is_said(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    program = Program(tmp_path_factory.mktemp("pg"))
    dsn = "postgresql://nobody:secret@127.0.0.1:1/none"
    program.config.write_text(f'{TOML}[store]\nbackend = "postgres"\ndsn = "{dsn}"\n')
    done = program.run("domain", "list", code=3)
    assert "secret" not in done.stderr
    said = program.json("doctor", "--no-fsck", code=4)
    assert {"store", "node key"} <= {c["name"] for c in said["checks"] if c["state"] == "wrong"}


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
def test_root_leaves_nothing_of_its_own_in_another_user_s_folder() -> None:
    # Right below /tmp: pytest keeps its own folders to itself.
    with tempfile.TemporaryDirectory() as folder:
        _as_nobody(Program(Path(folder)))


def _as_nobody(program: Program) -> None:
    program.config.write_text(TOML)
    program.run("init", "--admin", "admin@example.test")
    nobody = pwd.getpwnam("nobody")
    program.config.write_text(TOML.replace("[node]\n", '[node]\nuser = "nobody"\n'))
    for place, folders, files in os.walk(program.folder):
        for name in (*folders, *files):
            os.chown(Path(place, name), nobody.pw_uid, nobody.pw_gid)
    # The helper runs as nobody and must reach the folder; the mail to import it need not.
    program.folder.chmod(0o711)
    root = program.folder / "Maildir"
    (root / "cur").mkdir(parents=True)
    for number in range(50):
        (root / "cur" / f"{number}.x:2,S").write_bytes(b"Subject: %d\n\nhello\n" % number)
    root.chmod(0o700)
    program.run("account", "add", "ada@example.test", "--generate")
    large = root / "cur" / "9.large:2,"
    large.write_bytes(b"Subject: large\n\n" + b"x" * 700_000)
    said = program.json("import", "ada@example.test", root)
    assert (said["imported"], said["skipped_records"]) == (51, [])
    program.run("init", "--admin", "admin@example.test")
    owners = {p.lstat().st_uid for p in (program.data, *program.data.rglob("*"))}
    assert owners == {nobody.pw_uid}
    assert program.json("doctor")["wrong"] == 0


def test_a_break_by_the_operator_ends_in_words_and_can_be_taken_up(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    program = Program(tmp_path_factory.mktemp("b"))
    program.config.write_text(TOML)
    program.run("init")
    program.run("account", "add", "ada@example.test", "--no-password")
    root = filled(program.folder / "Maildir", 3_000)
    process = program.start("import", "ada@example.test", root)
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        journals = list((program.data / "imports").glob("*.jsonl"))
        if journals and journals[0].stat().st_size > 5_000:
            break
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGINT)
    _, complaint = process.communicate(timeout=60)
    assert process.returncode == 130
    assert complaint.decode().splitlines()[-1] == "malleposte: interrupted"
    assert b"Traceback" not in complaint, complaint.decode()
    said = program.json("import", "ada@example.test", root)
    assert said["imported"] + said["there"] == 3_000
    assert program.json("account", "show", "ada@example.test")["emails"] == 3_000
