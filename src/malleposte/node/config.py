"""The schema of the configuration: every section, key, unit, default and bound, with its words.

This is the one place where a key is defined; the reference (docs/configuration.md), the example
file, the names of environment variables and the checks are derived from it. Reading is in
`config_read`, the words in `config_render`. Values are plain: sizes in bytes, durations in seconds.

What these structs are not: settings of packages. Each package has its own frozen settings type, and
the node hands the values down."""

from pathlib import Path
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from malleposte.secrets.redaction import Secret

DAY: Final = 86_400
KB: Final = 1000
MB: Final = 1000**2
GB: Final = 1000**3
TB: Final = 1000**4

Service = Literal["smtp", "submission", "submissions", "lmtp", "imap", "imaps"]
TlsMode = Literal["none", "starttls", "implicit"]

# RFC 5321, RFC 6409, RFC 8314 and RFC 9051 §2.1. LMTP has no port of its own (RFC 2033 §5: not 25).
STANDARD_PORTS: Final[dict[Service, int]] = {
    "smtp": 25,
    "submission": 587,
    "submissions": 465,
    "imap": 143,
    "imaps": 993,
}
USUAL_TLS: Final[dict[Service, TlsMode]] = {
    "smtp": "starttls",
    "submission": "starttls",
    "submissions": "implicit",
    "lmtp": "none",
    "imap": "starttls",
    "imaps": "implicit",
}


def _says(description: str) -> Meta:
    return Meta(description=description)


def _number(description: str, ge: int, le: int) -> Meta:
    return Meta(description=description, ge=ge, le=le, extra={"kind": "number"})


def _size(description: str, ge: int, le: int) -> Meta:
    return Meta(description=description, ge=ge, le=le, extra={"kind": "size"})


def _duration(description: str, ge: int, le: int) -> Meta:
    return Meta(description=description, ge=ge, le=le, extra={"kind": "duration"})


class Node(Struct, frozen=True, kw_only=True):
    """This machine and its processes."""

    hostname: Annotated[
        str,
        _says(
            "The public name of this server, as it greets others and stands in Received lines. "
            "Empty: the system's fully qualified name."
        ),
    ] = ""
    data_dir: Annotated[
        Path, _says("Folder of all that must be kept: store, keys, certificates. Back it up.")
    ] = Path("/var/lib/malleposte")
    run_dir: Annotated[
        Path, _says("Folder of sockets and lock files; may be emptied at every start.")
    ] = Path("/run/malleposte")
    key_file: Annotated[
        Path | None,
        _says(
            "The node key that seals secrets, mode 0600. By default `node.key` in `data_dir`; a "
            "systemd credential named `malleposte.node-key` goes before it."
        ),
    ] = None
    workers: Annotated[
        int, _number("Worker processes. 0: one for each processor, at most 8.", 0, 64)
    ] = 0
    user: Annotated[
        str,
        _says(
            "System user that the processes run as when started by root, who binds the ports; "
            "`data_dir` and `run_dir` must be that user's. Empty: the user is kept."
        ),
    ] = ""
    drain: Annotated[
        int,
        _duration(
            "How long sessions in the middle of something may finish when the server stops.",
            0,
            3600,
        ),
    ] = 20


