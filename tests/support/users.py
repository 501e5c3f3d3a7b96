"""System users of tests: made where they are missing, by root, and left there."""

import os
import pwd
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager


def system_user(name: str) -> pwd.struct_passwd:
    """A system user who can do nothing; only root can make one."""
    try:
        return pwd.getpwnam(name)
    except KeyError:
        subprocess.run(
            [
                "/usr/sbin/useradd",
                "--system",
                "--no-create-home",
                "--shell",
                "/usr/sbin/nologin",
                name,
            ],
            # Another test process may have made it at the same moment.
            check=False,
            capture_output=True,
        )
        return pwd.getpwnam(name)


@contextmanager
def acting_as(uid: int) -> Iterator[None]:
    """Root is somebody else inside, for the kernel's checks."""
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
