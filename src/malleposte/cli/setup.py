"""The steps that make an installation; each can be run again: it finds what is there and leaves it.

``Step`` tells what a step did, in words: ``made``, ``was there``, or ``skipped`` and why.
"""

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from malleposte.cli.caller import Caller, run
from malleposte.cli.exit_codes import REFUSED, Trouble
from malleposte.cli.ownership import acting_as_owner, owner_of
from malleposte.node.config import Configuration
from malleposte.operations.accounts import AccountAdded, AddAccount
from malleposte.operations.domains import AddDomain, DomainAdded
from malleposte.runtime.tls_selfsigned import IncompletePairError, self_signed_pair
from malleposte.secrets.node_key import create_key_file

MADE, THERE, SKIPPED = "made", "was there", "skipped"


@dataclass(frozen=True, slots=True)
class Step:
    """What became of a step. ``detail``: what it is about, or why it was skipped."""

    name: str
    outcome: str
    detail: str

    def __str__(self) -> str:
        return f"{self.name:<14} {self.outcome:<9}  {self.detail}"


def folders(configuration: Configuration) -> Step:
    """The folders for data and sockets, mode 0700, owned by the user the server will run as."""
    node = configuration.node
    made = []
    for path in (node.data_dir, node.run_dir):
        if not path.is_dir():
            with _explained(path):
                path.mkdir(mode=0o700, parents=True)
            made.append(path)
    if os.geteuid() == 0 and node.user:
        try:
            entry = pwd.getpwnam(node.user)
        except KeyError:
            raise Trouble(
                REFUSED,
                f"there is no user {node.user} (node.user): make it with"
                f" `adduser --system --group --home {node.data_dir} {node.user}`",
            ) from None
        for path in made:
            os.chown(path, entry.pw_uid, entry.pw_gid)
    return Step("data folder", MADE if node.data_dir in made else THERE, str(node.data_dir))


def node_key(configuration: Configuration) -> Step:
    """The key that seals secrets."""
    path = configuration.node_key_file
    with _explained(path), acting_as_owner(path.parent):
        made = create_key_file(path)
    if made:
        _give_to_owner(configuration, path)
    return Step("node key", MADE if made else THERE, f"{path} (keep a copy apart from backups)")


def certificate(configuration: Configuration, hostname: str) -> Step:
    """A self-signed pair, where the configuration names none of its own."""
    if configuration.tls.certificate is not None:
        there = configuration.tls.certificate.exists()
        detail = f"{configuration.tls.certificate}, as the configuration says"
        return Step("certificate", THERE if there else SKIPPED, detail)
    folder = configuration.certificate_file.parent
    with _explained(folder), acting_as_owner(folder.parent):
        try:
            pair = self_signed_pair(folder, hostname)
        except IncompletePairError as error:
            raise Trouble(REFUSED, str(error)) from None
    return Step("certificate", MADE if pair.made else THERE, f"{pair.certificate}, self-signed")


def _give_to_owner(configuration: Configuration, path: Path) -> None:
    """The server's user gets a file that root made elsewhere than in that user's folders."""
    owner = owner_of(configuration.node.data_dir)
    if os.geteuid() == 0 and owner != 0 and owner_of(path.parent) == 0:
        os.chown(path, owner, -1, follow_symlinks=False)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Trouble(REFUSED, f"{error.filename or path}: {error.strerror or error}") from None


def first_domain(configuration: Configuration, name: str) -> Step:
    """The domain; made where it is missing. Makes the store as well, if there is none."""

    async def work(caller: Caller) -> DomainAdded:
        return await caller.call("domain.add", AddDomain(domain=name), DomainAdded)

    done = run(configuration, work, make=True)
    return Step("domain", MADE if done.made else THERE, done.domain)


def account(
    configuration: Configuration, request: AddAccount, *, title: str = "administrator"
) -> tuple[Step, str]:
    """An account; made where it is missing. With the password that was generated, if one was."""

    async def work(caller: Caller) -> AccountAdded:
        return await caller.call("account.add", request, AccountAdded)

    try:
        done = run(configuration, work, make=True)
    except Trouble as trouble:
        if trouble.reason == "exists":
            return Step(title, THERE, f"{request.address}; its password was left as it is"), ""
        raise
    return Step(title, MADE, done.address), done.password


def default_domain(hostname: str) -> str:
    """The domain a host name suggests: ``mail.example.org`` → ``example.org``."""
    _, dot, rest = hostname.partition(".")
    return rest if dot and "." in rest else hostname
