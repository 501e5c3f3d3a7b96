"""``malleposte init``."""

import os
import pwd
import socket
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from malleposte.cli import config_file, setup
from malleposte.cli.configuration import new_configuration, read_configuration
from malleposte.cli.exit_codes import OK, REFUSED, USAGE, Trouble
from malleposte.cli.options import DEFAULT, NO_CHOICE, Common, NewPassword
from malleposte.cli.output import as_json, note, say
from malleposte.cli.passwords import chosen
from malleposte.cli.setup import SKIPPED, THERE, Step
from malleposte.directory.addresses import BadAddressError, new_address, new_domain
from malleposte.node.config import Configuration
from malleposte.node.config_read import is_hostname
from malleposte.operations.accounts import AddAccount
from malleposte.operations.errors import OperationError
from malleposte.operations.password_rules import check_password

SERVICE_USER = "malleposte"


def init(
    *,
    hostname: str | None = None,
    domain: str | None = None,
    admin: str | None = None,
    data_dir: Annotated[Path | None, Parameter(help="Folder of all that is kept.")] = None,
    run_dir: Annotated[Path | None, Parameter(help="Folder of sockets.")] = None,
    new_node_key: Annotated[bool, Parameter(negative="")] = False,
    password: NewPassword = NO_CHOICE,
    common: Common = DEFAULT,
) -> int:
    """Set this machine up. Run it again at any time: it finishes what is missing, overwrites nothing.

    What is not given is asked for on a terminal; without one --hostname is needed. Makes the
    configuration file, the data folder, the node key, a self-signed certificate, the first domain and
    its administrator.

    Parameters
    ----------
    hostname
        Public name of this server, such as mail.example.org.
    domain
        First domain whose mail it takes.
    admin
        Address of the first administrator.
    new_node_key
        Go on with another node key, though the store knows one that is lost. What was sealed with that
        one must be set again.
    """
    path = new_configuration(common.config)
    there = path.exists()
    # Everything is asked and looked at before anything is made.
    text = "" if there else _configuration_text(hostname, data_dir, run_dir)
    configuration = read_configuration(path, None if there else text)
    if there:
        _note_differences(configuration, path, hostname, data_dir, run_dir)
    name = configuration.node.hostname or socket.getfqdn()
    setup.look(configuration)
    wanted, admin = _directory(name, domain, admin, fresh=not there)
    secret, generate = _secret(admin, password) if admin else ("", False)

    steps: list[Step] = []

    def done(step: Step) -> None:
        steps.append(step)
        if not common.json:
            say(str(step))

    done(
        Step("configuration", THERE, str(path))
        if there
        else setup.configuration(path, text, configuration.node.user)
    )
    done(setup.folders(configuration))
    setup.check_node_key(configuration, anew=new_node_key)
    done(setup.node_key(configuration))
    done(setup.certificate(configuration, name))
    done(setup.first_domain(configuration, wanted))
    setup.note_node_key(configuration, anew=new_node_key)
    generated = ""
    if admin:
        request = AddAccount(address=admin, password=secret, generate=generate, role="owner")
        step, generated = setup.account(configuration, request)
        done(step)
    else:
        done(Step("administrator", SKIPPED, "none was named: give --admin, or add one later"))
    if common.json:
        as_json({"configuration": str(path), "steps": steps, "password": generated or None})
        return OK
    if generated:
        say(f"\nThe administrator's password, shown once: {generated}")
    say(f"\nNext: `malleposte doctor --config {path}`, then `malleposte serve --config {path}`")
    return OK


def _configuration_text(hostname: str | None, data_dir: Path | None, run_dir: Path | None) -> str:
    """What the new file will hold."""
    values: dict[str, config_file.Value] = {"hostname": _hostname(hostname)}
    if os.geteuid() == 0:
        if _is_user(SERVICE_USER):
            values["user"] = SERVICE_USER
    else:
        # Not root: the system's folders are out of reach.
        data_dir = data_dir or Path("malleposte-data")
        run_dir = run_dir or data_dir / "run"
    for key, folder in (("data_dir", data_dir), ("run_dir", run_dir)):
        if folder is not None:
            # In the file a relative path would be taken from the file's own folder.
            values[key] = folder.absolute()
    return config_file.render({"node": values})


def _hostname(given: str | None) -> str:
    system = socket.getfqdn()
    if given is None:
        if not sys.stdin.isatty():
            raise Trouble(
                USAGE,
                "name this server: --hostname mail.example.org (and --domain, --admin), or run this at"
                " a terminal, which asks",
            )
        # A machine that does not know its name is called localhost.
        given = _asked("Public name of this server", system if "." in system else "")
    name = given.strip().lower().rstrip(".")
    if not is_hostname(name):
        raise Trouble(USAGE, f"{given!r} is no host name such as mail.example.org")
    return name


def _directory(
    hostname: str, domain: str | None, admin: str | None, *, fresh: bool
) -> tuple[str, str]:
    """(first domain, administrator or ''), asked for where they were not given. Raises ``Trouble``."""
    try:
        if domain is None:
            domain = admin.rpartition("@")[2] if admin else ""
        suggested = setup.default_domain(hostname)
        if not domain and not sys.stdin.isatty() and not suggested:
            raise Trouble(
                USAGE,
                f"{hostname} suggests no domain: name the first one with --domain example.org, or its"
                " administrator with --admin admin@example.org",
            )
        domain = new_domain(domain or _asked("First domain", suggested))
        admin = admin or _asked("Address of the administrator", f"admin@{domain}", needed=False)
        if admin:
            admin = new_address(admin)
            if fresh and admin.rpartition("@")[2] != domain:
                raise Trouble(USAGE, f"{admin} is not in the first domain, which is {domain}")
    except BadAddressError as error:
        raise Trouble(USAGE, str(error)) from None
    return domain, admin or ""


def _is_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _note_differences(
    configuration: Configuration,
    path: Path,
    hostname: str | None,
    data_dir: Path | None,
    run_dir: Path | None,
) -> None:
    node = configuration.node
    for key, given, there in (
        ("hostname", hostname, node.hostname),
        ("data_dir", data_dir and data_dir.absolute(), node.data_dir),
        ("run_dir", run_dir and run_dir.absolute(), node.run_dir),
    ):
        if given and given != there:
            note(f"node.{key} stays {str(there)!r}: change it in {path} if you want {str(given)!r}")


def _secret(address: str, password: NewPassword) -> tuple[str, bool]:
    """The administrator's password, or that one is to be generated. Raises ``Trouble``."""
    if password == NO_CHOICE and not sys.stdin.isatty():
        return "", True
    secret, generate = chosen(password, address)
    if secret:
        try:
            check_password(secret, address)
        except OperationError as error:
            raise Trouble(REFUSED, error.text, error.reason) from None
    return secret, generate


def _asked(question: str, default: str, *, needed: bool = True) -> str:
    """Ask on a terminal; without one the default, or '' where nothing is needed."""
    if not sys.stdin.isatty():
        return default if needed else ""
    print(f"{question} [{default}]: " if default else f"{question}: ", end="", flush=True)
    line = sys.stdin.readline()
    if not line:
        raise Trouble(USAGE, "no answer")
    return line.strip() or default
