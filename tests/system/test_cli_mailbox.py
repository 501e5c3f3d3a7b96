"""``malleposte mailbox`` as a program: what it prints, JSON, exit codes."""

from pathlib import Path

import pytest

from unit.cli.program import TOML, Program

ADA = "ada@example.test"
BOB = "bob@example.test"


@pytest.fixture
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """An installation in which ada has mail in two folders for what she sent."""
    program = Program(tmp_path_factory.mktemp("b"))
    program.config.write_text(TOML)
    program.run("init", "--domain", "example.test")
    program.run("account", "add", "--from", "-", stdin=f"{ADA}\n{BOB}\n")
    root = program.folder / "mail"
    _mail(root / "Old sent" / "cur", 3)
    _mail(root / ".Sent" / "cur", 2)
    program.run("import", ADA, root, "--form", "maildir")
    return program


def _mail(folder: Path, count: int) -> None:
    folder.mkdir(parents=True)
    for n in range(count):
        (folder / f"{n}.x:2,FS").write_bytes(b"Subject: %d\n\nbody\n" % n)


def _boxes(program: Program) -> dict[str, int]:
    listed = program.json("mailbox", "list", ADA)["mailboxes"]
    return {one["path"]: one["messages"] for one in listed}


def test_a_life_of_rights(program: Program) -> None:
    said = program.run("mailbox", "rights", ADA, "Sent").stdout
    assert said == "nobody but its owner may use Sent\n"
    given = program.json("mailbox", "give", ADA, "Sent", BOB, "lrsd")
    assert given == {
        "address": ADA,
        "mailbox": "Sent",
        "seen_as": f"Other Users/{ADA}/Sent",
        "rights_from": "Sent",
        "granted": [{"who": BOB, "rights": "lrste"}],
    }
    said = program.run("mailbox", "give", ADA, "Sent", "anyone", "l").stdout
    assert said.splitlines() == [
        "who               rights",
        "anyone            l",
        f"{BOB}  lrste",
        f"others see it as Other Users/{ADA}/Sent",
    ]
    lines = program.run("mailbox", "list", ADA).stdout.splitlines()
    (row,) = [line for line in lines if line.startswith("Sent ")]
    assert row.split()[:3] == ["Sent", "sent", "2"]
    assert row.split()[-1] == "2", "it is shared with two"
    taken = program.json("mailbox", "take", ADA, "Sent", BOB, "te")
    assert taken["granted"][1] == {"who": BOB, "rights": "lrs"}
    program.run("mailbox", "take", ADA, "Sent", BOB)
    assert program.json("mailbox", "take", ADA, "Sent", "anyone")["granted"] == []


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (("give", ADA, "Sent", BOB, "lq"), 2, "rights are letters of lrswipkxtea"),
        (("give", ADA, "Sent", BOB), 2, "LETTERS"),
        (("give", ADA, "Nowhere", BOB, "l"), 1, "there is no mailbox 'Nowhere'"),
        (("give", ADA, "Sent", "eve@example.test", "l"), 1, "name one account"),
        (("take", ADA, "Sent", ADA), 1, "holds all rights"),
        (("list", "eve@example.test"), 1, "there is no account"),
        (("merge", ADA, "Sent", "Sent"), 2, "one mailbox"),
        (("merge", ADA, "Sent", "Nowhere"), 1, "there is no mailbox 'Nowhere'"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    program: Program, words: tuple[str, ...], code: int, text: str
) -> None:
    said = program.run("mailbox", *words, code=code)
    assert text in said.stderr
    assert said.stderr.count("\n") == 1
    assert said.stdout == ""


def test_two_folders_become_one(program: Program) -> None:
    found = _boxes(program)
    (old,) = [path for path in found if "Old" in path]
    assert (found[old], found["Sent"]) == (3, 2)
    said = program.run("mailbox", "merge", ADA, old, "Sent")
    assert said.stdout == f"3 messages were moved; Sent has 5 now, and {old} was removed\n"
    found = _boxes(program)
    assert old not in found
    assert found["Sent"] == 5
    again = program.run("mailbox", "merge", ADA, old, "Sent", code=1)
    assert "there is no mailbox" in again.stderr
    assert program.json("fsck", "--deep")["summary"]["found"] == 0


def test_the_empty_one_can_stay(program: Program) -> None:
    done = program.json("mailbox", "merge", ADA, "Sent", "Archive", "--keep")
    assert done == {"moved": 2, "messages": 2, "kept": "asked"}
    assert _boxes(program)["Sent"] == 0
    said = program.run("mailbox", "merge", ADA, "INBOX", "Archive").stdout
    assert said.splitlines() == [
        "0 messages were moved; Archive has 2 now",
        "INBOX: it always stays",
    ]
