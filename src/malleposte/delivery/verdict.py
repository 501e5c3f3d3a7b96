"""What a client is told about a recipient or a message, and the recipients of a message."""

from dataclasses import dataclass

from malleposte.delivery.listing import Listed
from malleposte.directory.resolution import Found, Resolution
from malleposte.store import DiskFull, StoreError
from malleposte.store.errors import no_space
from malleposte.store.incoming import NoRoom


@dataclass(frozen=True, slots=True)
class Recipient:
    """A recipient accepted at RCPT, with whom it reaches."""

    address: str
    """As the client wrote it."""
    resolution: Resolution
    notify: str = ""
    """When its sender wants a report about it, as in NOTIFY (RFC 3461 §4.1); '' where he did not say."""
    original: str = ""
    """``type;address`` of ORCPT (RFC 3461 §4.2), decoded; '' where it was not given."""
    listed: Listed | None = None
    """How it is given to the members of a group, where the recipient is one."""

    @property
    def leaves(self) -> bool:
        """Whether it is another server's."""
        return self.resolution.found is Found.NOT_OURS

    @property
    def expands(self) -> bool:
        """Whether it leads on to other servers, and to several in all (RFC 3461 §5.2.7.3). A group does
        not: what it was given has arrived (§5.2.7.1)."""
        reached = len(self.resolution.accounts) + len(self.resolution.onward)
        return not self.resolution.group and bool(self.resolution.onward) and reached > 1

    @property
    def remote(self) -> str:
        """The address as other servers are told it: its local part as it came, the domain as A-labels."""
        return self.address.rpartition("@")[0] + "@" + self.resolution.address.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class Reports:
    """What the sender asked of reports about the whole message; '' where he did not."""

    returned: str = ""
    """FULL or HDRS (RET, RFC 3461 §4.3)."""
    envelope: str = ""
    """The sender's own name of the transaction (ENVID, RFC 3461 §4.4), decoded."""


NO_REPORTS = Reports()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to tell the client about a recipient or a message: a reply in plain data."""

    code: int
    enhanced: str
    text: str

    @property
    def good(self) -> bool:
        """Accepted."""
        return self.code < 300


FILED = Verdict(250, "2.0.0", "Message accepted")
NO_SUCH_USER = Verdict(550, "5.1.1", "There is no such address here")
NO_RELAY = Verdict(
    550, "5.7.1", "This server takes mail for its own domains only, and relays for nobody"
)
NO_OUTSIDE = Verdict(
    550, "5.7.1", "Sending to other domains is not set up on this server; only local addresses work"
)
NO_ADDRESS = Verdict(553, "5.1.3", "That is no address that mail can be sent to")
SUSPENDED = Verdict(550, "5.2.1", "This mailbox takes no mail at present")
FULL_FOR_NOW = Verdict(452, "4.2.2", "The mailbox is full; please try again later")
FULL = Verdict(552, "5.2.2", "The mailbox has been full for some days")
LOOP = Verdict(554, "5.4.6", "The message has passed too many servers: it runs in a circle")
DISK_FULL = Verdict(452, "4.3.1", "The server is short of disk space; please try again later")
AWAY = Verdict(451, "4.3.0", "The mail store cannot answer now; please try again later")


def put_off(error: StoreError | OSError) -> Verdict:
    """What to tell a client about mail that cannot be taken for what went wrong here: all of it 4yz, for
    a defect of ours is no reason to lose mail."""
    match error:
        case NoRoom(full=False):
            return Verdict(452, "4.4.5", error.text)  # RFC 3463 §3.5: mail system congestion
        case NoRoom() | DiskFull():
            return DISK_FULL
        case OSError() if no_space(error):
            return DISK_FULL
    return AWAY
