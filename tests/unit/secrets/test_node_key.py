"""The key file: made once, private, refused when it is not."""

import os
import stat
from pathlib import Path

import pytest

from malleposte.secrets.node_key import (
    CREDENTIAL,
    NodeKeyError,
    create_key_file,
    load_key_ring,
    rotate_key_file,
)
from malleposte.secrets.redaction import Secret


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "data" / "node.key"
    assert create_key_file(path)
    return path


def test_is_private_under_any_umask_and_leaves_nothing_beside(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        create_key_file(tmp_path / "node.key")
    finally:
        os.umask(before)
    assert [p.name for p in tmp_path.iterdir()] == ["node.key"]
    assert stat.S_IMODE((tmp_path / "node.key").stat().st_mode) == 0o600


def test_is_never_overwritten(path: Path) -> None:
    content = path.read_bytes()
    assert not create_key_file(path)
    assert path.read_bytes() == content
    assert [p.name for p in path.parent.iterdir()] == ["node.key"]


def test_the_same_file_gives_the_same_key_and_another_another(path: Path, tmp_path: Path) -> None:
    ring = load_key_ring(path, {})
    assert load_key_ring(path, {}).current.id == ring.current.id
    create_key_file(tmp_path / "other")
    assert load_key_ring(tmp_path / "other", {}).current.id != ring.current.id


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666, 0o620])
def test_a_file_that_others_may_read_is_refused_with_what_to_do(path: Path, mode: int) -> None:
    path.chmod(mode)
    with pytest.raises(NodeKeyError, match=rf"\(mode {mode:04o}\)\. Run `chmod 600 {path}`"):
        load_key_ring(path, {})
    assert stat.S_IMODE(path.stat().st_mode) == mode, "not mended in silence"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_file_of_another_user_is_refused(path: Path) -> None:
    os.chown(path, 12345, -1)
    with pytest.raises(NodeKeyError, match=r"belongs to user 12345\. Run `chown 0 "):
        load_key_ring(path, {})


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NodeKeyError, match=r"no node key\. On a new node run `malleposte init`"):
        load_key_ring(tmp_path / "none", {})


def test_a_systemd_credential_goes_before_the_file(path: Path, tmp_path: Path) -> None:
    create_key_file(tmp_path / CREDENTIAL)
    (tmp_path / CREDENTIAL).chmod(0o440)  # as systemd may set it
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert load_key_ring(path, environ).current.id != load_key_ring(path, {}).current.id
    (tmp_path / CREDENTIAL).unlink()
    assert load_key_ring(path, environ).current.id == load_key_ring(path, {}).current.id


def test_rotation_keeps_what_was_sealed(path: Path) -> None:
    before = load_key_ring(path, {})
    sealed = before.seal("a", Secret(b"value"))
    after = rotate_key_file(path)
    assert after.current.id != before.current.id
    assert after.unseal("a", sealed) == Secret(b"value")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(path.read_text().splitlines()) == 2
    assert [p.name for p in path.parent.iterdir()] == ["node.key"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "holds no key"),
        (b"# only words\n\n", "holds no key"),
        (b"nonsense-material", "line 1 is not a key"),
        (b"malleposte-key-1 !!!!", "line 1 is not a key"),
        (b"malleposte-key-1 YWJj", "line 1 is not a key"),
        (b"\xff\x00", "line 1 is not a key"),
        (b"#" * 70_000, "longer than"),
    ],
)
def test_broken_files_are_told_without_showing_them(
    path: Path, content: bytes, problem: str
) -> None:
    path.write_bytes(content)
    with pytest.raises(NodeKeyError) as caught:
        load_key_ring(path, {})
    assert problem in str(caught.value)
    assert "nonsense-material" not in str(caught.value)
    with pytest.raises(NodeKeyError):
        rotate_key_file(path)
    assert path.read_bytes() == content


def test_a_folder_is_no_key(tmp_path: Path) -> None:
    with pytest.raises(NodeKeyError, match="cannot be read: Is a directory"):
        load_key_ring(tmp_path, {})
