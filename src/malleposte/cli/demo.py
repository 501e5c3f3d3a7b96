"""The demo: an installation in one folder, on loopback, with two people and some mail.

Everything is made once and kept: ports in the configuration, passwords in ``connect.json``; the next
start finds ``demo.done`` and serves at once. ``rm -r`` of the folder forgets it all.
"""

import datetime
import os
import shlex
import socket
import stat
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import msgspec

from malleposte.cli import config_file, demo_mail, setup
from malleposte.cli.caller import Caller, Outgoing, ask, run, to_server
from malleposte.cli.configuration import read_configuration
from malleposte.cli.exit_codes import REFUSED, UNAVAILABLE, Trouble
from malleposte.cli.output import say, spelt
from malleposte.mime.compose import Mailbox
from malleposte.node.config import Configuration
from malleposte.operations.accounts import AddAccount, ChangePassword, PasswordChanged
from malleposte.operations.aliases import AddAlias, AliasShown
from malleposte.operations.mail_import import ImportMail, MailImported
from malleposte.operations.mail_parcels import FolderWanted, ImportItem
from malleposte.runtime.ports import free_ports

DOMAIN: Final = "example.test"
HOSTNAME: Final = "mail.example.test"
HOST: Final = "127.0.0.1"
NAME: Final = "localhost"
"""For clients: some compare a certificate's names with what they were told, and know no addresses."""
FOLDER_MODE: Final = 0o700
# Easy to remember; taken ones are replaced by any free port.
PORTS: Final = {
    "smtp": 2525,
    "lmtp": 2424,
    "submission": 2587,
    "submissions": 2465,
    "imap": 2143,
    "imaps": 2993,
    "pop3": 2110,
    "pop3s": 2995,
    "managesieve": 4190,
    "http": 2080,
    "https": 2443,
    "metrics": 9464,
}
TLS: Final = {
    "smtp": "starttls",
    "lmtp": "none",
    "submission": "starttls",
    "submissions": "implicit",
    "imap": "starttls",
    "imaps": "implicit",
    "pop3": "starttls",
    "pop3s": "implicit",
    "managesieve": "starttls",
    "http": "none",
    "https": "implicit",
    "metrics": "none",
}
SETTINGS: Final = "/mail/config-v1.1.xml"
"""What mail programs find their settings by."""
SUN_PATH: Final = 100
"""Octets a socket's path may have, some spared (Linux: 108)."""


def prepare(folder: Path) -> Configuration:
    """Make what is missing of the demo; its configuration. Raises ``Trouble``."""
    _take(folder)
    path = folder / "malleposte.toml"
    if (folder / "demo.done").exists() and path.exists() and (folder / "connect.json").exists():
        return read_configuration(path)
    say(f"Making the demo in {folder}")
    made = not path.exists() and config_file.write_new(path, _configuration(folder), 0o600)
    _told(setup.Step("configuration", setup.MADE if made else setup.THERE, str(path)))
    configuration = read_configuration(path)
    for step in (
        setup.folders(configuration),
        setup.node_key(configuration),
        setup.certificate(configuration, HOSTNAME),
        setup.first_domain(configuration, DOMAIN),
    ):
        _told(step)
    accounts = [
        _account(configuration, demo_mail.ADMIN, "owner"),
        _account(configuration, demo_mail.CLAIRE, ""),
    ]
    _write_connect(folder, configuration, accounts)
    _told(setup.Step("mail", setup.MADE, f"{_load_mail(configuration)} messages"))
    say("\nAccounts (their passwords are shown once, and kept in connect.json):")
    for account in accounts:
        say(f"  {account['address']:<20} {account['password']}")
    config_file.write_new(folder / "demo.done", "The demo was made.\n", 0o600)
    return configuration


def _take(folder: Path) -> None:
    """Make the folder, or find that it is a demo's already: nothing else may be in it, since the demo is
    forgotten by removing it."""
    whole = str(folder.absolute())
    if spelt(whole) != whole:
        raise Trouble(REFUSED, f"{spelt(whole)} is not UTF-8: name another folder")
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        names = {path.name for path in folder.iterdir()}
        if names and names.isdisjoint(("demo.begun", "demo.done")):
            raise Trouble(
                REFUSED,
                f"{folder} holds other things ({min(names)} …): name a folder for the demo alone, one that"
                " is empty or not there yet",
                "not-empty",
            )
        config_file.write_new(folder / "demo.begun", "This folder is a demo's.\n", 0o600)
    except OSError as error:
        raise Trouble(REFUSED, f"{error.filename or folder}: {error.strerror or error}") from None


