"""sieve-connect, a ManageSieve client of others: scripts up, down, active, gone; mail filed by them."""

import smtplib
from pathlib import Path

import pytest

from support import mailbox
from support.mailbox import Account
from support.programs import Home, need
from support.server import Server

pytestmark = pytest.mark.interop

SCRIPT = (
    'require "fileinto";\nif header :contains "subject" "[work]" {\n    fileinto "Archive";\n}\n'
)


def run(
    server: Server, ca: Path, account: Account, home: Home, *words: str | Path
) -> tuple[int, str]:
    done = home.run(
        *(need("sieve-connect"), "--nosrv", "--server", "localhost", "--4"),
        *("--port", str(server.ports["managesieve"]), "--tlscafile", ca),
        *("--user", account.address, "--passwordfd", "0", *words),
        octets=account.password.encode() + b"\n",
    )
    return done.returncode, done.stdout.decode(errors="replace")


def succeed(server: Server, ca: Path, account: Account, home: Home, *words: str | Path) -> str:
    code, said = run(server, ca, account, home, *words)
    assert code == 0, said
    return said


def test_a_script_from_upload_to_gone(
    server: Server, ca: Path, account: Account, home: Home
) -> None:
    local = home.write("mine.sieve", SCRIPT)
    here = (server, ca, account, home)
    succeed(*here, "--checkscript", "--localsieve", local)
    succeed(*here, "--upload", "--localsieve", local, "--remotesieve", "main")
    succeed(*here, "--activate", "--remotesieve", "main")
    said = succeed(*here, "--list")
    assert '"main"' in said
    assert "ACTIVE" in said
    back = home.folder / "back.sieve"
    succeed(*here, "--download", "--remotesieve", "main", "--localsieve", back)
    assert back.read_text().split() == SCRIPT.split()
    with smtplib.SMTP("127.0.0.1", server.ports["smtp"], timeout=30) as client:
        for subject in ("[work] one", "two"):
            text = f"Subject: {subject}\r\n\r\nHi\r\n"
            client.sendmail("a@sender.example", [account.address], text)
    (filed,) = mailbox.messages(server, account.address, account.password, "Archive")
    assert b"[work] one" in filed
    succeed(*here, "--deactivate")
    succeed(*here, "--delete", "--remotesieve", "main")
    assert "main" not in succeed(*here, "--list")


def test_mistakes_and_wrong_passwords_are_told(
    server: Server, ca: Path, account: Account, home: Home
) -> None:
    local = home.write("bad.sieve", 'keep;\nfileinto "x";\n')
    _, said = run(server, ca, account, home, "--upload", "--localsieve", local)
    assert "line 2, column 1: fileinto needs a line at the top" in said
    wrong = Account(account.address, "wrong")
    code, said = run(server, ca, wrong, home, "--list")
    assert code != 0
    assert "The name or the password is wrong" in said
