"""The command line as a whole: every command, errors in one line, the exit code.

Commands are modules that are imported when they are used. Expected troubles (``Trouble``) end in one
line on standard error; a traceback is a defect of ours.
"""

import io
import keyword
import os
import sys

from cyclopts import App, CycloptsError

from malleposte.cli.exit_codes import INTERRUPTED, OK, USAGE, Trouble
from malleposte.cli.output import complain

COMMANDS = {
    "init": "Set this machine up: configuration, keys, first domain and administrator.",
    "serve": "Run the server in the foreground until SIGTERM.",
    "run": "Run a demo made on the spot.",
    "domain": "Domains: add, list, delete, DKIM keys, other names, catch-all, relay, forwarding.",
    "dns": "DNS records that a domain needs: print them, check them.",
    "account": "Accounts: add, list, show, set, passwd, disable, enable, delete; what else signs in.",
    "alias": "Aliases: add, set, list, delete.",
    "forward": "Where mail of accounts goes on to: set, list, delete.",
    "group": "Groups: add, set, list, show, delete, and who is in them: join, leave.",
    "role": "Roles: grant, revoke.",
    "sendas": "Sending from others' addresses: give, take, list.",
    "device": "Printers, scanners, programs: add, networks, list.",
    "limit": "How much may be sent: show, set, reset.",
    "mailbox": "Mailboxes of an account: list, rights, give, take, merge.",
    "sieve": "Sieve scripts: list, show, put, activate, check, delete.",
    "queue": "Mail on its way: list, show, hold, release, retry, redirect, remove.",
    "relay": "Servers that mail goes by, for some recipients or senders: list, set, test, remove.",
    "trace": "What became of a message: by sender, recipient, Message-ID, number, time.",
    "audit": "Who did what: list, by actor, operation, target, time.",
    "tls": "TLS towards other servers: show, except, exceptions, end.",
    "contacts": "Contacts of an account, from and to vCard files: import, export.",
    "import": "Import mail: mbox, Maildir, folder of .eml.",
    "export": "Export mail: Maildir, mbox, folder of .eml.",
    "recover": "Expunged mail: list it, bring it back.",
    "fsck": "Check the store, repair what is derived.",
    "config": "The configuration: show, check, example, reference.",
    "doctor": "What is wrong with this installation, and how to mend it.",
    "bench": "Measure this server beside Postfix + Dovecot.",
    "version": "Print the version.",
}


def application() -> App:
    """The whole, with nothing of it imported yet."""
    app = App(
        name="malleposte",
        help="A self-hosted mail system.",
        help_format="plaintext",
        version_flags=["--version"],
        version=_version,
        result_action="return_value",
        suppress_keyboard_interrupt=False,
    )
    for name, words in COMMANDS.items():
        # A word of Python's cannot be the name of a module.
        module = f"{name}_" if keyword.iskeyword(name) else name
        app.command(f"malleposte.cli.commands.{module}:{module}", name=name, help=words)
    return app


def _version() -> str:
    from malleposte.operations.version import version

    return f"malleposte {version()}"


def run(arguments: list[str]) -> int:
    """Run a command line; its exit code."""
    if arguments[:1] == ["bench"]:
        from malleposte.cli.commands.bench import bench

        # It has an argument parser of its own, also for --help.
        return bench(*arguments[1:])
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal that knows less than Unicode shows less.
        sys.stdout.reconfigure(errors="backslashreplace")
    # Exports, journals, keys: nobody else's to read, unless a command says otherwise.
    os.umask(0o077)
    arguments = _moved(arguments)
    json = "--json" in arguments
    try:
        code = application()(
            arguments, exit_on_error=False, print_error=False, result_action="return_value"
        )
    except CycloptsError as error:
        complain(Trouble(USAGE, f"{error} (see `malleposte --help`)"), json=json)
        return USAGE
    except Trouble as trouble:
        complain(trouble, json=json)
        return trouble.code
    except KeyboardInterrupt:
        print("malleposte: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has had enough; the interpreter must not complain at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    return code if isinstance(code, int) else OK


def _moved(arguments: list[str]) -> list[str]:
    """Options every command has may stand before it as well: ``malleposte --json domain list``."""
    front: list[str] = []
    rest = list(arguments)
    while rest and (rest[0] in ("--json", "--config") or rest[0].startswith("--config=")):
        count = 2 if rest[0] == "--config" else 1
        front += rest[:count]
        del rest[:count]
    return rest + front if rest else arguments
