"""What faults happen to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.writer_process import WriterProcess


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[WriterProcess]:
    """A writer process that runs, on an empty folder."""
    process = WriterProcess(tmp_path)
    process.start()
    yield process
    process.clear()