def running(configuration: Configuration) -> bool:
    """Whether it is served already."""
    connection = to_server(configuration)
    if connection is not None:
        connection.close()
    return connection is not None


def _told(step: setup.Step) -> None:
    say(f"  {step}")


def _configuration(folder: Path) -> str:
    ports = _free_ports()
    listeners: list[dict[str, config_file.Value]] = [
        {"service": service, "address": HOST, "port": port}
        for service, port in ports.items()
        if service != "metrics"
    ]
    node: dict[str, config_file.Value] = {
        "hostname": HOSTNAME,
        "data_dir": "data",
        "run_dir": _run_dir(folder),
        "workers": 2,
    }
    metrics: dict[str, config_file.Value] = {"address": HOST, "port": ports["metrics"]}
    return config_file.render({"node": node, "metrics": metrics}, listeners)


def _run_dir(folder: Path) -> Path:
    """``run`` beside the configuration, or a new folder at a short path where that is too long for a
    socket: the user's own place for such things, or one nobody can have made before."""
    run_dir = folder.absolute() / "run"
    if len(bytes(run_dir / "writer.sock")) <= SUN_PATH:
        return Path("run")
    return Path(tempfile.mkdtemp(prefix="malleposte-", dir=_runtime_dir()))  # mode 0700


def _runtime_dir() -> str | None:
    """$XDG_RUNTIME_DIR, where it is this user's and closed to others."""
    named = os.environ.get("XDG_RUNTIME_DIR", "")
    if not os.path.isabs(named) or len(os.fsencode(named)) > SUN_PATH // 2:
        return None
    try:
        status = os.stat(named)
    except OSError:
        return None
    own = status.st_uid == os.geteuid() and stat.S_ISDIR(status.st_mode)
    return named if own and not status.st_mode & 0o077 else None


def _free_ports() -> dict[str, int]:
    """A free loopback port for each service, the usual one of the demo where it can be had."""
    try:
        others = free_ports(len(PORTS))
    except OSError as error:
        raise Trouble(UNAVAILABLE, str(error)) from None
    return {
        service: usual if _is_free(usual) else other
        for (service, usual), other in zip(PORTS.items(), others, strict=True)
    }


def _is_free(port: int) -> bool:
    with socket.socket() as sock:
        try:
            sock.bind((HOST, port))
        except OSError:
            return False
    return True


def _account(configuration: Configuration, who: Mailbox, role: str) -> dict[str, str]:
    request = AddAccount(address=who.address, name=who.name, generate=True, role=role)
    step, password = setup.account(configuration, request, title="account")
    _told(step)
    if not password:
        # An earlier start broke off before it had written the password down.
        again = ChangePassword(address=who.address, generate=True)
        done = ask(configuration, "account.passwd", again, PasswordChanged)
        password = done.password
    return {"address": who.address, "password": password, "role": role or "user"}


def _write_connect(
    folder: Path, configuration: Configuration, accounts: list[dict[str, str]]
) -> None:
    path = folder / "connect.json"
    path.unlink(missing_ok=True)
    services: dict[str, dict[str, Any]] = {
        one.service: {"host": NAME, "port": one.port_number, "tls": one.tls_mode}
        for one in configuration.listeners
    }
    for name in ("http", "https"):
        if name in services:
            services[name]["url"] = f"{name}://{NAME}:{services[name]['port']}/"
    metrics = configuration.metrics
    services["metrics"] = {
        "host": metrics.address,
        "port": metrics.port,
        "tls": TLS["metrics"],
        "url": f"http://{metrics.address}:{metrics.port}/metrics",
    }
    ca = str(configuration.certificate_file.with_name("ca.pem").absolute())
    document = {"ca": ca, "services": services, "accounts": accounts}
    text = msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"
    config_file.write_new(path, text, 0o600)


