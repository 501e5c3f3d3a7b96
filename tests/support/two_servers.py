"""Malleposte and Debian's Postfix in a network of their own, each the other's remote server: port 25, names
in the DNS, certificates that the DNS and policies on a web server speak of."""

import asyncio
import contextlib
import ipaddress
import json
import smtplib
import ssl
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from malleposte.secrets.node_key import create_key_file
from support import mailbox
from support.apart import Apart, network, said
from support.certificates import Issued, issue
from support.https_host import HttpsHost
from support.name_server import Names
from support.postfix import INSIDE, Postfix
from support.server import PASSWORD, Server

OURS, HOST = "198.51.100.1", "mail.example.test"
THEIRS, OLD, CLEAR, BUSY, WEB = (f"198.51.100.{n}" for n in (2, 3, 4, 5, 9))
NAMED6, NAMELESS6 = "2a0e:aaaa::2", "2a0e:aaaa::3"
"""Postfix as well. On one machine each is where our mail to it comes from."""
SENDER = "u1@example.test"

FAR = "far.example"
"""In a signed zone, with the right TLSA record."""
MISTAKEN = f"mistaken.{FAR}"
"""With one of another key."""
FORGED = f"forged.{FAR}"
"""Whose MX record was changed on the way."""
OPEN = "open.example"
"""In a zone without signatures, as all that follow."""
WITHOUT_TLS = f"clear.{OPEN}"
OLDER = f"old.{OPEN}"
"""Knows neither 8BITMIME nor SMTPUTF8, and takes small messages."""
HESITANT = f"busy.{OPEN}"
"""Puts senders off for a while."""
STRICT = f"strict.{OPEN}"
"""Has a policy of MTA-STS that its server meets."""
ELSEWHERE = f"elsewhere.{OPEN}"
"""Has the same one, and a server that it does not name."""
NAMED = f"named.{OPEN}"
"""Has an IPv6 address, from where our own address has a name."""
NAMELESS = f"nameless.{OPEN}"
"""Has one, from where it has none."""
DOMAINS = (
    FAR,
    MISTAKEN,
    FORGED,
    OPEN,
    WITHOUT_TLS,
    OLDER,
    HESITANT,
    STRICT,
    ELSEWHERE,
    NAMED,
    NAMELESS,
)
BOXES = 60
"""At each domain, p0 and on: each test has its own."""
POLICY = f"version: STSv1\r\nmode: enforce\r\nmx: mx.{STRICT}\r\nmax_age: 86400\r\n"


