"""What an operator can set of JMAP. Sizes in octets, times in seconds."""

from dataclasses import dataclass

from malleposte.policy.sharing import WhoMayGive

MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class JmapSettings:
    """See the module. The names are those of RFC 8620 §2, told to every client."""

    max_size_upload: int = 50 * MB
    """One uploaded file; a message is bounded besides by what submission takes."""
    max_concurrent_upload: int = 4
    max_uploads: int = 1_000
    """Of an account that no email has used within the hour; the oldest make room."""
    max_size_uploads: int = 500 * MB
    """All of them together."""
    max_size_request: int = 10 * MB
    """One request: a draft's text is in it, its attachments are not."""
    max_concurrent_requests: int = 32
    """Of one account in a worker; a browser opens six connections."""
    max_calls_in_request: int = 64
    max_objects_in_get: int = 1_000
    max_objects_in_set: int = 1_000
    anyone: WhoMayGive = "administrators"
    """Who may share a mailbox with all of the organisation at once."""
    max_size_message: int = 50 * MB
    """One message as it travels, with its attachments encoded."""
    max_recipients: int = 1_000
    """Of one message that is sent."""
    max_delayed_send: int = 0
    """How long a message can wait before it is sent; 0: it cannot."""
    recoverable: int = 30 * 86_400
    """How long what is destroyed can be brought back."""

    @property
    def max_size_attachments(self) -> int:
        """All of one message together, before they are encoded: base64 makes 78 octets of 57 (RFC 2045
        §6.8), and a twentieth is left for the text (RFC 8621 §1.3.1)."""
        return min(self.max_size_upload, self.max_size_message * 19 // 20 * 57 // 78)
