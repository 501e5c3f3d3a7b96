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


def test_forms_from_the_first_word_to_gone(program: Program) -> None:
    """What nobody here knows in a form stays, byte for byte; who saves an old version is refused."""
    assert "There is none." in program.run("sieve", "form", "show", ADA, "vacation").stderr
    words = script(program.folder, "Bin im Urlaub.\n")
    done = program.json(
        *("sieve", "away", ADA, "--text", words, "--until", "2030-01-02T08:00"),
        *("--time-zone", "Europe/Paris", "--days", "3"),
    )
    assert done["runs"]
    shown = program.json("sieve", "form", "show", ADA, "vacation")
    assert (
        'currentdate :zone "+0000" :value "lt" "iso8601" "2030-01-02T07:00:00Z"' in shown["script"]
    )
    assert "vacation :days 3" in shown["script"]
    state = shown["state"].replace('"days":3', '"days":4').rstrip("}") + ',"later": [1,  2]}'
    file = script(program.folder, state)
    version = str(shown["version"])
    put = ("sieve", "form", "put", ADA, "vacation", file, "--version", version)
    assert "It runs." in program.run(*put).stdout
    assert "changed meanwhile" in program.run(*put, code=1).stderr
    off = program.run("sieve", "away", ADA, "--off")
    assert "Nothing runs of it." in off.stdout
    kept = program.json("sieve", "form", "show", ADA, "vacation")
    assert '"later":[1,  2]' in kept["state"]
    assert '"days":4' in kept["state"]
    assert kept["script"] == ""
    empty = script(program.folder, "")
    program.run("sieve", "form", "put", ADA, "vacation", empty)
    assert "There is none." in program.run("sieve", "form", "show", ADA, "vacation").stderr


def test_a_form_that_is_none_is_refused_with_words(program: Program) -> None:
    file = script(program.folder, "{")
    assert (
        "no such form" in program.run("sieve", "form", "put", ADA, "filters", file, code=2).stderr
    )
    said = program.run("sieve", "away", ADA, "--since", "tomorrow", code=2)
    assert "tomorrow is no time such as 2026-12-24T17:00" in said.stderr