@dataclass
class TwoServers:
    """See the module."""

    server: Server
    postfix: Postfix
    apart: Apart
    web: HttpsHost

    # From us to them -------------------------------------------------------------------------------

    def submit(
        self,
        *recipients: str,
        text: bytes,
        mail: Sequence[str] = (),
        rcpt: Sequence[str] = (),
    ) -> None:
        """Have our server send a message."""
        context = ssl.create_default_context(cafile=str(self.server.data / "tls" / "ca.pem"))
        with smtplib.SMTP("localhost", self.server.ports["submission"], timeout=60) as client:
            client.starttls(context=context)
            client.login(SENDER, PASSWORD)
            assert client.sendmail(SENDER, recipients, text, mail, rcpt) == {}

    def arrived(self, address: str, count: int = 1) -> list[bytes]:
        """What Postfix filed for an address, once there is so much."""
        until(lambda: len(self.postfix.mail(address)) >= count, self.state)
        found = self.postfix.mail(address)
        assert len(found) == count
        return found

    def state(self) -> str:
        """For a test that fails."""
        queue = self.command("queue", "list", "--json")
        return f"{queue}\n{self.postfix.log[-3000:]}\n{self.server.tail()[-2000:]}"

    def command(self, *words: str, code: int = 0) -> str:
        """What a command of ours says."""
        program = (sys.executable, "-m", "malleposte", "--config", str(self.server.config))
        return said(*self.apart.prefix, *program, *words, code=code)

    def waiting(self, address: str) -> str:
        """Why mail to an address is in the queue, '' where there is none."""
        listed = json.loads(self.command("queue", "list", "--json"))["messages"]
        found = [one for message in listed for one in message["recipients"]]
        return next(
            (f"{one['way']} {one['said']}" for one in found if one["address"] == address), ""
        )

    def waits(self, address: str, words: str) -> None:
        """Mail to an address is in the queue for a reason."""
        until(lambda: words in self.waiting(address), self.state)

    def queued(self, address: str) -> list[str]:
        """Numbers of the messages in the queue that are for an address."""
        listed = json.loads(self.command("queue", "list", "--json"))["messages"]
        return [
            str(message["id"])
            for message in listed
            if any(one["address"] == address for one in message["recipients"])
        ]

    def retry(self, address: str) -> None:
        """Try mail to an address at once; what leaves just now need not be."""
        numbers = self.queued(address)
        if not numbers:
            return
        try:
            self.command("queue", "retry", *numbers)
        except AssertionError:
            if self.queued(address):
                raise

    def attempt(self, address: str) -> Mapping[str, str]:
        """How the last attempt to send to an address went: outcome, host, said."""
        found: list[Mapping[str, str]] = []

        def there() -> bool:
            said = json.loads(self.command("trace", "--recipient", address, "--json"))
            for one in said["traces"][0]["recipients"]:
                if one["address"] == address:
                    found[:] = one["attempts"]
            return bool(found)

        until(there, self.state)
        return found[-1]

    # From them to us -------------------------------------------------------------------------------

    def theirs(
        self, sender: str, *recipients: str, text: bytes, mail: Sequence[str] = ("BODY=8BITMIME",)
    ) -> None:
        """Have Postfix send a message."""
        with smtplib.SMTP("127.0.0.1", INSIDE, timeout=60) as client:
            client.ehlo()
            assert client.sendmail(sender, recipients, text, mail) == {}

    def inbox(self, address: str) -> list[bytes]:
        """Messages of an account of ours."""
        return mailbox.messages(self.server, address, PASSWORD)

    def reported(self, words: bytes, address: str = SENDER) -> bytes:
        """The one message in an inbox that has some words in it, once it is there."""
        until(lambda: any(words in one for one in self.inbox(address)), self.state)
        (found,) = (one for one in self.inbox(address) if words in one)
        return found


def until(there: Callable[[], bool], state: Callable[[], str], seconds: float = 20.0) -> None:
    """Wait for something, which must come."""
    end = time.monotonic() + seconds
    while not there():
        if time.monotonic() > end:
            raise AssertionError(f"it did not come: {state()}")
        time.sleep(0.05)


# How they are made ----------------------------------------------------------------------------------


@contextlib.contextmanager
def running() -> Iterator[TwoServers]:
    """Both at work, on SQLite. Tests go ``apart.inside`` themselves."""
    with contextlib.ExitStack() as stack:
        # Postfix has users of its own, who cannot reach pytest's folders.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="two-")))
        folder.chmod(0o755)
        for name in ("names", "ours", "theirs"):
            (folder / name).mkdir(mode=0o755)
        apart = stack.enter_context(
            network(
                folder,
                [
                    *(f"{one}/32" for one in (OURS, THEIRS, OLD, CLEAR, BUSY, WEB)),
                    *(f"{one}/128" for one in (NAMED6, NAMELESS6)),
                ],
                resolver="nameserver 127.0.0.1\noptions trust-ad\n",
            )
        )
        stack.enter_context(apart.inside())
        authority = issue("authority", authority=True)
        shown = issue(f"mx.{FAR}", f"mx.{STRICT}", by=authority)
        postfix = _postfix(folder / "theirs", shown, apart)
        trusted = ("env", f"SSL_CERT_FILE={authority.trusted(folder)}")
        server = _server(folder / "ours", (*apart.prefix, *trusted))
        two = TwoServers(server, postfix, apart, HttpsHost(POLICY.encode()))
        _prepare(two)
        stack.enter_context(_zones(folder / "names", two, shown).served(*apart.prefix))
        stack.enter_context(_web(two.web, folder, authority))
        stack.enter_context(postfix.running())
        server.start()
        stack.callback(server.end)
        yield two


