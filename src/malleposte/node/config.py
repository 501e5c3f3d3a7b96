"""The schema of the configuration: every section, key, unit, default and bound, with its words.

Here and in the `config_*` modules beside it that hold sections a key is defined, and nowhere else; the
reference (docs/configuration.md), the example file, the names of environment variables and the checks are
derived from them. Reading is in `config_read`, the words in `config_render`. Values are plain: sizes in
bytes, durations in seconds.

What these structs are not: settings of packages. Each package has its own frozen settings type, and
the node hands the values down."""

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Struct

from malleposte.node.config_fields import DAY, GB, MB, TB, duration, number, says, size
from malleposte.node.config_listeners import STANDARD_LISTENERS, Listener, Tls
from malleposte.node.config_protocols import Imap, ManageSieve, Pop3, Smtp
from malleposte.node.config_sending import Sending
from malleposte.node.config_web import Autoconfig, Web
from malleposte.policy.sharing import WhoMayGive
from malleposte.secrets.redaction import Secret


class Node(Struct, frozen=True, kw_only=True):
    """This machine and its processes."""

    hostname: Annotated[
        str,
        says(
            "The public name of this server, as it greets others and stands in Received lines. "
            "Empty: the system's fully qualified name."
        ),
    ] = ""
    data_dir: Annotated[
        Path, says("Folder of all that must be kept: store, keys, certificates. Back it up.")
    ] = Path("/var/lib/malleposte")
    run_dir: Annotated[
        Path, says("Folder of sockets and lock files; may be emptied at every start.")
    ] = Path("/run/malleposte")
    key_file: Annotated[
        Path | None,
        says(
            "The node key that seals secrets, mode 0600. By default `node.key` in `data_dir`; a "
            "systemd credential named `malleposte.node-key` goes before it."
        ),
    ] = None
    workers: Annotated[
        int, number("Worker processes. 0: one for each processor, at most 8.", 0, 64)
    ] = 0
    user: Annotated[
        str,
        says(
            "System user that the processes run as when started by root, who binds the ports; "
            "`data_dir` and `run_dir` must be that user's. Empty: the user is kept."
        ),
    ] = ""
    drain: Annotated[
        int,
        duration(
            "How long sessions in the middle of something may finish when the server stops.",
            0,
            3600,
        ),
    ] = 20


class Store(Struct, frozen=True, kw_only=True):
    """Where mail is kept."""

    backend: Annotated[
        Literal["sqlite", "postgres"],
        says("`sqlite` for one node, nothing else to install; `postgres` for a cluster."),
    ] = "sqlite"
    dsn: Annotated[
        Secret[str] | None,
        says(
            "PostgreSQL: `postgresql://user:password@host/database`. Needed for backend "
            "`postgres`, never shown; better in the environment or `dsn_file` than in this file."
        ),
    ] = None
    dsn_file: Annotated[Path | None, says("File that holds the dsn, in place of `dsn`.")] = None
    disk_reserve: Annotated[
        int,
        size(
            "Free space that new mail leaves alone: below it mail is put off with a temporary "
            "error, while reading and deleting go on. The smaller of this and "
            "`disk_reserve_percent` counts.",
            0,
            TB,
        ),
    ] = GB
    disk_reserve_percent: Annotated[int, number("The same as a share of the disk.", 0, 50)] = 5
    incoming: Annotated[
        int,
        size(
            "Space that messages may take together that are still coming in, in one worker; past "
            "it, and past half of what is free above the reserve, large ones are put off with a "
            "temporary error. Those up to 256 KiB are held in memory and do not count.",
            100 * MB,
            100 * TB,
        ),
    ] = 4 * GB
    incoming_per_client: Annotated[
        int,
        size(
            "The same for one client: an account that signed in, else an address (IPv6: one /64). "
            "Not for lmtp, where one client brings everybody's mail.",
            10 * MB,
            100 * TB,
        ),
    ] = 500 * MB
    incoming_time: Annotated[
        int,
        duration("How long such a message may take to come in whole, at any speed.", 60, 7 * DAY),
    ] = 2 * 3600
    recoverable: Annotated[
        int, duration("How long a deleted message can be brought back.", 0, 3650 * DAY)
    ] = 14 * DAY
    recoverable_size: Annotated[
        int,
        size(
            "Space that an account's deleted messages may take which can be brought back: this, or its "
            "quota where that is more. Past it the oldest go first, and before all when the disk runs "
            "short; what a hold keeps stays.",
            0,
            100 * TB,
        ),
    ] = 2 * GB
    tombstones: Annotated[
        int,
        number(
            "Records of deleted objects kept for each account, so that clients learn what is gone "
            "without reading everything again.",
            1000,
            100_000_000,
        ),
    ] = 1_000_000
    tombstones_kept: Annotated[
        int, duration("Such a record is kept at least this long.", DAY, 3650 * DAY)
    ] = 365 * DAY
    trace_kept: Annotated[
        int, duration("How long the trace of a message's way is kept.", DAY, 3650 * DAY)
    ] = 30 * DAY
    sweep_after: Annotated[
        int,
        duration(
            "Content that nothing refers to is removed after this time untouched.",
            3600,
            365 * DAY,
        ),
    ] = 2 * DAY


