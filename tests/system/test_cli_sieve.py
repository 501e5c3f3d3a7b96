"""``malleposte sieve`` as a program: what it prints, JSON, exit codes."""

from pathlib import Path

import pytest

from unit.cli.program import TOML, Program

ADA = "ada@example.test"


@pytest.fixture
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    program = Program(tmp_path_factory.mktemp("b"))
    program.config.write_text(TOML)
    program.run("init", "--domain", "example.test")
    program.run("account", "add", "--from", "-", stdin=f"{ADA}\n")
    return program


def script(folder: Path, text: str) -> Path:
    path = folder / "script.sieve"
    path.write_text(text)
    return path


@pytest.mark.parametrize("owner", [ADA, "example.test", "everybody"])
def test_a_life_of_scripts(program: Program, owner: str) -> None:
    assert program.run("sieve", "list", owner).stdout == "There are none.\n"
    file = script(program.folder, 'require "include";\ninclude "more";\n')
    done = program.run("sieve", "put", owner, "Müll", file)
    assert done.stdout == (
        f"Müll is kept, and does not run yet: malleposte sieve activate {owner} Müll\n"
    )
    assert done.stderr == "warning: there is no script 'more' to include (yet)\n"
    assert program.run("sieve", "activate", owner, "Müll").stdout == "Müll runs\n"
    assert program.run("sieve", "list", owner).stdout.splitlines()[1].split() == [
        *("Müll", "active", "35", "B"),
    ]
    assert program.run("sieve", "show", owner).stdout == file.read_text()
    code = program.run("sieve", "delete", owner, "Müll", code=1)
    assert "the script is active" in code.stderr
    assert program.run("sieve", "activate", owner).stdout == "no script runs\n"
    assert program.run("sieve", "delete", owner, "Müll").stdout == "Müll was deleted\n"


def test_a_script_from_standard_input_runs_at_once(program: Program) -> None:
    said = program.json("sieve", "put", ADA, "main", "--activate", stdin="keep;\n")
    assert (said["name"], said["active"], said["warnings"]) == ("main", True, [])


def test_mistakes_with_line_and_column(program: Program) -> None:
    file = script(program.folder, 'keep;\nfileinto "x";\n')
    for words in (("check", ADA, file), ("put", ADA, "x", file)):
        said = program.run("sieve", *words, code=2)
        assert (
            'line 2, column 1: fileinto needs a line at the top: require "fileinto";' in said.stderr
        )
    good = script(program.folder, "keep;\n")
    assert program.run("sieve", "check", ADA, good).stdout == "The script is in order.\n"


def test_files_that_are_no_scripts(program: Program) -> None:
    missing = program.run("sieve", "check", ADA, program.folder / "none", code=1)
    assert "cannot be read: No such file" in missing.stderr
    path = program.folder / "latin.sieve"
    path.write_bytes(b"# \xff\n")
    assert "no text in UTF-8" in program.run("sieve", "check", ADA, path, code=1).stderr
