"""One message's content on its way in, by DATA or by chunks: counted, checked, or thrown away.

Once `refusal` is set (by size, by the newline policy, or from outside) nothing comes out any more,
but everything that belongs to the message is still taken off the wire, so that what follows is
read as what it is. Memory: four octets.
"""

from .content import DotReader, NewlineWatch
from .events import ResetCause
from .limits import Limits
from .reply import BARE_NEWLINES, FALSE_END, TOO_LARGE, Reply
from .settings import BareNewlines


class Incoming:
    """`start_dots` once (DATA) or `start_chunk` for each BDAT, then `take` until it is done."""

    __slots__ = (
        "_dots",
        "_drained",
        "_left",
        "_limits",
        "_policy",
        "_watch",
        "cause",
        "refusal",
        "size",
    )

    def __init__(self, limits: Limits, policy: BareNewlines) -> None:
        self._limits = limits
        self._policy = policy
        self._watch = NewlineWatch()
        self._dots: DotReader | None = None
        self._left = 0
        self._drained = 0
        self.size = 0
        """Octets of content so far: CRLF counted, stuffed dots and the end not (RFC 1870 §5)."""
        self.refusal: Reply | None = None
        self.cause = ResetCause.REFUSED

    def start_dots(self) -> None:
        self._dots = DotReader()

    def start_chunk(self, octets: int) -> None:
        self._left = octets
        if self.refusal is None and self.size + octets > self._limits.message:
            self.refuse(TOO_LARGE, ResetCause.TOO_LARGE)

    def refuse(self, reply: Reply, cause: ResetCause) -> None:
        self.refusal = reply
        self.cause = cause

    @property
    def taken(self) -> int:
        """Octets taken off the wire, thrown away or not."""
        return self.size + self._drained

    @property
    def unfinished(self) -> bool:
        """More octets must come."""
        return self._dots is not None or self._left > 0

    @property
    def overdrawn(self) -> bool:
        """More refused content came, or is announced, than we care to throw away."""
        return self._drained + self._left > self._limits.drain if self.refusal else False

    def take(self, buffer: bytearray) -> tuple[bytes, bool]:
        """Take what belongs to the content off the buffer: (content to hand on, whether done)."""
        if self._dots is not None:
            content, rest = self._dots.feed(bytes(buffer))
            buffer.clear()
            done = rest is not None
            if rest:
                buffer += rest
        else:
            content = bytes(buffer[: self._left])
            del buffer[: len(content)]
            self._left -= len(content)
            done = self._left == 0
        if self.refusal is None:
            self._check(content)
        if self.refusal is not None:
            self._drained += len(content)
            content = b""
        return content, done

    def finish(self) -> None:
        """The last octet is here; the end itself may still be wrong."""
        if self.refusal is None:
            self._watch.finish()
            self._judge_newlines()

    def _check(self, content: bytes) -> None:
        self.size += len(content)
        if self.size > self._limits.message:
            self.refuse(TOO_LARGE, ResetCause.TOO_LARGE)
            return
        self._watch.see(content)
        self._judge_newlines()

    def _judge_newlines(self) -> None:
        watch = self._watch
        if watch.bare and self._policy is BareNewlines.REFUSE:
            self.refuse(BARE_NEWLINES, ResetCause.BARE_NEWLINES)
        elif watch.false_end:
            self.refuse(FALSE_END, ResetCause.BARE_NEWLINES)
