"""A screen of its own for a program with windows: Xvfb on a display number that it chooses itself."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.programs import end, need


@contextmanager
def display(log: Path, size: str = "1280x900x24") -> Iterator[str]:
    """The name of a display (``:5``) while the block runs; what Xvfb says goes to a file."""
    program = need("Xvfb", "xvfb")
    reading, writing = os.pipe()
    with log.open("wb") as said:
        process = subprocess.Popen(
            [program, "-displayfd", str(writing), "-screen", "0", size, "-nolisten", "tcp"],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            pass_fds=(writing,),
            start_new_session=True,
        )
    os.close(writing)
    try:
        # Xvfb writes it once it listens; if it ends before, this is empty.
        with os.fdopen(reading, "rb") as pipe:
            number = pipe.readline().strip().decode()
        assert number, f"Xvfb did not start: {log.read_text(errors='replace')[-2000:]}"
        yield f":{number}"
    finally:
        end(process)
