"""A user's mail files that try to have root read what he may not: links, FIFOs, swaps meanwhile.

An operator imports `/home/eve/Maildir` as root. Whatever Eve puts there, only her own regular files are
read, and nothing waits for ever.
"""

import os
import shutil
from pathlib import Path

import pytest

from malleposte.operations.mailfiles import eml, maildir
from malleposte.operations.mailfiles.message_file import Skipped, SourceMessage, Unreadable
from malleposte.operations.mailfiles.source import Form, Source, UnknownSource, found_form

pytestmark = pytest.mark.timeout(30)

FORMS: tuple[Form, ...] = ("maildir", "eml", "mbox")
SECRET = b"From root Fri Jul  3 10:00:00 2026\nSubject: secret\n\n0 secret\n1 secret\n\n"


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    """A folder of another, with files of every form in it."""
    vault = tmp_path / "vault"
    for name in ("cur/1.a", "new/2.b", "secret.eml", "secret", "index"):
        path = vault / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(SECRET)
    return vault


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Eve's, with a message of her own in every form."""
    home = tmp_path / "home"
    (home / "cur").mkdir(parents=True)
    for name in ("cur/1.own:2,Sab", "own.eml", "own"):
        (home / name).write_bytes(SECRET.replace(b"secret", b"own"))
    return home


def words(root: Path, form: Form) -> str:
    """Everything an import of a path would send: octets, flags, names of folders."""
    found = []
    source = Source(root, form)
    for path, place in source.folders():
        source.measure(path, place)
        source.octets(place)
        found.append(path)
        for one in source.read(path, place):
            if isinstance(one, Skipped):
                continue
            found.extend(one.flags)
            try:
                found.append(one.read().decode())
            except Unreadable:
                continue
    return "\n".join(found)


LINKS = {
    "the messages of a Maildir": (".Evil/cur", "cur"),
    "the new messages of a Maildir": (".Evil/new", "new"),
    "the new ones beside real ones": ("new", "new"),
    "a Maildir in a Maildir": (".Evil", "."),
    "a folder": ("Evil", "."),
    "a message of a Maildir": ("cur/2.link:2,S", "secret"),
    "a message in a file": ("evil.eml", "secret.eml"),
    "an mbox": ("evil", "secret"),
    "the names of keywords": ("dovecot-keywords", "secret"),
    "an index": (eml.INDEX, "index"),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("what", LINKS)
def test_a_link_leads_nowhere(home: Path, vault: Path, what: str, form: Form) -> None:
    name, target = LINKS[what]
    index = b'{"uidvalidity":1,"uid":1,"received_at":5,"flags":["secret"],"file":"own.eml"}\n'
    (vault / "index").write_bytes(index)
    link = home / name
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(vault / target)
    said = words(home, form)
    assert "own" in said
    assert "secret" not in said


@pytest.mark.parametrize("name", ["cur", "new"])
def test_what_was_passed_over_is_said(home: Path, vault: Path, name: str) -> None:
    (home / ".Evil").mkdir()
    (home / ".Evil" / name).symlink_to(vault / name)
    (found,) = Source(home, "maildir").read("Evil", home / ".Evil")
    assert isinstance(found, Skipped)
    assert "symbolic link" in found.reason


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "name", ["pipe", "cur/2.pipe", "pipe.eml", "dovecot-keywords", eml.INDEX, "Sub/pipe"]
)
def test_nobody_waits_at_a_fifo(home: Path, form: Form, name: str) -> None:
    (home / name).parent.mkdir(exist_ok=True)
    os.mkfifo(home / name)
    assert "own" in words(home, form)


def test_a_fifo_is_no_source(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnknownSource):
        found_form(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "folder" / "pipe")
    with pytest.raises(UnknownSource):
        found_form(tmp_path / "folder")


@pytest.mark.parametrize(("form", "name"), [("maildir", "cur/1.own:2,Sab"), ("eml", "own.eml")])
def test_a_message_that_becomes_a_link_is_not_read(
    home: Path, vault: Path, form: Form, name: str
) -> None:
    source = Source(home, form)
    ((path, place),) = source.folders()
    (found,) = source.read(path, place)
    assert isinstance(found, SourceMessage)
    (home / name).unlink()
    (home / name).symlink_to(vault / "secret")
    with pytest.raises(Unreadable):
        found.read()


def test_a_folder_that_becomes_a_link_is_not_read(home: Path, vault: Path) -> None:
    (home / ".Sub" / "cur").mkdir(parents=True)
    (home / ".Sub" / "cur" / "1.a").write_bytes(SECRET.replace(b"secret", b"own"))
    source = Source(home, "maildir")
    (found,) = source.read("Sub", home / ".Sub")
    assert isinstance(found, SourceMessage)
    shutil.rmtree(home / ".Sub")
    (home / ".Sub").symlink_to(vault)
    with pytest.raises(Unreadable):
        found.read()
    with pytest.raises(OSError, match=r"Not a directory|symbolic"):
        source.measure("Sub", home / ".Sub")
    with pytest.raises(OSError, match=r"Not a directory|symbolic"):
        list(source.read("Sub", home / ".Sub"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a link to another user")
def test_a_path_through_somebody_else_s_link_is_refused(home: Path, vault: Path) -> None:
    """`import eve /home/eve/Mail` with Mail a link of Eve's; a link of root's or one's own is followed."""
    for link in (home / "Mail", home / "one.eml"):
        link.symlink_to(vault if link.name == "Mail" else vault / "secret.eml")
        assert "secret" in words(link, found_form(link))
        os.lchown(link, 65_534, 65_534)
        with pytest.raises((UnknownSource, OSError)):
            found_form(link)
        with pytest.raises(OSError, match="symbolic link"):
            words(link, "eml")
    with pytest.raises((UnknownSource, OSError)):
        found_form(home / "Mail" / "cur")


def test_links_on_the_way_to_the_source_are_followed(home: Path, tmp_path: Path) -> None:
    (tmp_path / "short").symlink_to("home")
    (tmp_path / "far").symlink_to(tmp_path / "short")
    assert "own" in words(tmp_path / "far" / "." / "cur" / "..", "maildir")
    (tmp_path / "ring").symlink_to("ring")
    with pytest.raises(OSError, match="symbolic links"):
        words(tmp_path / "ring", "maildir")


def test_keywords_are_read_by_exports_as_well(home: Path, vault: Path) -> None:
    (home / maildir.KEYWORDS).symlink_to(vault / "secret")
    assert maildir.keywords_of(home) == {}
    (home / eml.INDEX).symlink_to(vault / "index")
    assert eml.index_of(home / eml.INDEX) == []
