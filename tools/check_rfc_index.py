"""Checks docs/rfc/index.toml: what it claims must be there.

One table per RFC, one entry per section (a duplicate is already an error of TOML itself):

    [5321]
    title = "Simple Mail Transfer Protocol"
    "4.5.2" = { title = "Transparency", state = "done", where = "wire/smtp/data.py", tests = […] }

`state` is `done`, `partial`, `planned` or `left out`. `where` is a path under src/malleposte, `why`
says what a partial section lacks or why one is left out, `tests` are files, or functions in them
(`file::test_name`, `file::TestClass::test_name`). Done and partial sections name where and at
least one test, and both exist.

Each RFC that the sources cite has its table, or, where it is only referred to and nothing of it is
to be built, a line in the table `cited` (number = "title").

It does not run the tests and does not judge whether they are good ones.
"""

import ast
import re
import sys
import tomllib
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

STATES = ("done", "partial", "planned", "left out")
KEYS = {"title", "state", "where", "why", "tests"}
CLAIMS = ("done", "partial")

# "RFC 5321", "RFCs 5321 and 5322", "RFC 3501/9051", "RFC 2045–2049"; a line may break between.
# Not IMAP's item RFC822.SIZE: three digits count only after a space.
CITATION = re.compile(
    r"\bRFCs?(?:\s+(?=\d{3})|(?=\d{4}))(\d{3,5}(?:\s*(?:,|/|–|-|and|or)\s*\d{4,5}\b)*)"
)


def cited_rfcs(source: Path) -> dict[str, Path]:
    """Each RFC number that a file under `source` cites, with one file that does."""
    found: dict[str, Path] = {}
    for path in sorted(source.rglob("*")):
        if path.suffix not in {".py", ".sql", ".pyi"}:
            continue
        for citation in CITATION.finditer(path.read_text(encoding="utf-8")):
            for number in re.findall(r"\d+", citation[1]):
                found.setdefault(number, path)
    return found


@cache
def names_in(path: Path) -> frozenset[str]:
    """The functions, classes and `Class::method`s that a test module defines."""
    names: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.ClassDef):
            names.add(node.name)
            names.update(
                f"{node.name}::{item.name}"
                for item in node.body
                if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)
            )
        elif isinstance(node, ast.Assign):  # hypothesis: TestModel = Machine.TestCase
            names.update(target.id for target in node.targets if isinstance(target, ast.Name))
    return frozenset(names)


def wrong_test(root: Path, test: str) -> str | None:
    """What is wrong with a test's name, or None."""
    file, _, name = test.partition("::")
    path = root / file
    if not file.startswith("tests/") or not path.is_file():
        return f"no such test file: {file}"
    if name and name not in names_in(path):
        return f"no {name} in {file}"
    return None


def wrong_section(root: Path, entry: Any) -> list[str]:
    """What is wrong with one section's entry."""
    if not isinstance(entry, dict):
        return ["is no table"]
    wrong = [f"unknown key {key}" for key in sorted(entry.keys() - KEYS)]
    if not entry.get("title"):
        wrong.append("has no title")
    state = entry.get("state")
    if state not in STATES:
        wrong.append(f"state {state!r} is none of {', '.join(STATES)}")
    if state in ("partial", "left out") and not entry.get("why"):
        wrong.append(f"is {state} and does not say why")
    tests = entry.get("tests", [])
    if state in CLAIMS:
        where = entry.get("where", "")
        if not where:
            wrong.append(f"is {state} and does not say where")
        elif not (root / "src/malleposte" / where).exists():
            wrong.append(f"no such place: src/malleposte/{where}")
        if not tests:
            wrong.append(f"is {state} and names no test")
    wrong.extend(found for test in tests if (found := wrong_test(root, test)))
    return wrong


def problems(index: dict[str, Any], root: Path) -> list[str]:
    """Every claim of the index that does not hold in the tree at `root`; empty when all do."""
    found: list[str] = []
    cited = index.get("cited", {})
    rfcs = {number: rfc for number, rfc in index.items() if number != "cited"}
    for number, title in cited.items():
        if not number.isdigit() or not isinstance(title, str) or not title:
            found.append(f"cited {number}: not a number with a title")
        if number in rfcs:
            found.append(f"RFC {number}: has a table and stands among the cited")
    for number, rfc in rfcs.items():
        if not number.isdigit() or not isinstance(rfc, dict) or not rfc.get("title"):
            found.append(f"RFC {number}: not a table with a title named by a number")
            continue
        sections = {name: entry for name, entry in rfc.items() if name != "title"}
        if not sections:
            found.append(f"RFC {number}: no section")
        for name, entry in sections.items():
            found.extend(f"RFC {number} §{name}: {wrong}" for wrong in wrong_section(root, entry))
    for number, path in sorted(cited_rfcs(root / "src").items()):
        if number not in rfcs and number not in cited:
            found.append(f"RFC {number}: cited in {path.relative_to(root)}, not in the index")
    return found


def main() -> int:
    """Checks the project's index; 0 when every claim holds, 1 otherwise."""
    root = Path(__file__).resolve().parent.parent
    path = root / "docs/rfc/index.toml"
    try:
        index = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        sys.stderr.write(f"{path.relative_to(root)}: {error}\n")
        return 1
    found = problems(index, root)
    for problem in found:
        sys.stderr.write(f"{problem}\n")
    states = Counter(
        entry["state"]
        for number, rfc in index.items()
        if number != "cited"
        for entry in rfc.values()
        if isinstance(entry, dict) and "state" in entry
    )
    counts = ", ".join(f"{states[state]} {state}" for state in STATES)
    sys.stdout.write(f"{len(index) - 1} RFCs, {sum(states.values())} sections: {counts}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
