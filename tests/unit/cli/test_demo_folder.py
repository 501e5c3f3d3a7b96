"""Where the demo's sockets lie when its folder's path is too long for them."""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from malleposte.cli import demo
from malleposte.cli.configuration import read_configuration


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder of this user's with a short path."""
    path = Path(tempfile.mkdtemp(prefix="mp-", dir="/tmp"))
    yield path
    shutil.rmtree(path)


def test_a_short_folder_holds_its_sockets() -> None:
    assert demo._run_dir(Path("/srv/demo")) == Path("run")


@pytest.mark.parametrize("named", [True, False], ids=["XDG_RUNTIME_DIR", "/tmp"])
def test_nobody_can_have_made_the_folder_of_a_long_one_before(
    short: Path, monkeypatch: pytest.MonkeyPatch, named: bool
) -> None:
    """Its name could be guessed, and whoever had made it then was trusted with the sockets."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short) if named else "")
    monkeypatch.setattr(tempfile, "tempdir", str(short))
    long = Path("/srv") / ("x" * 120)
    first, second = demo._run_dir(long), demo._run_dir(long)
    assert first != second
    for path in (first, second):
        assert path.parent == short
        status = path.lstat()
        assert stat.S_ISDIR(status.st_mode)
        assert stat.S_IMODE(status.st_mode) == 0o700
        assert status.st_uid == os.geteuid()


@pytest.mark.parametrize("what", ["open to others", "missing", "not absolute", "long"])
def test_a_runtime_folder_that_is_not_the_user_s_own_is_not_used(
    short: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    elsewhere = short / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    monkeypatch.setattr(tempfile, "tempdir", str(elsewhere))
    named = {"missing": str(short / "missing"), "not absolute": ".", "long": "/tmp/" + "x" * 60}
    monkeypatch.setenv("XDG_RUNTIME_DIR", named.get(what, str(short)))
    if what == "open to others":
        short.chmod(0o755)
    assert demo._run_dir(Path("/srv") / ("x" * 120)).parent == elsewhere


def test_a_demo_of_an_earlier_version_is_served_with_what_it_has(tmp_path: Path) -> None:
    """Its configuration names fewer listeners than a new one's."""
    path = tmp_path / "malleposte.toml"
    path.write_text("[[listeners]]\nservice = 'imaps'\nport = 2993\n")
    said = demo.reach(tmp_path, read_configuration(path))
    assert "imaps://localhost:2993/" in said
    assert "pop3" not in said