def _postfix(folder: Path, shown: Issued, apart: Apart) -> Postfix:
    return Postfix(
        folder=folder,
        name=f"mx.{FAR}",
        address=THEIRS,
        domains=DOMAINS,
        boxes=["données", "closed", *(f"p{number}" for number in range(BOXES))],
        shown=shown,
        listening={
            THEIRS: (),
            NAMED6: (),
            NAMELESS6: (),
            OLD: (
                "smtpd_discard_ehlo_keywords = 8bitmime, smtputf8",
                "message_size_limit = 100000",
            ),
            CLEAR: ("smtpd_tls_security_level = none",),
            BUSY: (
                f"smtpd_recipient_restrictions = check_recipient_access regexp:{folder}/deferring",
                "max_use = 1",
            ),
        },
        closed=[f"closed@{FAR}"],
        prefix=apart.prefix,
    )


def _server(folder: Path, prefix: tuple[str, ...]) -> Server:
    sending = {
        "enabled": "true",
        "source_ipv4": f'"{OURS}"',
        "networks": '"198.51.100.0/24"',
        "port_probes": f'"{FAR}"',
        "block_lists": '""',
    }
    more = f'[[listeners]]\nservice = "smtp"\naddress = "{OURS}"\nport = 25\n'
    return Server(folder, settings={"sending": sending}, prefix=prefix, more=more)


def _prepare(two: TwoServers) -> None:
    """Accounts, and keys that sign."""
    asyncio.run(two.server.prepare(3))
    create_key_file(two.server.data / "node.key")
    two.command("domain", "dkim", "example.test", "--new")


def _zones(folder: Path, two: TwoServers, shown: Issued) -> Names:
    """Ours as ``malleposte dns`` prints it."""
    names = Names(folder)
    printed = two.command("dns", "example.test", "--zone").splitlines()
    own = [line for line in printed if not line.startswith(";")]
    names.zone("example.test", [*own, f"{HOST}. A {OURS}"], signed=True)
    signed = [
        f"{FAR}. MX 10 mx.{FAR}.",
        f"mx.{FAR}. A {THEIRS}",
        f"_25._tcp.mx.{FAR}. TLSA {shown.tlsa(3)}",
        f"{MISTAKEN}. MX 10 mx.{MISTAKEN}.",
        f"mx.{MISTAKEN}. A {THEIRS}",
        f"_25._tcp.mx.{MISTAKEN}. TLSA {issue('another').tlsa(3)}",
        f"{FORGED}. MX 10 mx.{FAR}.",
    ]
    forged = {(FORGED, "MX"): f"10 mx.{OPEN}."}
    names.zone(FAR, signed, signed=True, forged=forged)
    places = {
        OPEN: THEIRS,
        WITHOUT_TLS: CLEAR,
        OLDER: OLD,
        HESITANT: BUSY,
        STRICT: THEIRS,
        ELSEWHERE: THEIRS,
        NAMED: THEIRS,
        NAMELESS: THEIRS,
    }
    lines = []
    for domain, address in places.items():
        lines += [f"{domain}. MX 10 mx.{domain}.", f"mx.{domain}. A {address}"]
    for domain in (STRICT, ELSEWHERE):
        lines += [f'_mta-sts.{domain}. TXT "v=STSv1; id=1"', f"mta-sts.{domain}. A {WEB}"]
    lines += [f"mx.{NAMED}. AAAA {NAMED6}", f"mx.{NAMELESS}. AAAA {NAMELESS6}"]
    names.zone(OPEN, lines)
    reverse = ipaddress.ip_address(NAMED6).reverse_pointer
    names.zone("a.a.a.a.e.0.a.2.ip6.arpa", [f"{reverse}. PTR mx.{NAMED}."])
    return names


@contextlib.contextmanager
def _web(host: HttpsHost, folder: Path, authority: Issued) -> Iterator[None]:
    """The web server of the policies, in a thread of its own."""
    context = issue(*(f"mta-sts.{one}" for one in (STRICT, ELSEWHERE)), by=authority).context(
        folder
    )
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(host.start(WEB, context, 443), loop).result(10)
        yield
    finally:
        asyncio.run_coroutine_threadsafe(host.close(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
