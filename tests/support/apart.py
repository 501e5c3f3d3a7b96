"""A network of its own, with addresses, ports and a resolv.conf that are nobody else's.

A process that sleeps holds it. Programs are run in it by ``prefix``; a test's own sockets are made in it
within ``inside``. Root is needed, and a machine that gives namespaces.
"""

import contextlib
import ctypes
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from support.opendkim import apart
from support.programs import need

_LIFE = 900
"""Seconds after which it goes by itself, whatever became of the test."""
_NEW_NETWORK = 0x40000000
_PREPARE = """
set -e
ip link set lo up
for address in $ADDRESSES; do ip address add "$address" dev lo nodad; done
mount --bind "$RESOLVER" /etc/resolv.conf
echo ready
exec sleep "$LIFE"
"""


class Apart:
    """See the module. ``pid``: of who holds it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    @property
    def prefix(self) -> tuple[str, ...]:
        """Words in front of a command that is to run there. Its root is ours, which may be a chroot."""
        return ("nsenter", f"--target={self.pid}", "--net", "--mount", "--root", "--wd")

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        """This thread's new sockets, and those of threads it starts, are in there."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        there = os.open(f"/proc/{self.pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _enter(there)
            try:
                yield
            finally:
                _enter(home)
        finally:
            os.close(there)
            os.close(home)


def _enter(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, _NEW_NETWORK) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


@contextlib.contextmanager
def network(folder: Path, addresses: Sequence[str], *, resolver: str) -> Iterator[Apart]:
    """One with addresses on its loopback interface; ``resolver``: the text of its resolv.conf."""
    need("unshare", "util-linux")
    need("nsenter", "util-linux")
    need("ip", "iproute2")
    if os.geteuid() != 0:
        pytest.skip("only root can make a network of its own")
    path = folder / "resolv.conf"
    path.write_text(resolver)
    process = subprocess.Popen(
        ["unshare", "--net", "--mount", *apart(), "sh", "-c", _PREPARE],
        env={
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "ADDRESSES": " ".join(addresses),
            "RESOLVER": str(path),
            "LIFE": str(_LIFE),
        },
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        if process.stdout.readline() != "ready\n":
            said = process.stderr.read()
            if "Operation not permitted" in said:
                pytest.skip("this machine gives no network of its own")
            raise AssertionError(said)
        yield Apart(process.pid)
    finally:
        process.kill()
        process.communicate()


def said(*words: str | Path, octets: bytes = b"", seconds: float = 60.0, code: int = 0) -> str:
    """What a program says that must end so."""
    done = subprocess.run(
        [str(word) for word in words],
        input=octets,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=seconds,
        check=False,
    )
    text = done.stdout.decode(errors="replace")
    assert done.returncode == code, f"{words[-3:]} ended with {done.returncode}: {text[-3000:]}"
    return text
