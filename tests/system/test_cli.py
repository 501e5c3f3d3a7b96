"""Every command as a program, on a real SQLite store without a server: words, JSON, exit codes."""

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from unit.cli.program import TOML, Program

PASSWORD = "four quiet horses"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """An installation with the domain example.test, its administrator and one account."""
    program = Program(tmp_path_factory.mktemp("cli"))
    program.config.write_text(TOML)
    program.run("init", "--admin", "admin@example.test")
    program.run("account", "add", "ada@example.test", "--name", "Ada", "--generate")
    return program


@pytest.fixture
def program(template: Program, tmp_path_factory: pytest.TempPathFactory) -> Program:
    """A copy of it."""
    folder = tmp_path_factory.mktemp("c")
    shutil.copytree(template.folder, folder, dirs_exist_ok=True)
    return Program(folder)


def test_the_version_is_told_without_loading_anything() -> None:
    code = "import sys; from malleposte.cli import main; main(['version']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("malleposte ")
    loaded = set(done.stdout.split())
    assert not loaded & {"asyncio", "apsw", "cyclopts", "rich", "msgspec", "structlog"}


def test_the_installed_command_is_the_same_as_the_module(program: Program) -> None:
    script = Path(sys.executable).with_name("malleposte")
    if not script.exists():
        pytest.skip("the project is not installed into this environment")
    done = subprocess.run([script, "version", "--json"], capture_output=True, text=True, check=True)
    assert done.stdout == program.run_cold("version", "--json").stdout
    assert program.run_cold("domain", "list").stdout == program.run("domain", "list").stdout


# Directory ----------------------------------------------------------------------------------------


def test_a_shared_account_is_made_and_said_to_be_one(program: Program) -> None:
    program.json("account", "add", "desk@example.test", "--kind", "shared", "--generate")
    assert program.json("account", "show", "desk@example.test")["kind"] == "shared"
    assert "shared" in program.run("account", "show", "desk@example.test").stdout
    refused = program.run("account", "add", "x@example.test", "--kind", "team", code=2)
    assert "person" in refused.stderr


