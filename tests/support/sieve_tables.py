"""Tables of Sieve scripts: what is run on which message, and what is to come of it.

A table is text (tests/unit/sieve/tables). Lines of settings hold until they are set again:

    message: NAME       messages/NAME.eml
    require: A B        extensions that the tests below require
    sender: ADDRESS     of the envelope; recipient: likewise

`yes TEST` and `no TEST` are tests that hold or do not. `script: TITLE` begins a script, up to lines
`=> …` that tell its outcome, in the words of `shown`. Escapes in these are Python's.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from malleposte.sieve import (
    Action,
    Delivery,
    Discard,
    FileInto,
    Keep,
    MimeMessage,
    Outcome,
    Redirect,
    Reject,
    SieveError,
    Vacation,
    compile_script,
)

ROOT = Path(__file__).resolve().parents[1] / "unit/sieve"
NOW = datetime(2024, 3, 2, 12, 0, 0, tzinfo=timezone(timedelta(hours=1)))
MAILBOXES = frozenset(("INBOX", "Archive", "Junk", "Lists"))
IDENTITIES = frozenset(("F123", "F456"))
USES = {"Junk": "\\Junk", "Archive": "\\Archive"}
SCRIPTS = {
    (False, "spam"): b'require "fileinto"; if header :contains "subject" "hello" '
    b'{ fileinto "Junk"; stop; }',
    (False, "returns"): b'require ["include", "fileinto"]; if true { return; } fileinto "never";',
    (False, "stops"): b"stop;",
    (False, "counts"): b'require ["include", "variables"]; global "n"; set "n" "${n}x";',
    (False, "local"): b'require ["variables"]; set "n" "other";',
    (False, "broken"): b"keep",
    (False, "itself"): b'require "include"; include "itself";',
    (False, "carefully"): b'require ["include", "fileinto"]; include :once "carefully"; '
    b'fileinto "Careful";',
    (True, "site"): b'require "fileinto"; fileinto "Site";',
}


@dataclass(frozen=True)
class Case:
    """One script of a table. `expected` are lines as `shown` makes them."""

    title: str
    script: str
    expected: tuple[str, ...]
    message: str
    sender: str
    recipient: str

    def octets(self) -> bytes:
        """The message with line ends as mail has them."""
        found = (ROOT / "messages" / f"{self.message}.eml").read_bytes()
        return found.replace(b"\n", b"\r\n")

    def delivery(self) -> Delivery:
        """What surrounds it."""
        return Delivery(
            sender=self.sender,
            recipient=self.recipient,
            addresses=frozenset(("me@example.org", "also.me@example.org")),
            now=NOW,
            zone=timezone(timedelta(hours=1)),
            mailbox_exists=MAILBOXES.__contains__,
            mailbox_id_exists=IDENTITIES.__contains__,
            special_use_exists=_special_use,
            seen=lambda handle, value: handle == "known",
        )

    def run(self) -> Outcome:
        """What our engine makes of it; raises SieveError."""
        script = compile_script(
            self.script.encode(), resolve=lambda kept, name: SCRIPTS.get((kept, name))
        )
        return script.run(MimeMessage(self.octets()), self.delivery())

    def wrong(self) -> list[str]:
        """In what the outcome differs from the table; empty if in nothing."""
        try:
            outcome = self.run()
        except SieveError as error:
            found = [f"refused {m.line}:{m.column} {m.text}" for m in error.mistakes]
        else:
            found = shown(outcome)
        if len(found) != len(self.expected):
            return found
        pairs = zip(found, self.expected, strict=True)
        return [got for got, wanted in pairs if not _same(got, wanted)]


def _special_use(mailbox: str | None, use: str) -> bool:
    return use in USES.values() if mailbox is None else USES.get(mailbox) == use


def _same(got: str, wanted: str) -> bool:
    """Of what goes wrong only some words are in the table."""
    kind, _, rest = wanted.partition(" ")
    if kind not in ("refused", "error"):
        return got == wanted
    place, _, words = rest.partition(" ")
    return got.startswith(f"{kind} {place} ") and words in got


def shown(outcome: Outcome) -> list[str]:
    """An outcome in the words of the tables."""
    if outcome.error is not None:
        assert outcome.actions == (Keep(implicit=True),), "an error keeps, and nothing else"
        error = outcome.error
        where = f"{error.script} " if error.script else ""
        return [f"error {error.line}:{error.column} {where}{error.text}"]
    return [_action(action) for action in outcome.actions]


def _action(action: Action) -> str:
    if isinstance(action, Keep):
        return _with_flags("keep", action.flags)
    if isinstance(action, FileInto):
        words = ["fileinto", action.mailbox]
        words += ["create"] if action.create else []
        words += [f"use={action.special_use}"] if action.special_use else []
        words += [f"id={action.mailbox_id}"] if action.mailbox_id else []
        return _with_flags(" ".join(words), action.flags)
    if isinstance(action, Redirect):
        return f"redirect {action.address}"
    if isinstance(action, Reject):
        return f"{'ereject' if action.ereject else 'reject'} {action.reason}"
    if isinstance(action, Vacation):
        more = f" from={action.sender}" if action.sender else ""
        more += " mime" if action.mime else ""
        return f"vacation {action.to} {action.seconds} [{action.subject}]{more} {action.reason}"
    assert isinstance(action, Discard)
    return "discard"


def _with_flags(text: str, flags: tuple[str, ...] | None) -> str:
    return text if flags is None else f"{text} ({' '.join(sorted(flags))})"


def cases() -> Iterator[Case]:
    """All cases of all tables."""
    for path in sorted((ROOT / "tables").glob("*.txt")):
        yield from _table(path.read_text(encoding="utf-8").splitlines())


def _table(lines: list[str]) -> Iterator[Case]:
    settings = {
        "message": "plain",
        "require": "",
        "sender": "anna@example.com",
        "recipient": "me@example.org",
    }
    title: str | None = None
    script: list[str] = []
    expected: list[str] = []

    def case(title: str, text: str, outcome: list[str]) -> Case:
        around = (settings[name] for name in ("message", "sender", "recipient"))
        return Case(title, text, tuple(outcome), *around)

    for line in [*lines, "# the end"]:
        if title is not None:
            if line.startswith("=> "):
                expected.append(
                    line[3:].encode("latin-1", "backslashreplace").decode("unicode_escape")
                )
                continue
            if not expected:
                script.append(line)
                continue
            yield case(title, "\n".join(script) + "\n", expected)
            title, script, expected = None, [], []
        if not line or line.startswith("#"):
            continue
        word, _, rest = line.partition(" ")
        if word in ("yes", "no"):
            test = rest.strip()
            names = ", ".join(f'"{name}"' for name in ["fileinto", *settings["require"].split()])
            text = f'require [{names}];\nif {test} {{ fileinto "held"; }}\n'
            yield case(test, text, ["fileinto held" if word == "yes" else "keep"])
        elif word == "script:":
            title = rest
        else:
            name = word.removesuffix(":")
            assert name in settings, f"no setting {line!r}"
            settings[name] = rest
    assert title is None, f"{title} has no outcome"