class Quota(Struct, frozen=True, kw_only=True):
    """Space of accounts. Warning mail goes out at 80, 90 and 95 percent, once each. Mail to postmaster
    and abuse is never refused for want of space and takes none."""

    default: Annotated[
        int,
        size("Space of an account that has no value of its own. 0: no limit.", 0, 1000 * TB),
    ] = 0
    grace: Annotated[
        int,
        duration(
            "How long mail to a full account is put off (452) before it is refused (552).",
            0,
            30 * DAY,
        ),
    ] = 3 * DAY


class Sharing(Struct, frozen=True, kw_only=True):
    """Mailboxes that others may use; docs/sharing.md has all about them."""

    anyone: Annotated[
        WhoMayGive,
        says(
            "Who may give rights to `anyone`, who is everybody of the organisation, by a mail program. "
            "`administrators`: they, and on mailboxes of shared accounts and resources whoever may "
            "give rights there; `everyone`: everybody on their own mailboxes, too; `nobody`. Rights "
            "that were given stay; `malleposte mailbox give` always may."
        ),
    ] = "administrators"


class SignIn(Struct, frozen=True, kw_only=True):
    """Passwords and those who guess them. Each worker counts failures for itself: what a guesser may
    try is multiplied by `node.workers`."""

    argon2_memory: Annotated[
        int, size("Memory of one argon2id computation.", 8 * 1024**2, 1024**3)
    ] = 19 * 1024**2
    argon2_iterations: Annotated[int, number("Passes of argon2id.", 1, 20)] = 2
    argon2_parallelism: Annotated[int, number("Lanes of argon2id.", 1, 16)] = 1
    threads: Annotated[int, number("Threads of a worker that compute argon2id.", 1, 32)] = 2
    waiting: Annotated[
        int,
        number(
            "Sign-ins of a worker that may wait for such a thread; more are told to come back.",
            1,
            10_000,
        ),
    ] = 64
    remembered: Annotated[
        int,
        duration(
            "How long a password that was right is known in memory (as a keyed hash), so that the "
            "next connection is signed in at once. 0s: not at all.",
            0,
            DAY,
        ),
    ] = 600
    delay_limit: Annotated[
        int, duration("Longest delay of an answer after wrong passwords.", 0, 60)
    ] = 5
    refusal: Annotated[
        int,
        duration(
            "How long further attempts are refused once delays no longer help. It holds for the "
            "guessing network, not for the account.",
            10,
            DAY,
        ),
    ] = 300


class Log(Struct, frozen=True, kw_only=True):
    """What the server writes to its standard error."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"], says("The least that is written.")
    ] = "info"
    format: Annotated[
        Literal["auto", "json", "text"],
        says("`json`: an object a line; `text`: for people; `auto`: text on a terminal."),
    ] = "auto"


class Metrics(Struct, frozen=True, kw_only=True):
    """Figures for Prometheus and the health page, over plain HTTP."""

    address: Annotated[str, says("IP address to listen on.")] = "127.0.0.1"
    port: Annotated[int, number("TCP port. 0: off.", 0, 65535)] = 9464
    hosts: Annotated[
        str,
        says(
            "Names under which it may be asked for, separated by spaces, besides localhost, "
            "`node.hostname` and IP addresses. Any other is refused, so that no web page can read it "
            "under a name of its own."
        ),
    ] = ""


class Admin(Struct, frozen=True, kw_only=True):
    """The socket that the command line talks to."""

    socket: Annotated[
        Path | None,
        says(
            "Path of the Unix socket (mode 0600; root and the service's user may use it). By "
            "default `admin.sock` in `node.run_dir`."
        ),
    ] = None


class Configuration(Struct, frozen=True, kw_only=True):
    """The whole: one attribute a section."""

    node: Node = Node()
    store: Store = Store()
    listeners: tuple[Listener, ...] = STANDARD_LISTENERS
    tls: Tls = Tls()
    smtp: Smtp = Smtp()
    imap: Imap = Imap()
    pop3: Pop3 = Pop3()
    managesieve: ManageSieve = ManageSieve()
    web: Web = Web()
    autoconfig: Autoconfig = Autoconfig()
    sending: Sending = Sending()
    quota: Quota = Quota()
    sharing: Sharing = Sharing()
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