def _load_mail(configuration: Configuration) -> int:
    alias = AddAlias(address=f"info@{DOMAIN}", targets=(demo_mail.CLAIRE.address,))

    async def work(caller: Caller) -> int:
        await caller.call("alias.add", alias, AliasShown)
        count = await _load(caller, demo_mail.CLAIRE.address, demo_mail.FOR_USER)
        return count + await _load(caller, demo_mail.ADMIN.address, demo_mail.FOR_ADMIN)

    return run(configuration, work)


async def _load(caller: Caller, address: str, letters: tuple[demo_mail.Letter, ...]) -> int:
    now = datetime.datetime.now().astimezone()
    mail = list(demo_mail.written(letters, now))
    paths = tuple(dict.fromkeys(one.mailbox for one in mail))
    # Taken up again, what an earlier start had loaded is found by its octets.
    request = ImportMail(
        address=address,
        folders=tuple(FolderWanted(path=path) for path in paths),
        source="the demo's own mail",
        resumed=True,
    )

    async def feed() -> AsyncIterator[Outgoing]:
        for n, one in enumerate(mail):
            item = ImportItem(
                n=n,
                folder=paths.index(one.mailbox),
                flags=one.flags,
                received_at=one.received_at,
                doubt=True,
            )
            yield Outgoing(item, [one.octets])

    done = await caller.call("mail.import", request, MailImported, feed=feed())
    return done.imported + done.there


def reach(folder: Path, configuration: Configuration) -> str:
    """How to reach each service, with a command to try."""
    ports: dict[str, int] = {one.service: one.port_number for one in configuration.listeners}
    ports["metrics"] = configuration.metrics.port
    ca = shlex.quote(str(_short(configuration.certificate_file.with_name("ca.pem"))))
    user = demo_mail.CLAIRE.address
    metrics = configuration.metrics
    trust = f"--cacert {ca} --user {user}"
    rows = [
        ("imap", "STARTTLS", f"curl --ssl-reqd {trust} imap://localhost:{ports.get('imap')}/INBOX"),
        (
            "imaps",
            "TLS",
            f"curl {trust} 'imaps://localhost:{ports.get('imaps')}/INBOX;MAILINDEX=1'",
        ),
        ("pop3", "STARTTLS", f"curl --ssl-reqd {trust} pop3://localhost:{ports.get('pop3')}/"),
        ("pop3s", "TLS", f"curl {trust} pop3s://localhost:{ports.get('pop3s')}/1"),
        (
            "managesieve",
            "STARTTLS",
            f"openssl s_client -starttls sieve -crlf -quiet -CAfile {ca}"
            f" -connect localhost:{ports.get('managesieve')}",
        ),
        ("smtp", "STARTTLS", f"swaks --server {HOST}:{ports.get('smtp')} --tls --to {user}"),
        (
            "submission",
            "STARTTLS",
            f"swaks --server {HOST}:{ports.get('submission')} --tls --auth --auth-user {user}"
            f" --from {user} --to {demo_mail.ADMIN.address}",
        ),
        (
            "submissions",
            "TLS",
            f"curl {trust} smtps://localhost:{ports.get('submissions')} --mail-from {user}"
            f" --mail-rcpt {demo_mail.ADMIN.address} --upload-file README.md",
        ),
        (
            "lmtp",
            "no TLS",
            f"swaks --server {HOST}:{ports.get('lmtp')} --protocol LMTP --to {user}",
        ),
        ("http", "HTTP", f"curl 'http://{NAME}:{ports.get('http')}{SETTINGS}?emailaddress={user}'"),
        (
            "https",
            "TLS",
            f"curl --cacert {ca} 'https://{NAME}:{ports.get('https')}{SETTINGS}?emailaddress={user}'",
        ),
        ("metrics", "HTTP", f"curl http://{metrics.address}:{metrics.port}/metrics"),
    ]
    lines = [
        "",
        f"Serving on {HOST} until Ctrl-C. Addresses and passwords: {_short(folder)}/connect.json",
    ]
    if "http" in ports:
        lines.append(f"  In a browser: http://{NAME}:{ports['http']}/")
    for service, tls, command in rows:
        # A demo that was made by an earlier version may have fewer.
        if service in ports:
            lines.append(f"  {service:<12} {ports[service]:<6} {tls:<9} {command}")
    return "\n".join(lines)


def _short(path: Path) -> Path:
    """The path as it is typed from here, where that is shorter."""
    try:
        return path.absolute().relative_to(Path.cwd())
    except ValueError:
        return path
