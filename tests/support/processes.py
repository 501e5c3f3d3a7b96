"""A running server's processes by what they do."""

import os
import signal
import time
from typing import Literal

import psutil

from support.server import Server

Kind = Literal["writer", "worker"]


def of_kind(server: Server, kind: Kind) -> list[psutil.Process]:
    """The writers or workers that live now."""
    return server.named(f"malle:{kind}")


def wait_for(server: Server, kind: Kind, *, patience: float = 20.0) -> list[psutil.Process]:
    """The same, once there is one."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        found = of_kind(server, kind)
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"there is no {kind}:\n{server.tail()}")


def kill(process: psutil.Process) -> bool:
    """SIGKILL; whether it was there."""
    try:
        os.kill(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True
