"""The whole way with Debian's own Postfix and Dovecot, small: nothing fails, nothing remains."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from malleposte.bench.command import main
from malleposte.bench.options import WORK
from malleposte.bench.report import Report

MESSAGES = 40
LEFT_OUT = {"M1-tls", "M1-deflate", "M1-huge", "I6x", "Q1M"}


def missing() -> str:
    if os.geteuid() != 0:
        return "Postfix starts only for root"
    absent = [
        name
        for name in ("postfix", "dovecot")
        if shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin") is None
    ]
    return f"not installed: {', '.join(absent)}" if absent else ""


@pytest.fixture
def place() -> Iterator[Path]:
    """Short, for the sockets in it, and open to the users that the servers run as."""
    folder = Path(tempfile.mkdtemp(prefix="mb-", dir="/var/tmp"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.slow
@pytest.mark.interop
@pytest.mark.skipif(missing() != "", reason=missing() or "all there")
def test_the_peers_do_the_work_list(
    tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str], place: Path
) -> None:
    corpus = tmp_path_factory.mktemp("corpus")
    for number in range(MESSAGES):
        text = f"From: yahoo\nTo: yahoo\nMessage-ID: <{number}@x>\nSubject: information\n\nmegapixels\n"
        (corpus / f"{number:03}.eml").write_text(text)
    out = tmp_path_factory.mktemp("out")
    code = main(
        [
            *("--subjects", "sdbox,maildir", "--repetitions", "1", "--corpus", str(corpus)),
            *("--messages", str(MESSAGES), "--receive", "30", "--idle", "4", "--out", str(out)),
            *("--folder", str(place), "--small", "10", "--huge", "20", "--operations", "5"),
            *("--mailboxes", "5", "--clients", "4", "--seconds", "2", "--queue", "30"),
            *("--work", " ".join(work for work in WORK if work not in LEFT_OUT)),
        ]
    )
    report = msgspec.json.decode((out / "report.json").read_bytes(), type=Report)
    if report.left_out:
        pytest.skip(f"another version: {report.left_out}")
    assert report.failures == []
    assert code == 0
    found = {(one.work, one.what, one.subject): one for one in report.measures}
    for subject in ("sdbox", "maildir"):
        for what in ("FROM yahoo", "TO yahoo"):
            assert found["I5", f"{what}, first: hits", subject].spread.median == MESSAGES
        assert found["R32", "delivered", subject].spread.median > 0
        assert found["S20", "left for the sink", subject].spread.median > 0
        assert found["MIX", "4 clients, own client: errors", subject].spread.median == 0
        assert found["M1", "whole server before, PSS", subject].spread.median > 1
    assert (out / "report.svg").read_text().startswith("<svg")
    assert "maildir / sdbox" in capsys.readouterr().out
    left = [
        entry
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and str(place).encode() in _words(entry)
    ]
    assert left == []
    assert list(place.iterdir()) == []


def _words(process: Path) -> bytes:
    """Command line and environment; Postfix names its folder only in the latter."""
    try:
        return (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
    except OSError:
        return b""