class Store(Struct, frozen=True, kw_only=True):
    """Where mail is kept."""

    backend: Annotated[
        Literal["sqlite", "postgres"],
        _says("`sqlite` for one node, nothing else to install; `postgres` for a cluster."),
    ] = "sqlite"
    dsn: Annotated[
        Secret[str] | None,
        _says(
            "PostgreSQL: `postgresql://user:password@host/database`. Needed for backend "
            "`postgres`, never shown; better in the environment or `dsn_file` than in this file."
        ),
    ] = None
    dsn_file: Annotated[Path | None, _says("File that holds the dsn, in place of `dsn`.")] = None
    disk_reserve: Annotated[
        int,
        _size(
            "Free space that new mail leaves alone: below it mail is put off with a temporary "
            "error, while reading and deleting go on. The smaller of this and "
            "`disk_reserve_percent` counts.",
            0,
            TB,
        ),
    ] = GB
    disk_reserve_percent: Annotated[int, _number("The same as a share of the disk.", 0, 50)] = 5
    incoming: Annotated[
        int,
        _size(
            "Space that messages may take together that are still coming in, in one worker; past "
            "it, and past half of what is free above the reserve, large ones are put off with a "
            "temporary error. Those up to 256 KiB are held in memory and do not count.",
            100 * MB,
            100 * TB,
        ),
    ] = 4 * GB
    incoming_per_client: Annotated[
        int,
        _size(
            "The same for one client: an account that signed in, else an address (IPv6: one /64). "
            "Not for lmtp, where one client brings everybody's mail.",
            10 * MB,
            100 * TB,
        ),
    ] = 500 * MB
    incoming_time: Annotated[
        int,
        _duration("How long such a message may take to come in whole, at any speed.", 60, 7 * DAY),
    ] = 2 * 3600
    recoverable: Annotated[
        int, _duration("How long a deleted message can be brought back.", 0, 3650 * DAY)
    ] = 14 * DAY
    tombstones: Annotated[
        int,
        _number(
            "Records of deleted objects kept for each account, so that clients learn what is gone "
            "without reading everything again.",
            1000,
            100_000_000,
        ),
    ] = 1_000_000
    tombstones_kept: Annotated[
        int, _duration("Such a record is kept at least this long.", DAY, 3650 * DAY)
    ] = 365 * DAY
    trace_kept: Annotated[
        int, _duration("How long the trace of a message's way is kept.", DAY, 3650 * DAY)
    ] = 30 * DAY
    sweep_after: Annotated[
        int,
        _duration(
            "Content that nothing refers to is removed after this time untouched.",
            3600,
            365 * DAY,
        ),
    ] = 2 * DAY


class Listener(Struct, frozen=True, kw_only=True):
    """A place where a service listens: an address and a port, or the path of a Unix socket. With no
    `[[listeners]]` at all: smtp, submission, submissions, imap and imaps on their standard ports of
    all addresses."""

    service: Annotated[Service, _says("What is spoken here.")]
    address: Annotated[
        str, _says("IP address to listen on; `*` is every IPv4 and IPv6 address.")
    ] = "*"
    port: Annotated[
        int,
        _number(
            "TCP port. 0: the service's standard port (smtp 25, submission 587, submissions 465, "
            "imap 143, imaps 993).",
            0,
            65535,
        ),
    ] = 0
    socket: Annotated[
        Path | None,
        _says(
            "Path of a Unix socket, in place of address and port: mode 0660, of `node.user` and its "
            "group, in a folder where that user may make it."
        ),
    ] = None
    tls: Annotated[
        TlsMode | Literal["usual"],
        _says(
            "`implicit`: TLS from the first byte; `starttls`: offered on request; `none`. `usual` "
            "is implicit for submissions and imaps, none for lmtp, starttls for the others."
        ),
    ] = "usual"

    @property
    def tls_mode(self) -> TlsMode:
        """The mode, with `usual` resolved."""
        return USUAL_TLS[self.service] if self.tls == "usual" else self.tls

    @property
    def port_number(self) -> int:
        """The TCP port, with 0 resolved; 0 only for a Unix socket."""
        return 0 if self.socket else self.port or STANDARD_PORTS.get(self.service, 0)

    @property
    def place(self) -> str:
        """For logs: `imap on *:143`, `lmtp on /run/malleposte/lmtp.sock`."""
        address = f"[{self.address}]" if ":" in self.address else self.address
        return f"{self.service} on {self.socket or f'{address}:{self.port_number}'}"


class Tls(Struct, frozen=True, kw_only=True):
    """The certificate shown to clients. Files that changed, or that were not there at the start, are taken
    within a minute; no connection is dropped. Where there are none, TLS is not offered, and connections
    that would begin with it are closed."""

    certificate: Annotated[
        Path | None,
        _says(
            "PEM file with the certificate and its chain. By default `tls/server.pem` in "
            "`node.data_dir`, which `malleposte init` makes."
        ),
    ] = None
    key: Annotated[
        Path | None,
        _says("PEM file with the private key. By default `tls/server.key` in `node.data_dir`."),
    ] = None
    look_every: Annotated[
        int, _duration("How often the files are looked at for a change.", 1, 60)
    ] = 30


