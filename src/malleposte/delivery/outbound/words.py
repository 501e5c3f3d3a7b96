"""What went wrong, in words and as a status code of RFC 3463."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why something was not done. ``status``: the enhanced code; ``permanent``: trying again will not
    help; ``reply``: the words of the other server, '' where it said none; ``host``: whom we spoke with."""

    status: str
    words: str
    permanent: bool = False
    reply: str = ""
    host: str = ""


class WayFailed(Exception):
    """Nothing can be sent by this way now, whoever the recipient is; or never, if ``trouble`` says so."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.words)
        self.trouble = trouble


def plain_reason(error: BaseException) -> str:
    """A system's error as people say it."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return "the connection was cut"
    if isinstance(error, OSError) and error.errno is not None:
        return (error.strerror or str(error)).lower()
    return str(error) or type(error).__name__
