"""What an operator can set of the web service. Sizes in octets, times in seconds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WebSettings:
    """See the module; each value has its reason."""

    hostname: str
    """This server's name."""
    url: str = ""
    """Where its pages are reached, as ``https://mail.example.org``."""
    names: frozenset[str] = frozenset()
    """Names it answers to besides, in lower case."""
    max_head: int = 16 * 1024
    """Request line and fields together. Browsers send some 2 kB, with many cookies 8."""
    max_fields: int = 100
    """Fields of a request; browsers send some 20."""
    max_body: int = 64 * 1024
    """Content of a request. The largest yet, Outlook's, has 500 octets."""
    head_timeout: float = 20.0
    """From the first octet of a request, or the beginning of the connection, to the end of its fields."""
    body_timeout: float = 30.0
    """From there to the end of its content."""
    keep_alive: float = 75.0
    """Silence between two requests; browsers come back within a minute or open another connection."""
    write_timeout: float = 60.0
    """A client that takes nothing of its response for so long is cut off."""
    max_requests: int = 1_000
    """Requests of a connection, so that none lives for ever."""

    @property
    def secure_url(self) -> str:
        """``url`` where that is under TLS, else ''."""
        return self.url if self.url.startswith("https://") else ""
