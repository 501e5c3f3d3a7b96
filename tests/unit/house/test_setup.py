"""tools/setup.sh beside a fake Python: installs once, from hashes only, and fails in words."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

# Says it is in range, makes a .venv that holds itself, and writes down what pip is asked to do.
PYTHON = """#!/bin/sh
case "$*" in
    '-ISc import sys; sys.exit'*) exit "${FAKE_RANGE:-0}" ;;
    '-ISc import sys; print'*) echo 3.12.1 ;;
    -V) echo Python 3.12.1 ;;
    '-Ic import ensurepip'*) exit "${FAKE_VENV:-0}" ;;
    '-m venv .venv') mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
    '-m pip '*) echo "$*" >>"$FAKE/pip"; [ ! -e "$FAKE/words" ] || { cat "$FAKE/words"; exit 1; } ;;
    *) echo "unexpected: $*" >&2; exit 99 ;;
esac
"""


class Checkout:
    def __init__(self, path: Path) -> None:
        self.path, self.fake = path / "checkout", path / "fake"
        (self.path / "tools").mkdir(parents=True)
        for name in ("setup.sh", "progress.sh"):
            shutil.copy(ROOT / "tools" / name, self.path / "tools")
        (self.path / "pyproject.toml").write_text("[project]\n")
        (self.path / "requirements").mkdir()
        (self.path / "requirements/run.txt").write_text("h11==1 \\\n    --hash=sha256:00\n")
        (self.path / "requirements/test.txt").write_text("h11==1 \\\npytest==1 \\\n")
        self.fake.mkdir()
        self.program("python3", PYTHON)
        self.program("id", "#!/bin/sh\necho 1000\n")

    def program(self, name: str, text: str) -> None:
        (self.fake / name).write_text(text)
        (self.fake / name).chmod(0o755)

    def setup(self, what: str, **more: str) -> tuple[int, str]:
        environment = os.environ | {
            "PATH": f"{self.fake}:/usr/bin:/bin",
            "FAKE": str(self.fake),
            "PYTHON": "python3",
        }
        done = subprocess.run(
            ["sh", str(self.path / "tools/setup.sh"), what],
            env=environment | more,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        )
        return done.returncode, done.stdout

    def pip_calls(self) -> list[str]:
        log = self.fake / "pip"
        calls = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return calls


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_a_second_start_does_nothing(checkout: Checkout) -> None:
    status, output = checkout.setup("run")
    assert status == 0, output
    assert "Python 3.12.1" in output
    packages, itself = checkout.pip_calls()
    assert packages.endswith("--require-hashes -r requirements/run.txt")
    assert itself.endswith("--no-build-isolation --no-deps -e .")
    assert "--isolated" not in packages  # the machine's own settings of pip are respected
    assert checkout.setup("run") == (0, "")
    assert checkout.pip_calls() == []


def test_what_the_tests_need_holds_what_running_needs(checkout: Checkout) -> None:
    checkout.setup("test")
    checkout.pip_calls()
    assert checkout.setup("run") == (0, "")
    assert checkout.pip_calls() == []


def test_running_does_not_hold_what_the_tests_need(checkout: Checkout) -> None:
    checkout.setup("run")
    checkout.pip_calls()
    assert checkout.setup("test")[0] == 0
    assert [call.split()[-1] for call in checkout.pip_calls()] == ["requirements/test.txt"]


@pytest.mark.parametrize(
    ("file", "last"), [("requirements/run.txt", "requirements/run.txt"), ("pyproject.toml", ".")]
)
def test_what_changed_is_installed_again(checkout: Checkout, file: str, last: str) -> None:
    checkout.setup("run")
    checkout.pip_calls()
    with (checkout.path / file).open("a") as changed:
        changed.write("\n")
    assert checkout.setup("run")[0] == 0
    assert [call.split()[-1] for call in checkout.pip_calls()] == [last]


def test_a_moved_checkout_gets_a_new_environment(checkout: Checkout) -> None:
    checkout.setup("run")
    (checkout.path / ".venv/old").touch()
    checkout.path = checkout.path.rename(checkout.path.with_name("moved"))
    status, output = checkout.setup("run")
    assert status == 0
    assert "made elsewhere" in output
    assert not (checkout.path / ".venv/old").exists()


def test_an_interrupted_installation_is_taken_up_again(checkout: Checkout) -> None:
    (checkout.fake / "words").write_text("ERROR: stopped\n")
    assert checkout.setup("run")[0] == 1
    checkout.pip_calls()
    (checkout.fake / "words").unlink()
    assert checkout.setup("run")[0] == 0
    assert len(checkout.pip_calls()) == 2


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        ("Temporary failure in name resolution", "Check the network"),
        ("ERROR: No matching distribution found for h11==1", "Try another interpreter"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", "Do not go on with it"),
        ("ERROR: [Errno 28] No space left on device", "Make room"),
        ("ERROR: unheard of", "read the output"),
    ],
)
def test_a_failure_of_pip_says_what_to_do(checkout: Checkout, words: str, advice: str) -> None:
    (checkout.fake / "words").write_text(words + "\n")
    status, output = checkout.setup("run")
    assert status == 1
    assert advice in output


def test_no_supported_python_is_said(checkout: Checkout) -> None:
    status, output = checkout.setup("run", FAKE_RANGE="1")
    assert status == 1
    assert "No Python 3.11, 3.12 or 3.13 found" in output
    assert "apt-get install python3 python3-venv" in output


def test_a_missing_venv_module_is_said(checkout: Checkout) -> None:
    status, output = checkout.setup("run", FAKE_VENV="1")
    assert status == 1
    assert "Type: sudo apt-get install python3-venv" in output


def test_too_little_disk_is_said(checkout: Checkout) -> None:
    checkout.program("df", "#!/bin/sh\nprintf 'a b c d e\\nx 9 9 2048 9%% /\\n'\n")
    status, output = checkout.setup("test")
    assert status == 1
    assert "Too little disk: 2 MB free" in output
