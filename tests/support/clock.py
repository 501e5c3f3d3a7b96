"""A clock that a test turns."""


class Clock:
    """Shows ``now``, in seconds; stands still until the test changes it."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now