class Smtp(Struct, frozen=True, kw_only=True):
    """Bounds of smtp, submission and lmtp."""

    max_size: Annotated[
        int, _size("Largest message, as it travels (attachments encoded).", 64 * KB, 2 * GB)
    ] = 50 * MB
    max_recipients: Annotated[
        int,
        _number("Recipients of one transaction (RFC 5321 §4.5.3.1.8: at least 100).", 100, 50_000),
    ] = 1000
    received_hops: Annotated[
        int,
        _number(
            "Received lines after which a message is taken to run in a circle "
            "(RFC 5321 §6.3: normally at least 100).",
            20,
            1000,
        ),
    ] = 100
    connections: Annotated[
        int,
        _number(
            "Connections to one worker, for each of smtp, submission (with submissions) and lmtp: none "
            "of them takes another's.",
            10,
            100_000,
        ),
    ] = 5000
    connections_per_account: Annotated[
        int,
        _number(
            "Connections to one worker on which one account is signed in for submission; past it the "
            "newest is refused.",
            2,
            10_000,
        ),
    ] = 50
    connections_per_address: Annotated[
        int,
        _number(
            "Connections from one address (IPv6: one /64) that have not signed in, to one worker.",
            1,
            100_000,
        ),
    ] = 100
    command_timeout: Annotated[
        int,
        _duration("Silence before the next command (RFC 5321 §4.5.3.2.7: at least 5m).", 10, 3600),
    ] = 300
    data_timeout: Annotated[
        int,
        _duration("Silence within a message (RFC 5321 §4.5.3.2.5: at least 3m).", 10, 3600),
    ] = 300
    transaction_timeout: Annotated[
        int,
        _duration(
            "A message may come in at any speed for so long; after that it must have brought 1,000 "
            "bytes a second on the average, so that none trickles.",
            10,
            DAY,
        ),
    ] = 600
    max_errors: Annotated[
        int, _number("Refused commands after which the connection is closed.", 3, 1000)
    ] = 20


class Imap(Struct, frozen=True, kw_only=True):
    """Bounds of imap."""

    max_append: Annotated[int, _size("Largest message that APPEND takes.", 64 * KB, 2 * GB)] = (
        50 * MB
    )
    max_literal: Annotated[int, _size("Largest literal of any other command.", 8 * KB, 16 * MB)] = (
        256 * KB
    )
    max_line: Annotated[
        int,
        _size(
            "Longest command, its literals aside (RFC 7162 §4: at least 8,192). Some clients name "
            "20,000 messages in one, 120 kB.",
            8192,
            16 * MB,
        ),
    ] = 256 * KB
    connections: Annotated[int, _number("Connections to one worker.", 10, 1_000_000)] = 20_000
    connections_per_account: Annotated[
        int,
        _number(
            "Connections on which one account is signed in, over all workers of this machine; past it "
            "the newest is refused.",
            4,
            10_000,
        ),
    ] = 100
    connections_per_address: Annotated[
        int,
        _number(
            "Connections from one address (IPv6: one /64) that have not signed in, to one worker.",
            1,
            100_000,
        ),
    ] = 100
    signin_timeout: Annotated[
        int, _duration("A connection that has not signed in by then is closed.", 10, 3600)
    ] = 120
    idle_timeout: Annotated[
        int,
        _duration("Silence after sign-in (RFC 9051 §5.4: at least 30m).", 1800, 7 * DAY),
    ] = 1860


