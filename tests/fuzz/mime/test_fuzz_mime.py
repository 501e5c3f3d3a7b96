"""A minute of coverage-guided fuzzing, from fixed seeds: nothing may fail."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

HARNESS = Path(__file__).with_name("fuzz_mime.py")
CORPUS = Path(__file__).parents[3] / "../shared/corpora/mime/resources/eml"


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is not installed")
@pytest.mark.parametrize("start", ["fixed seeds", "corpus"])
def test_nothing_fails_in_half_a_minute(start: str, tmp_path: Path) -> None:
    folders: list[str] = []
    if start == "corpus":
        if not CORPUS.is_dir():
            pytest.skip(f"no corpus of messages at {CORPUS}")
        folders = [str(folder.resolve()) for folder in CORPUS.iterdir() if folder.is_dir()]
    command = [sys.executable, str(HARNESS), "-max_total_time=30", "-seed=1", "-max_len=8192"]
    done = subprocess.run(
        [*command, *folders], cwd=tmp_path, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr[-4_000:]
    assert not list(tmp_path.glob("crash-*"))
