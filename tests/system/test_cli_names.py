"""Names, arguments and input that are not UTF-8, as older systems left them: read where that is possible,
refused in words where it is not. Nothing ends in a traceback, nothing is lost."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from unit.cli.program import TOML, Program

LATIN = "J\udcf6rg"
"""``Jörg`` in Latin-1, as Python spells the name of such a file or argument."""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Program:
    program = Program(tmp_path_factory.mktemp("n"))
    program.config.write_text(TOML)
    program.run("init", "--admin", "admin@example.test")
    program.run("account", "add", "ada@example.test", "--generate")
    return program


@pytest.fixture
def program(template: Program, tmp_path_factory: pytest.TempPathFactory) -> Program:
    folder = tmp_path_factory.mktemp("n")
    shutil.copytree(template.folder, folder, dirs_exist_ok=True)
    return Program(folder)


def message(number: int) -> bytes:
    return b"Subject: %d\n\nhello\n" % number


def eml(root: Path) -> str:
    for number, name in enumerate((LATIN, "Jörg", "Été")):
        (root / name).mkdir(parents=True)
        (root / name / f"{number}{LATIN}.eml").write_bytes(message(number))
    return "eml"


def mbox(root: Path) -> str:
    root.mkdir()
    for number, name in enumerate((LATIN, "Jörg", "Été")):
        record = b"From x Mon Jan  2 03:04:05 2023\n" + message(number) + b"\n"
        (root / f"{name}.mbox").write_bytes(record)
    return "mbox"


def maildir(root: Path) -> str:
    for number, name in enumerate((LATIN, "Jörg", "Été")):
        (root / name / "cur").mkdir(parents=True)
        (root / name / "cur" / f"{number}{LATIN}:2,S").write_bytes(message(number))
    return "maildir"


@pytest.mark.parametrize("make", [eml, mbox, maildir])
def test_folders_with_names_of_another_encoding_are_imported(
    program: Program, make: Callable[[Path], str]
) -> None:
    root = program.folder / f"src{LATIN}"
    form = make(root)
    table = program.json("import", "ada@example.test", root, "--dry-run")
    assert sorted(f["target"] for f in table["folders"]) == ["Jörg", "Jörg", "Été"]
    said = program.json("import", "ada@example.test", root, "--form", form)
    assert (said["imported"], said["skipped"]) == (3, 0)
    assert {m["path"]: m["messages"] for m in said["mailboxes"]} == {"Jörg": 2, "Été": 1}
    again = program.json("import", "ada@example.test", root)
    assert (again["imported"], again["there"]) == (0, 3)


def test_what_is_skipped_under_such_a_name_is_listed_by_a_name_that_tells_which(
    program: Program,
) -> None:
    root = program.folder / "src"
    (root / LATIN).mkdir(parents=True)
    (root / LATIN / "1.eml").touch()
    (root / LATIN / "2.eml").write_bytes(message(2))
    said = program.json("import", "ada@example.test", root, code=5)
    (record,) = said["skipped_records"]
    assert (record["folder"], record["reason"]) == ("Jörg", "it is empty")
    assert record["where"].endswith("src/J\\xf6rg/1.eml")
    done = program.run("import", "ada@example.test", root, code=5)
    assert "J\\xf6rg/1.eml: it is empty" in done.stderr


def test_such_a_folder_can_be_mapped(program: Program) -> None:
    root = program.folder / "src"
    (root / LATIN).mkdir(parents=True)
    (root / LATIN / "1.eml").write_bytes(message(1))
    for name in (LATIN, "Jörg"):
        said = program.json(
            "import", "ada@example.test", root, "--dry-run", "--map", f"{name}=Else"
        )
        assert [f["target"] for f in said["folders"]] == ["Else"]


def test_an_export_into_such_a_path(program: Program) -> None:
    root = program.folder / "src"
    root.mkdir()
    (root / "1.eml").write_bytes(message(1))
    program.run("import", "ada@example.test", root)
    said = program.json("export", "ada@example.test", program.folder / LATIN, "--form", "eml")
    assert said["exported"] == 1
    assert said["target"].endswith("/J\\xf6rg")
    assert len(list((program.folder / LATIN).rglob("*.eml"))) == 1
    program.run("export", "ada@example.test", program.folder / f"{LATIN}2")


@pytest.mark.parametrize(
    ("words", "stdin"),
    [
        (("account", "set", "ada@example.test", "--name", LATIN), ""),
        (("account", "show", "\udcff@example.test"), ""),
        (("account", "list", "--domain", "\udcff.test"), ""),
        (("alias", "add", "\udcff@example.test", "ada@example.test"), ""),
        (("domain", "add", "b\udcfccher.example"), ""),
        (("recover", "ada@example.test", "--all", "--into", LATIN), ""),
        (("account", "passwd", "ada@example.test", "--password-stdin"), f"{LATIN} is a secret\n"),
        (("account", "add", "--from", "-"), f"address,name\nbob@example.test,{LATIN}\n"),
        (("init", "--domain", "b\udcfccher.example"), ""),
        (("--config", "new.toml", "init", "--hostname", "a.example", "--data-dir", LATIN), ""),
    ],
    ids=lambda value: "-".join(value)[:14].encode("ascii", "replace").decode() if value else None,
)
def test_an_argument_or_input_that_is_not_utf_8_is_refused_in_words(
    program: Program, words: tuple[str, ...], stdin: str
) -> None:
    done = program.run(*words, code=2, stdin=stdin)
    assert "UTF-8" in done.stderr or "is no domain name" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    if not stdin:
        assert program.json(*words, code=2)["error"]["reason"] == "usage"


def test_a_file_of_such_a_name_that_is_not_there_is_said(program: Program) -> None:
    for words in (
        ("import", "ada@example.test", LATIN),
        ("--config", LATIN, "domain", "list"),
        ("account", "add", "x@example.test", "--password-file", LATIN),
        ("account", "add", "--from", LATIN),
    ):
        done = program.run(*words, code=1 if words[0] == "import" else 2)
        assert "J\\xf6rg" in done.stderr or "J\\udcf6rg" in done.stderr
        program.json(*words, code=1 if words[0] == "import" else 2)


def test_an_output_that_knows_only_ascii_is_no_failure(program: Program) -> None:
    program.run("account", "set", "ada@example.test", "--name", "Jörg")
    environment = {**program.environment(), "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        program.command("account", "show", "ada@example.test"),
        capture_output=True, env=environment, cwd=program.folder, check=True,
    )  # fmt: skip
    assert b"J\\xf6rg" in done.stdout
    assert os.fsencode(LATIN) not in done.stdout