class Quota(Struct, frozen=True, kw_only=True):
    """Space of accounts. Warning mail goes out at 80, 90 and 95 percent, once each. Mail to postmaster
    and abuse is never refused for want of space and takes none."""

    default: Annotated[
        int,
        _size("Space of an account that has no value of its own. 0: no limit.", 0, 1000 * TB),
    ] = 0
    grace: Annotated[
        int,
        _duration(
            "How long mail to a full account is put off (452) before it is refused (552).",
            0,
            30 * DAY,
        ),
    ] = 3 * DAY


class SignIn(Struct, frozen=True, kw_only=True):
    """Passwords and those who guess them. Each worker counts failures for itself: what a guesser may
    try is multiplied by `node.workers`."""

    argon2_memory: Annotated[
        int, _size("Memory of one argon2id computation.", 8 * 1024**2, 1024**3)
    ] = 19 * 1024**2
    argon2_iterations: Annotated[int, _number("Passes of argon2id.", 1, 20)] = 2
    argon2_parallelism: Annotated[int, _number("Lanes of argon2id.", 1, 16)] = 1
    threads: Annotated[int, _number("Threads of a worker that compute argon2id.", 1, 32)] = 2
    waiting: Annotated[
        int,
        _number(
            "Sign-ins of a worker that may wait for such a thread; more are told to come back.",
            1,
            10_000,
        ),
    ] = 64
    remembered: Annotated[
        int,
        _duration(
            "How long a password that was right is known in memory (as a keyed hash), so that the "
            "next connection is signed in at once. 0s: not at all.",
            0,
            DAY,
        ),
    ] = 600
    delay_limit: Annotated[
        int, _duration("Longest delay of an answer after wrong passwords.", 0, 60)
    ] = 5
    refusal: Annotated[
        int,
        _duration(
            "How long further attempts are refused once delays no longer help. It holds for the "
            "guessing network, not for the account.",
            10,
            DAY,
        ),
    ] = 300


class Log(Struct, frozen=True, kw_only=True):
    """What the server writes to its standard error."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"], _says("The least that is written.")
    ] = "info"
    format: Annotated[
        Literal["auto", "json", "text"],
        _says("`json`: an object a line; `text`: for people; `auto`: text on a terminal."),
    ] = "auto"


class Metrics(Struct, frozen=True, kw_only=True):
    """Figures for Prometheus and the health page, over plain HTTP."""

    address: Annotated[str, _says("IP address to listen on.")] = "127.0.0.1"
    port: Annotated[int, _number("TCP port. 0: off.", 0, 65535)] = 9464
    hosts: Annotated[
        str,
        _says(
            "Names under which it may be asked for, separated by spaces, besides localhost, "
            "`node.hostname` and IP addresses. Any other is refused, so that no web page can read it "
            "under a name of its own."
        ),
    ] = ""


class Admin(Struct, frozen=True, kw_only=True):
    """The socket that the command line talks to."""

    socket: Annotated[
        Path | None,
        _says(
            "Path of the Unix socket (mode 0600; root and the service's user may use it). By "
            "default `admin.sock` in `node.run_dir`."
        ),
    ] = None


STANDARD_LISTENERS: Final = tuple(
    Listener(service=service) for service in ("smtp", "submission", "submissions", "imap", "imaps")
)


class Configuration(Struct, frozen=True, kw_only=True):
    """The whole: one attribute a section."""

    node: Node = Node()
    store: Store = Store()
    listeners: tuple[Listener, ...] = STANDARD_LISTENERS
    tls: Tls = Tls()
    smtp: Smtp = Smtp()
    imap: Imap = Imap()
    quota: Quota = Quota()
    signin: SignIn = SignIn()
    log: Log = Log()
    metrics: Metrics = Metrics()
    admin: Admin = Admin()

    @property
    def certificate_file(self) -> Path:
        return self.tls.certificate or self.node.data_dir / "tls" / "server.pem"

    @property
    def certificate_key_file(self) -> Path:
        return self.tls.key or self.node.data_dir / "tls" / "server.key"

    @property
    def node_key_file(self) -> Path:
        return self.node.key_file or self.node.data_dir / "node.key"

    @property
    def admin_socket(self) -> Path:
        return self.admin.socket or self.node.run_dir / "admin.sock"
