"""A process that has no file descriptor free."""

import contextlib
import os
import resource
from collections.abc import Iterator


@contextlib.contextmanager
def exhausted(free: int = 0) -> Iterator[None]:
    """Only so many more descriptors can be had by this process meanwhile."""
    held = [os.open("/dev/null", os.O_RDONLY) for _ in range(free + 1)]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for descriptor in held:
        os.close(descriptor)
    # The system gives the lowest free number, and none from the limit on.
    resource.setrlimit(resource.RLIMIT_NOFILE, (held[-1], hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