def test_a_life_of_domains_accounts_aliases_and_roles(program: Program) -> None:
    assert program.json("domain", "add", "Bücher.example") == {
        "domain": "xn--bcher-kva.example",
        "made": True,
    }
    assert "was there already" in program.run("domain", "add", "bücher.example").stdout
    made = program.json("account", "add", "bob@bücher.example", "--generate", "--quota", "5 GB")
    assert set(made) == {"id", "address", "password"}
    shown = program.json("account", "show", "BOB@bücher.example")
    assert (shown["quota"], shown["status"], shown["password"]) == (5_000_000_000, "active", True)
    changed = program.json(
        "account", "set", "bob@bücher.example", "--name", "Bob", "--locale", "fr", "--quota", "0"
    )
    assert (changed["name"], changed["locale"], changed["quota"]) == ("Bob", "fr", 0)
    assert program.json("account", "disable", "bob@bücher.example")["status"] == "suspended"
    assert program.json("account", "enable", "bob@bücher.example")["status"] == "active"
    granted = program.json("role", "grant", "bob@bücher.example", "helpdesk")
    assert granted["roles"] == ["helpdesk"]
    assert program.json("role", "revoke", "bob@bücher.example", "helpdesk")["roles"] == []
    alias = program.json(
        "alias", "add", "team@example.test", "ada@example.test", "bob@bücher.example"
    )
    assert len(alias["targets"]) == 2
    alias = program.json("alias", "set", "team@example.test", "ada@example.test")
    assert alias["targets"] == ["ada@example.test"]
    listed = program.json("alias", "list", "--domain", "example.test")["aliases"]
    assert [(a["address"], a["kind"]) for a in listed] == [
        ("abuse@example.test", "system"),
        ("postmaster@example.test", "system"),
        ("team@example.test", "alias"),
    ]
    program.run("alias", "delete", "team@example.test")
    # For people as they write it, for programs as it stands in the store.
    for words in (
        ("account", "list"),
        ("account", "show", "bob@bücher.example"),
        ("domain", "list"),
    ):
        assert "bücher.example" in program.run(*words).stdout
    assert "bob@xn--" in program.run("account", "list", "--json").stdout
    gone = program.json("account", "delete", "bob@bücher.example", "--yes")
    assert gone["emails"] == 0
    program.run("domain", "delete", "bücher.example")
    domains = program.json("domain", "list")["domains"]
    assert [d["domain"] for d in domains] == ["example.test"]
    accounts = program.json("account", "list")["accounts"]
    assert [a["address"] for a in accounts] == ["ada@example.test", "admin@example.test"]
    table = program.run("account", "list").stdout
    assert re.search(r"ada@example\.test +Ada +active +0 +0 B +no limit", table)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("account", "add", "ada@example.test", "--generate"), 1, "is in use"),
        (
            ("account", "add", "x@nowhere.test", "--generate"),
            1,
            "add the domain nowhere.test first",
        ),
        (("account", "add", "x y@example.test", "--generate"), 2, "space or control"),
        (("account", "show", "nobody@example.test"), 1, "there is no account"),
        (("account", "list", "--domain", "nosuch.example"), 1, "there is no domain nosuch.example"),
        (("alias", "list", "--domain", "nosuch.example"), 1, "there is no domain nosuch.example"),
        (("account", "passwd", "ada@example.test", "--no-password"), 2, "--no-password"),
        (
            ("account", "add", "--from", "/nonexistent"),
            2,
            "/nonexistent: No such file or directory\n",
        ),
        (("account", "delete", "ada@example.test"), 2, "add --yes"),
        (("account", "set", "ada@example.test"), 2, "nothing to change"),
        (("account", "set", "ada@example.test", "--quota", "lots"), 2, "no size"),
        (("account", "add", "x@example.test"), 2, "no terminal to ask"),
        (("account", "add", "x@example.test", "--generate", "--no-password"), 2, "contradict"),
        (("account", "passwd", "ada@example.test", "--password-file", "none"), 2, "No such file"),
        (("account", "add"), 2, "give an address"),
        (("alias", "add", "x@example.test", "joe@elsewhere.example"), 1, "another server"),
        (("role", "grant", "ada@example.test", "king"), 2, "roles are owner"),
        (("domain", "delete", "example.test"), 1, "delete its accounts, aliases and groups first"),
        (("import", "ada@example.test", "nowhere"), 1, "there is no file or folder"),
        (("export", "nobody@example.test", "out"), 1, "there is no account"),
        (("recover", "ada@example.test", "1", "--all"), 2, "give numbers, or --all"),
        (("recover", "ada@example.test", "--since", "soon"), 2, "no duration"),
        (("fsck", "nobody@example.test"), 1, "there is no account"),
        (("run",), 2, "--demo"),
        (("dance",), 2, 'Unknown command "dance"'),
        (("account", "add", "x@example.test", "--password", "secret"), 2, "--password"),
    ],
    ids=lambda value: "-".join(value)[:40] if isinstance(value, tuple) else None,
)
def test_what_cannot_be_is_said_in_one_line(
    program: Program, words: tuple[str, ...], code: int, said: str
) -> None:
    done = program.run(*words, code=code)
    assert said in done.stderr
    assert done.stderr.startswith("malleposte: ")
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""


def test_json_says_why_as_well(program: Program) -> None:
    said = program.json("account", "show", "nobody@example.test", code=1)
    assert said["error"]["reason"] == "no-such-account"
    assert said["error"]["code"] == 1
    assert program.json("dance", code=2)["error"]["reason"] == "usage"


def test_options_for_all_commands_may_stand_first(program: Program) -> None:
    done = program.run("--json", "--config", program.config, "domain", "list")
    assert done.stdout.startswith("{")


# Passwords ----------------------------------------------------------------------------------------


def hash_of(program: Program, address: str) -> str:
    import apsw

    with apsw.Connection(str(program.data / "store.db")) as db:
        row = db.execute(
            "SELECT hash FROM credential c JOIN account a ON a.id = c.account WHERE a.address = ?",
            (address,),
        ).fetchone()
    return str(row[0]) if row else ""


