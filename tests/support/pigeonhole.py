"""Debian's Pigeonhole (`sieve-test`): runs a script on a message and tells what came of it, in the words
of the tables (support.sieve_tables)."""

import os
import pwd
import re
import subprocess
from pathlib import Path

from .sieve_tables import Case

EXTENSIONS = "editheader duplicate vacation-seconds special-use ihave"
SETTINGS = """\
mail_uid = {user}
mail_gid = {group}
first_valid_uid = 1
mail_location = maildir:{home}/mail
mail_home = {home}
log_path = /dev/stderr
plugin {{
  sieve = file:{home}/sieve;active={home}/active.sieve
  sieve_global = {home}/global
  sieve_extensions = {extensions}
  sieve_max_redirects = 5
  sieve_vacation_min_period = 60
}}
"""

_STORE = re.compile(r" \* store message in folder: (.*)")
_FLAGS = re.compile(r"\s+\+ add IMAP flags: (.*)")
_REDIRECT = re.compile(r" \* redirect message to: <(.*)>")
_REJECT = re.compile(r" \* reject message with reason: (.*)", re.DOTALL)
_VACATION = re.compile(r"    => seconds : (\d+)")
_ACTION = re.compile(r"^(?= \* )", re.MULTILINE)


class Pigeonhole:
    """A configuration in `home`, which others than root must be able to read: the program leaves root
    behind."""

    def __init__(self, program: str, home: Path, scripts: dict[tuple[bool, str], bytes]) -> None:
        self._program = program
        self._home = home
        for folder in ("sieve", "global", "mail", "work"):
            (home / folder).mkdir()
        for (kept, name), script in scripts.items():
            (home / ("global" if kept else "sieve") / f"{name}.sieve").write_bytes(script)
        user, group = os.getuid(), os.getgid()
        if user == 0:
            nobody = pwd.getpwnam("nobody")
            user, group = nobody.pw_uid, nobody.pw_gid
            for folder in ("sieve", "global", "mail"):
                os.chown(home / folder, user, group)
        extensions = " ".join("+" + name for name in EXTENSIONS.split())
        (home / "dovecot.conf").write_text(
            SETTINGS.format(user=user, group=group, home=home, extensions=extensions)
        )

    def run(self, case: Case) -> list[str]:
        """What comes of a case: actions, or `refused`, or `error`."""
        (self._home / "work/script.sieve").write_text(case.script, encoding="utf-8")
        (self._home / "work/message.eml").write_bytes(case.octets())
        said = self._said(case)
        if "failed to compile" in said:
            return ["refused"]
        if "final result: failed" in said:
            return ["error"]
        assert "final result: success" in said, said
        found = told(said)
        replies = [line for line in found if line.startswith("vacation ")]
        # Whether a reply is fit is asked only when it is about to be sent.
        if replies and "sent vacation response" not in self._said(case, "-e"):
            return [line for line in found if line not in replies]
        return found

    def _said(self, case: Case, *more: str) -> str:
        done = subprocess.run(
            [
                *(self._program, *more, "-C", "-c", f"{self._home}/dovecot.conf"),
                *("-f", case.sender, "-r", case.recipient, "-a", case.recipient),
                *(f"{self._home}/work/script.sieve", f"{self._home}/work/message.eml"),
            ],
            capture_output=True,
            timeout=60,
            check=False,
            # The account's zone is one hour east, whose name has the other sign.
            env={**os.environ, "TZ": "Etc/GMT-1"},
        )
        return (done.stdout + done.stderr).decode(errors="replace")


def told(said: str) -> list[str]:
    """The actions in what the program printed."""
    found: list[str] = []
    for action in _ACTION.split(said):
        if stored := _STORE.match(action):
            name = "keep" if stored[1] == "INBOX" else f"fileinto {stored[1]}"
            flags = _FLAGS.search(action)
            names = sorted(flags[1].lower().split()) if flags else []
            found.append(f"{name} ({' '.join(names)})")
        elif redirected := _REDIRECT.match(action):
            found.append(f"redirect {redirected[1]}")
        elif action.startswith(" * discard"):
            found.append("discard")
        elif rejected := _REJECT.match(action):
            found.append("reject " + rejected[1].partition("\n\n")[0].strip())
        elif vacation := _VACATION.search(action):
            found.append(f"vacation {vacation[1]}")
        elif action.startswith(" * "):
            found.append(action.partition("\n")[0][3:])
    return sorted(found)
