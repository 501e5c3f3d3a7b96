"""The pair made by `init`: complete, private, never overwritten."""

import datetime
import os
import stat
from pathlib import Path

import pytest
from cryptography import x509

from malleposte.runtime.tls_selfsigned import IncompletePairError, self_signed_pair


def test_three_files_and_a_private_key_only_for_its_owner(tmp_path: Path) -> None:
    pair = self_signed_pair(tmp_path / "a" / "tls", "Mail.example.org")
    assert pair.made
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == ["tls"], "nothing is left over"
    assert stat.S_IMODE(pair.key.stat().st_mode) == 0o600
    leaf = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["mail.example.org", "localhost"]
    assert list(map(str, names.get_values_for_type(x509.IPAddress))) == ["127.0.0.1", "::1"]


def test_the_key_is_private_under_any_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        pair = self_signed_pair(tmp_path / "tls", "localhost")
    finally:
        os.umask(before)
    assert stat.S_IMODE(pair.key.stat().st_mode) == 0o600


def test_a_second_call_changes_nothing(tmp_path: Path) -> None:
    first = self_signed_pair(tmp_path / "tls", "mail.example.org")
    content = {path: path.read_bytes() for path in (first.authority, first.certificate, first.key)}
    second = self_signed_pair(tmp_path / "tls", "other.example.org")
    assert not second.made
    assert content == {path: path.read_bytes() for path in content}


def test_an_operators_own_pair_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "server.pem").write_text("own")
    (tmp_path / "server.key").write_text("own")
    assert not self_signed_pair(tmp_path, "mail.example.org").made
    assert (tmp_path / "server.key").read_text() == "own"


@pytest.mark.parametrize("name", ["server.key", "server.pem", "ca.pem", "something"])
def test_a_part_of_the_files_is_not_completed_by_guess(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("own")
    with pytest.raises(IncompletePairError, match=f"holds {name}, but"):
        self_signed_pair(tmp_path, "mail.example.org")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "tls").mkdir()
    assert self_signed_pair(tmp_path / "tls", "localhost").made


def test_a_failure_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        self_signed_pair(tmp_path / "tls", "localhost")
    assert list(tmp_path.iterdir()) == []


def test_lasts_two_years_and_long_names_fit(tmp_path: Path) -> None:
    now = datetime.datetime(2026, 11, 25, tzinfo=datetime.UTC)
    name = ".".join(["a" * 40] * 4) + ".example"
    pair = self_signed_pair(tmp_path / "tls", name, now)
    leaf = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
    assert leaf.not_valid_before_utc < now
    assert datetime.timedelta(days=800) < leaf.not_valid_after_utc - now
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc <= datetime.timedelta(days=825)
