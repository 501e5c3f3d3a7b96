"""A run swaps the order, survives what fails, and ends every server that it started."""

import io
from collections.abc import Sequence
from pathlib import Path

import pytest

from malleposte.bench.options import Options
from malleposte.bench.runner import run
from malleposte.bench.spread import Spread
from malleposte.bench.subject import Account, Accounts, Endpoint, Index, Service
from malleposte.bench.table import figure, show, spread_text
from malleposte.bench.trouble import BenchTrouble, Unavailable


class Dead:
    """A subject that offers nothing; `trouble` says where it fails."""

    durability = "Nothing is flushed."
    ours = False
    remembers_sign_in = False

    def __init__(self, name: str, log: list[str], trouble: str = "") -> None:
        self.name = name
        self.label = f"Dead {name}"
        self.accounts = Accounts.made("p")
        self._log = log
        self._trouble = trouble

    def prepare(self) -> None:
        if self._trouble == "prepare":
            raise Unavailable("not installed; install it")

    def start(self) -> None:
        self._log.append(f"start {self.name}")
        if self._trouble == "start":
            raise BenchTrouble("the port is taken")

    def stop(self) -> None:
        self._log.append(f"stop {self.name}")

    def endpoint(self, service: Service) -> Endpoint | None:
        if self._trouble == "bug":
            raise ZeroDivisionError
        return None

    def roots(self) -> Sequence[int]:
        return ()

    def data_folders(self) -> Sequence[Path]:
        return ()

    def forget_memory(self) -> str:
        return ""

    def forget_message_cache(self, account: Account, mailbox: str) -> str:
        return ""

    def preload(self, sink: Endpoint, count: int, octets: int, waiting: int) -> str:
        return "it has no queue"

    def queued(self) -> int:
        return 0

    def build_index(self, account: Account, mailbox: str) -> Index | None:
        return None


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "a.eml").write_bytes(b"Message-ID: <a@x>\n\nA\n")
    return folder


def options(corpus: Path, *, repetitions: int = 2) -> Options:
    return Options(
        subjects=("sdbox", "maildir"),
        work=("R8", "I2"),
        repetitions=repetitions,
        corpus=corpus,
        folder=corpus.parent,
    )


def quiet(text: str) -> None:
    """No progress in tests."""


def test_one_server_at_a_time_in_swapped_order(corpus: Path) -> None:
    log: list[str] = []
    report = run(options(corpus), quiet, lambda name, folder, _: Dead(name, log))
    assert report.order == [["sdbox", "maildir"], ["maildir", "sdbox"]]
    order = ["sdbox", "maildir", "maildir", "sdbox"]
    assert log == [f"{step} {name}" for name in order for step in ("start", "stop")]


def test_work_that_fails_is_named_and_the_rest_goes_on(corpus: Path) -> None:
    report = run(options(corpus), quiet, lambda name, folder, _: Dead(name, []))
    assert len(report.failures) == 8
    assert "sdbox, repetition 1, R8: sdbox offers no SMTP here" in report.failures


def test_a_server_that_did_not_start_is_stopped_too(corpus: Path) -> None:
    log: list[str] = []
    made = {"sdbox": "start", "maildir": ""}
    report = run(
        options(corpus, repetitions=1),
        quiet,
        lambda name, folder, _: Dead(name, log, made[name]),
    )
    assert log == ["start sdbox", "stop sdbox", "start maildir", "stop maildir"]
    assert "sdbox, repetition 1, start: the port is taken" in report.failures


def test_a_bug_ends_the_run_and_still_the_server(corpus: Path) -> None:
    log: list[str] = []
    with pytest.raises(ZeroDivisionError):
        run(options(corpus), quiet, lambda name, folder, _: Dead(name, log, "bug"))
    assert log == ["start sdbox", "stop sdbox"]
    assert not list(corpus.parent.glob("malleposte-bench-*"))


def test_what_is_not_installed_is_left_out_with_the_reason(corpus: Path) -> None:
    made = {"sdbox": "", "maildir": "prepare"}
    report = run(options(corpus), quiet, lambda name, folder, _: Dead(name, [], made[name]))
    assert report.left_out == {"maildir": "not installed; install it"}
    assert [entry.name for entry in report.subjects] == ["sdbox"]
    text = io.StringIO()
    show(report, text)
    assert "Left out: maildir: not installed" in text.getvalue()
    assert "Nothing is flushed." in text.getvalue()
    assert "\x1b" not in text.getvalue()


def test_with_nobody_to_measure_there_is_no_run(corpus: Path) -> None:
    with pytest.raises(BenchTrouble, match="install it"):
        run(options(corpus), quiet, lambda name, folder, _: Dead(name, [], "prepare"))


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (1234.5, "1,234"), (45.678, "45.7"), (4.567, "4.57"), (0.0123, "0.0123")],
)
def test_figures_have_three_digits(value: float, text: str) -> None:
    assert figure(value) == text


def test_a_spread_of_one_value_is_that_value() -> None:
    assert spread_text(Spread(2.0, 2.0, 2.0, 1)) == "2.00"
    assert spread_text(Spread(404.0, 403.0, 429.0, 3)) == "404 (403–429)"