def test_passwords_come_from_standard_input_or_a_file(program: Program) -> None:
    before = hash_of(program, "ada@example.test")
    program.run("account", "passwd", "ada@example.test", "--password-stdin", stdin=PASSWORD + "\n")
    after = hash_of(program, "ada@example.test")
    assert before != after
    assert after.startswith("$argon2id$")
    file = program.folder / "secret"
    file.write_text("five quiet horses\nnot this line\n")
    program.run("account", "passwd", "ada@example.test", "--password-file", file)
    assert hash_of(program, "ada@example.test") != after


def test_help_names_no_option_that_makes_no_sense(program: Program) -> None:
    assert "--no-password" not in program.run("account", "passwd", "--help").stdout
    assert "--no-password" in program.run("account", "add", "--help").stdout


def test_a_generated_password_is_printed_once(program: Program) -> None:
    done = program.run("account", "passwd", "ada@example.test", "--generate")
    assert re.search(r"it is: [a-z]{5}(-[a-z]{5}){4}\n", done.stdout)


def test_a_weak_password_is_refused(program: Program) -> None:
    before = hash_of(program, "ada@example.test")
    done = program.run(
        "account", "passwd", "ada@example.test", "--password-stdin", stdin="weak\n", code=1
    )
    assert "at least 10 characters" in done.stderr
    assert hash_of(program, "ada@example.test") == before


