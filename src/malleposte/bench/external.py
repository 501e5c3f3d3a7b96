"""A server that runs already, described by a `connect.json`.

The file is what `make run` writes: `{"ca": PATH, "services": {NAME: {"host", "port", "tls"}},
"accounts": [{"address", "password", "role"}]}`. The bench neither starts nor stops such a server
and leaves mail and mailboxes in its accounts: name only one that may be thrown away. Process ids
and data folders may be given beside; without them CPU, memory, disk and cold figures are left out
or say so.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from malleposte.bench.network import wait_for_greeting
from malleposte.bench.subject import Account, Accounts, Endpoint, Index, Service
from malleposte.bench.trouble import BenchTrouble, Unavailable

# A connect.json has one or two kB; more is another file.
_MAX_FILE = 1024 * 1024
_START_LIMIT = 10.0


class ServiceEntry(msgspec.Struct, frozen=True):
    """One service of the file; `tls` is `none`, `starttls` or `implicit`."""

    host: str = "127.0.0.1"
    port: int = 0
    tls: str = "none"
    url: str = ""


class AccountEntry(msgspec.Struct, frozen=True):
    """One account of the file."""

    address: str
    password: str
    role: str = "user"


class Connect(msgspec.Struct, frozen=True):
    """The whole file; members that later work adds are ignored."""

    services: dict[str, ServiceEntry]
    accounts: list[AccountEntry]
    ca: str = ""


def read_connect(path: Path) -> Connect:
    """Read and check a `connect.json`."""
    try:
        with path.open("rb") as file:
            return msgspec.json.decode(file.read(_MAX_FILE), type=Connect)
    except (OSError, msgspec.DecodeError) as error:
        raise Unavailable(f"{path}: {error}") from error


class External:
    """A running server; it counts as ours."""

    name = "external"
    ours = True
    # Whatever it is: signing in once before the clock starts costs nothing where it is not so.
    remembers_sign_in = True

    def __init__(
        self, connect: Path, pids: Sequence[int] = (), data_folders: Sequence[Path] = ()
    ) -> None:
        self.label = f"external server of {connect}"
        self.durability = "External server: what it flushes before OK is not known to the bench."
        self._path = connect
        self._pids = tuple(pids)
        self._data_folders = tuple(data_folders)
        self._connect = Connect({}, [])
        self._accounts: Accounts | None = None

    @property
    def accounts(self) -> Accounts:
        """All accounts of the file receive; parts are shared when there are few."""
        if self._accounts is None:
            raise BenchTrouble("the external server was not prepared")
        return self._accounts

    def prepare(self) -> None:
        """Read the file."""
        self._connect = read_connect(self._path)
        every = tuple(Account(entry.address, entry.password) for entry in self._connect.accounts)
        if not every:
            raise Unavailable(f"{self._path} names no account")
        if not (self.endpoint("imap") and self.endpoint("smtp")):
            raise Unavailable(f"{self._path} names no smtp and imap service to reach without TLS")
        self._accounts = Accounts(
            receiving=every[:10],
            reading=every[0],
            idle=every[:10],
            small=every[0],
            huge=every[-1],
            many=every[-1],
        )

    def start(self) -> None:
        """Only look whether it answers."""
        for service, words in (("smtp", b"220"), ("imap", b"* OK")):
            entry = self._connect.services[service]
            wait_for_greeting(Endpoint(entry.host, entry.port), words, _START_LIMIT)

    def stop(self) -> None:
        """Nothing: it was not started here."""

    def endpoint(self, service: Service) -> Endpoint | None:
        """Services as the file names them; STARTTLS is left unused."""
        entry = self._connect.services.get(service)
        if entry is None or (entry.tls == "implicit") != (service == "imaps"):
            return None
        return Endpoint(entry.host, entry.port, entry.url)

    def roots(self) -> Sequence[int]:
        """The process ids given."""
        return self._pids

    def data_folders(self) -> Sequence[Path]:
        """The folders given."""
        return self._data_folders

    def forget_memory(self) -> str:
        """Not possible."""
        return "external server not restarted: what it keeps in memory stayed warm"

    def forget_message_cache(self, account: Account, mailbox: str) -> str:
        """Nothing is known of one."""
        return ""

    def preload(self, sink: Endpoint, count: int, octets: int, waiting: int) -> str:
        """Not done: its queue is not ours to fill."""
        return "the queue of a running server is left alone"

    def queued(self) -> int:
        """Unknown."""
        return 0

    def build_index(self, account: Account, mailbox: str) -> Index | None:
        """None."""
        return None
