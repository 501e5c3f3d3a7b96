"""The service's user, taken over by somebody, lays traps in the folders he owns for root's commands.

Root must neither write through a link of his nor give him a file that was not his.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from malleposte.cli import setup
from malleposte.cli.doctor import files
from malleposte.cli.exit_codes import Trouble
from malleposte.cli.import_journal import Journal, journal_folder
from malleposte.node.config import Configuration, Node

pytestmark = [
    pytest.mark.timeout(30),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can be led astray by another user"),
]

SERVICE = 54_321
"""A user id of nobody."""
WORDS = "root's own\n"


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A folder that others than root reach as well: pytest's own are root's alone."""
    folder = Path(tempfile.mkdtemp(prefix="mp-attack-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def data(open_path: Path) -> Path:
    """The data folder of the service's user."""
    data = open_path / "data"
    data.mkdir(mode=0o700)
    os.chown(data, SERVICE, SERVICE)
    return data


@pytest.fixture
def treasure(open_path: Path) -> Path:
    """A file of root's, in a folder of root's."""
    folder = open_path / "root"
    folder.mkdir(mode=0o755)
    treasure = folder / "treasure"
    treasure.write_text(WORDS)
    treasure.chmod(0o600)
    return treasure


@pytest.fixture
def no_gifts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Giving a file away by its name is a race that the owner of the folder can win."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a file in a folder of another's was given away")

    for name in ("chown", "fchown", "lchown"):
        monkeypatch.setattr(os, name, refuse)


def configuration(data: Path) -> Configuration:
    return Configuration(node=Node(data_dir=data, run_dir=data / "run", hostname="mx.example.org"))


def opened(data: Path, state: Path | None = None) -> Journal:
    return Journal(journal_folder(data, state), "maildir:/x", "ada@example.org")


def unharmed(treasure: Path) -> None:
    status = treasure.stat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o777) == (0, 0, 0o600)
    assert treasure.read_text() == WORDS
    assert os.listdir(treasure.parent) == ["treasure"]


def name_of_the_journal(data: Path) -> Path:
    journal = opened(data)
    journal.close()
    assert not journal.path.exists()
    return journal.path


def test_what_root_makes_there_is_his(data: Path, no_gifts: None) -> None:
    journal = opened(data)
    journal.begin("line", 1)
    journal.close()
    made = [journal.path, journal.path.parent]
    setup.node_key(configuration(data))
    setup.certificate(configuration(data), "mx.example.org")
    made += [data / "node.key", data / "tls", *(data / "tls").iterdir()]
    assert {path.stat().st_uid for path in made} == {SERVICE}
    assert os.geteuid() == os.getegid() == 0
    # And another run takes it up.
    again = opened(data)
    assert again.head is not None
    again.close()


@pytest.mark.parametrize("kind", ["link", "hard link", "pipe", "folder", "file of root's"])
def test_a_journal_that_is_none(data: Path, treasure: Path, kind: str) -> None:
    path = name_of_the_journal(data)
    if kind == "link":
        path.symlink_to(treasure)
    elif kind == "hard link":
        # The kernel lets nobody do that by default (fs.protected_hardlinks).
        os.link(treasure, path)
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        shutil.copy(treasure, path)
    with pytest.raises(Trouble):
        opened(data)
    if kind == "hard link":
        path.unlink()
    unharmed(treasure)


def test_a_journal_that_leads_to_a_file_not_there_yet(data: Path, treasure: Path) -> None:
    path = name_of_the_journal(data)
    path.symlink_to(treasure.with_name("cron-job"))
    with pytest.raises(Trouble):
        opened(data)
    unharmed(treasure)


@pytest.mark.parametrize("state", [False, True])
def test_a_folder_of_journals_that_is_a_link(data: Path, treasure: Path, state: bool) -> None:
    (data / "imports").symlink_to(treasure.parent)
    with pytest.raises(Trouble):
        opened(data, data / "imports" if state else None)
    unharmed(treasure)


def test_a_folder_of_root_s_keeps_journals_of_root_s(open_path: Path, data: Path) -> None:
    """`--state` elsewhere."""
    journal = opened(data, open_path / "state")
    journal.begin("line", 1)
    journal.close()
    assert journal.path.stat().st_uid == 0


@pytest.mark.parametrize("name", ["node.key", "tls"])
def test_keys_that_are_links(data: Path, treasure: Path, name: str) -> None:
    target = treasure if name == "node.key" else treasure.parent
    (data / name).symlink_to(target)
    for step in (setup.node_key, lambda c: setup.certificate(c, "mx.example.org")):
        with contextlib.suppress(Trouble):
            step(configuration(data))
    unharmed(treasure)


def test_a_lock_that_is_a_pipe_does_not_hold_doctor(data: Path, treasure: Path) -> None:
    os.mkfifo(data / "writer.lock")
    assert files.writer_lock(configuration(data), running=False).state == "wrong"
    (data / "writer.lock").unlink()
    (data / "writer.lock").symlink_to(treasure)
    assert files.writer_lock(configuration(data), running=False).state == "wrong"