def at_a_terminal(program: Program, words: tuple[str, ...], answers: list[tuple[str, str]]) -> str:
    """Run a command at a terminal: wait for each prompt, type the answer. All that was shown."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(program.folder)
        command = program.command(*words)
        os.execve(command[0], command, program.environment())
    shown = b""
    waiting = list(answers)
    until = time.monotonic() + 60
    try:
        while time.monotonic() < until:
            ready, _, _ = select.select([terminal], [], [], 1)
            if ready:
                try:
                    shown += os.read(terminal, 4096)
                except OSError:
                    break
            if waiting and waiting[0][0].encode() in shown.rpartition(b"\n")[2]:
                os.write(terminal, waiting.pop(0)[1].encode() + b"\n")
    finally:
        _, status = os.waitpid(pid, 0)
        os.close(terminal)
    assert not waiting, shown.decode()
    return f"{shown.decode()}\nexit {os.waitstatus_to_exitcode(status)}"


def test_a_password_is_asked_for_twice_and_not_shown(program: Program) -> None:
    before = hash_of(program, "ada@example.test")
    shown = at_a_terminal(
        program,
        ("account", "passwd", "ada@example.test"),
        [
            ("New password", "weak"),
            ("New password", PASSWORD),
            ("The same again", "something else"),
            ("New password", PASSWORD),
            ("The same again", PASSWORD),
        ],
    )
    assert "at least 10 characters" in shown
    assert "not the same" in shown
    assert PASSWORD not in shown
    assert shown.endswith("exit 0")
    assert hash_of(program, "ada@example.test") != before


def test_deleting_at_a_terminal_asks_for_the_address(program: Program) -> None:
    no = at_a_terminal(
        program, ("account", "delete", "ada@example.test"), [("Type the address", "yes")]
    )
    assert "nothing was deleted" in no
    assert no.endswith("exit 1")
    yes = at_a_terminal(
        program, ("account", "delete", "ada@example.test"), [("Type", "ada@example.test")]
    )
    assert yes.endswith("exit 0")


def test_on_a_terminal_tables_are_drawn_and_progress_is_a_bar(program: Program) -> None:
    shown = at_a_terminal(program, ("account", "list"), [])
    assert "─" in shown
    assert "ada@example.test" in shown
    (program.folder / "new").mkdir()
    for number in range(20):
        (program.folder / "new" / f"{number}.x").write_bytes(b"Subject: %d\n\nhello\n" % number)
    shown = at_a_terminal(program, ("import", "ada@example.test", "."), [])
    assert "20 imported" in shown
    assert shown.endswith("exit 0")


# Many accounts ------------------------------------------------------------------------------------


def test_a_list_of_accounts_is_made_and_taken_up_again(program: Program) -> None:
    lines = [f"u{n}@example.test,User {n}," for n in range(2_500)]
    lines[7] = "u7@example.test,User 7,four quiet horses"
    lines[9] = "no address,,"
    text = "address,name,password\n" + "\n".join(lines)
    done = program.run("account", "add", "--from", "-", stdin=text, code=5)
    assert "2,499 made, 0 were there, 1 refused" in done.stderr
    assert "line 11: no address: " in done.stderr
    assert hash_of(program, "u7@example.test").startswith("$argon2id$")
    said = program.json("account", "add", "--from", "-", stdin=text, code=5)["accounts"]
    assert [one["outcome"] for one in said].count("there") == 2_499
    assert len(program.json("account", "list")["accounts"]) == 2_501


def test_one_bad_line_of_a_list_leaves_the_others_alone(program: Program) -> None:
    text = "address;name;quota\na@example.test;A;lots\nb@example.test;B;1 GB\nc@example.test;C\n"
    done = program.run("account", "add", "--from", "-", stdin=text, code=5)
    assert "line 2: a@example.test: 'lots' is no size" in done.stderr
    said = program.json("account", "add", "--from", "-", stdin=text, code=5)["accounts"]
    assert [(one["line"], one["outcome"]) for one in said] == [
        (2, "refused"),
        (3, "there"),
        (4, "there"),
    ]
    assert program.json("account", "show", "b@example.test")["quota"] == 1_000_000_000


def test_generated_passwords_of_a_list_are_printed(program: Program) -> None:
    done = program.run(
        "account", "add", "--from", "-", "--generate", stdin="x@example.test\ny@example.test\n"
    )
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert [row[0] for row in rows] == ["x@example.test", "y@example.test"]
    assert all(len(row[1]) > 20 for row in rows)


# Where there is nothing, or somebody else ---------------------------------------------------------


def test_without_a_configuration(tmp_path: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MALLEPOSTE_")}
    done = subprocess.run(
        [sys.executable, "-m", "malleposte", "domain", "list"],
        capture_output=True,
        text=True,
        env=environment,
        cwd=tmp_path,
        check=False,
    )
    if Path("/etc/malleposte/malleposte.toml").exists():
        pytest.skip("this machine has a configuration of its own")
    assert done.returncode == 2
    assert "malleposte init" in done.stderr


def test_a_configuration_with_mistakes_is_named_with_them_all(program: Program) -> None:
    program.config.write_text("[node]\nhostnam = 'x'\nworkers = 'many'\n")
    done = program.run("domain", "list", code=2)
    assert "did you mean node.hostname?" in done.stderr
    assert "node.workers" in done.stderr


def test_without_a_store(program: Program) -> None:
    shutil.rmtree(program.data)
    done = program.run("domain", "list", code=3)
    assert "run `malleposte init` first" in done.stderr
    assert not program.data.exists()


def test_while_another_process_holds_the_store(program: Program) -> None:
    import fcntl

    with (program.data / "writer.lock").open("rb+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = program.run("domain", "list", code=3)
    assert "another process writes" in done.stderr


def test_a_store_of_a_newer_program_is_not_touched(program: Program) -> None:
    import apsw

    with apsw.Connection(str(program.data / "store.db")) as db:
        db.execute("INSERT INTO migration VALUES (999, 'future', 0, '{}', '{}')")
    done = program.run("domain", "list", code=1)
    assert "start the newer version" in done.stderr


# Configuration ------------------------------------------------------------------------------------


def test_the_configuration_that_counts_is_shown_without_secrets(program: Program) -> None:
    text = program.config.read_text()
    program.config.write_text(f'{text}[store]\ndsn = "postgresql://u:topsecret@h/d"\n')
    plain = program.run("config", "show").stdout
    assert 'hostname = "mail.example.test"' in plain
    assert "topsecret" not in plain
    assert 'dsn = "[hidden]"' in plain
    said = program.json("config", "show")
    assert said["configuration"]["store"]["dsn"] == "[hidden]"
    assert said["configuration"]["node"]["data_dir"] == str(program.data)
    assert program.json("config", "check")["good"] is True


def test_example_and_reference_are_printed(program: Program) -> None:
    example = program.run("config", "example").stdout
    assert "#hostname = " in example
    assert "# Configuration" in program.run("config", "reference").stdout


# fsck ---------------------------------------------------------------------------------------------


def test_fsck_names_damage_and_repairs_it(program: Program) -> None:
    import apsw

    assert program.json("fsck")["summary"]["found"] == 0
    with apsw.Connection(str(program.data / "store.db")) as db:
        db.execute("UPDATE mailbox SET messages = 5 WHERE name = 'INBOX' AND account = 2")
    said = program.json("fsck", code=4)
    assert said["summary"]["remaining"] == len(said["findings"]) > 0
    assert said["findings"][0]["address"] == "ada@example.test"
    text = program.run("fsck", code=4).stdout
    assert "repairable" in text
    said = program.json("fsck", "--repair")
    assert said["summary"]["repaired"] > 0
    assert said["remaining"] == []
    assert program.run("fsck", "--deep").stdout.startswith("0 found")


@pytest.fixture
def with_mail(program: Program) -> Program:
    """Five messages in ada's INBOX."""
    folder = program.folder / "mail"
    folder.mkdir()
    for n in range(5):
        (folder / f"{n}.eml").write_bytes(b"From: a@example.test\nSubject: n%d\n\nwords\n" % n)
    assert program.json("import", "ada@example.test", folder)["imported"] == 5
    return program


def test_fsck_renders_lost_rows_again(with_mail: Program) -> None:
    import apsw

    program = with_mail
    with apsw.Connection(str(program.data / "store.db")) as db:
        db.execute("DELETE FROM email_wide WHERE id % 2 = 0")
    said = program.json("fsck", code=4)
    assert {(one["kind"], one["repairable"]) for one in said["findings"]} == {("email-wide", True)}
    said = program.json("fsck", "--repair")
    assert said["summary"]["repaired"] == len(said["findings"]) > 0
    assert program.run("fsck", "--deep").stdout.startswith("0 found")


def test_mail_is_rendered_anew_by_command(with_mail: Program) -> None:
    import apsw

    program = with_mail
    with apsw.Connection(str(program.data / "store.db")) as db:
        db.execute("UPDATE email_wide SET preview = 'old', envelope = x'00' WHERE id % 2 = 0")
        changed = db.changes()
    assert changed
    said = program.json("fsck", "--render", "admin@example.test")
    assert said["summary"]["looked"] == 0
    said = program.json("fsck", "--render")
    assert (said["summary"]["looked"], said["summary"]["changed"]) == (5, changed)
    assert said["left_out"] == []
    text = program.run("fsck", "--render", "ada@example.test").stdout
    assert text.startswith("5 messages looked at, 0 changed (")
    with apsw.Connection(str(program.data / "store.db")) as db:
        db.execute("DELETE FROM email_wide WHERE id = (SELECT max(id) FROM email_wide)")
        db.execute("UPDATE blob_frame SET data = x'00' WHERE id = (SELECT min(id) FROM blob_frame)")
    done = program.run("fsck", "--render", code=5)
    assert "5 messages looked at, 1 changed (1 of them had been lost), 1 left out" in done.stdout
    (left,) = program.json("fsck", "--render", code=5)["left_out"]
    assert left["address"] == "ada@example.test"
    assert "damaged" in left["text"]
    for other in ("--deep", "--repair", "--renew-uids"):
        program.run("fsck", "--render", other, code=2)


def test_new_uidvalidity_by_command(program: Program) -> None:
    assert program.json("fsck", "--renew-uids") == {"accounts": 2, "mailboxes": 12}
    one = program.json("fsck", "--renew-uids", "ada@example.test")
    assert one == {"accounts": 1, "mailboxes": 6}
    program.run("fsck", "--renew-uids", "--deep", code=2)
