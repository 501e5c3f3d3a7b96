"""Sieve scripts by an operator: an account's, and the administrator's for a domain or for everybody.

An owner is an account's address, a domain, or ``everybody``: what an administrator wants done with all mail
of the organisation. Vacation and filters of the user interface have a store of their own.
"""

from dataclasses import dataclass
from typing import Final

import msgspec

from malleposte.delivery.sieving.checking import Checker
from malleposte.directory.addresses import shown_domain
from malleposte.operations.context import Context
from malleposte.operations.errors import accepted, invalid, refusal
from malleposte.operations.exchange import Progress
from malleposte.operations.finding import account_id, own_domain
from malleposte.operations.registry import Request, Response, Subject, operation
from malleposte.policy.audit import Detail
from malleposte.sieve import SieveError
from malleposte.store.commands import ActivateScript, DeleteScript, PutScript
from malleposte.store.dialect import Reader
from malleposte.store.execute.sieve import MAX_SCRIPT, script_name
from malleposte.store.read import sieve
from malleposte.store.results import Done

EVERYBODY: Final = "everybody"


class OfOwner(Request, frozen=True, kw_only=True):
    """A request about scripts of an owner (see the module)."""

    owner: str

    def subject(self) -> Subject:
        """See ``Request``."""
        if "@" in self.owner:
            return Subject("account", self.owner)
        if self.owner == EVERYBODY:
            return Subject("server", "mail to everybody")
        return Subject("domain", self.owner)


class OfScript(OfOwner, frozen=True, kw_only=True):
    """A request about one of them."""

    name: str

    def details(self) -> dict[str, Detail]:
        """See ``Request``."""
        return {"script": self.name}


@dataclass(frozen=True, slots=True)
class _Whose:
    """An owner as the store knows it, and where its scripts run."""

    owner: int
    domain: int
    organisation: int
    name: str


async def _whose(reader: Reader, typed: str) -> _Whose:
    """Raises ``OperationError`` and ``BadAddressError``."""
    if "@" in typed:
        account = await account_id(reader, typed)
        row = await reader.row("SELECT organisation FROM account WHERE id = $1", account)
        return _Whose(account, 0, row[0] if row else 0, "")
    if typed == EVERYBODY:
        row = await reader.row("SELECT min(id) FROM organisation")
        if row is None or not row[0]:
            raise refusal("no-such-domain", "there is no domain yet: `malleposte domain add` first")
        return _Whose(-row[0], 0, row[0], "")
    if not typed:
        raise invalid(f"name an account's address, a domain, or {EVERYBODY}")
    name = await own_domain(reader, typed)
    row = await reader.row("SELECT id, organisation, alias_of FROM domain WHERE name = $1", name)
    if row is None:
        raise refusal("no-such-domain", f"there is no domain {shown_domain(name)}")
    return _Whose(-row[1], row[2] or row[0], row[1], name)


class ScriptLine(msgspec.Struct, frozen=True, kw_only=True):
    """A script as lists show it. ``size`` in octets; ``version`` grows with every change."""

    name: str
    active: bool
    size: int
    version: int


class ScriptsShown(Response, frozen=True, kw_only=True):
    """An owner's scripts by name."""

    scripts: tuple[ScriptLine, ...]


class ListScripts(OfOwner, frozen=True, kw_only=True):
    """The owner."""


@operation("sieve.list", ListScripts, ScriptsShown, audit="refused")
async def list_(context: Context, request: ListScripts, progress: Progress) -> ScriptsShown:
    """Name an owner's scripts."""
    reader = context.store.reader
    whose = await _whose(reader, request.owner)
    found = await sieve.scripts(reader, whose.owner, whose.domain)
    return ScriptsShown(
        scripts=tuple(
            ScriptLine(name=one.name, active=one.active, size=one.size, version=one.version)
            for one in found
        )
    )


class ShowScript(OfScript, frozen=True, kw_only=True):
    """The script; without a name the active one."""

    name: str = ""


class ScriptShown(Response, frozen=True, kw_only=True):
    """A script with its text."""

    script: ScriptLine
    text: str


@operation("sieve.show", ShowScript, ScriptShown)
async def show(context: Context, request: ShowScript, progress: Progress) -> ScriptShown:
    """Show a script. It may be somebody's own: a line of the audit says who looked. Again: the same."""
    reader = context.store.reader
    whose = await _whose(reader, request.owner)
    name = script_name(request.name)
    if not request.name:
        active = [s for s in await sieve.scripts(reader, whose.owner, whose.domain) if s.active]
        if not active:
            raise refusal("no-such-script", f"no script of {request.owner} is active")
        name = active[0].name
    found = await sieve.script(reader, whose.owner, name, whose.domain)
    if found is None:
        raise _no_such(request)
    kept, content = found
    line = ScriptLine(name=kept.name, active=kept.active, size=kept.size, version=kept.version)
    return ScriptShown(script=line, text=content.decode("utf-8", "replace"))


class WithText(OfScript, frozen=True, kw_only=True):
    """``text`` of a script."""

    text: str


class CheckScript(WithText, frozen=True, kw_only=True):
    """What to check, as if it were kept for the owner."""

    name: str = ""


class ScriptChecked(Response, frozen=True, kw_only=True):
    """It is in order. ``extensions`` that it needs; ``warnings``: what may go wrong all the same."""

    extensions: tuple[str, ...]
    warnings: tuple[str, ...]


@operation("sieve.check", CheckScript, ScriptChecked, audit="refused")
async def check(context: Context, request: CheckScript, progress: Progress) -> ScriptChecked:
    """Check a script; what is wrong with it is told with line and column."""
    whose = await _whose(context.store.reader, request.owner)
    return await _checked(context, whose, request)


async def _checked(context: Context, whose: _Whose, request: WithText) -> ScriptChecked:
    content = request.text.encode("utf-8", "replace")
    if len(content) > MAX_SCRIPT:
        raise invalid(f"a script has at most {MAX_SCRIPT:,} octets")
    try:
        checked = await Checker(context.store.reader).check(
            content,
            owner=whose.owner,
            organisation=whose.organisation,
            name=request.name,
            domain=whose.name,
        )
    except SieveError as error:
        raise invalid(str(error)) from error
    return ScriptChecked(extensions=tuple(sorted(checked.extensions)), warnings=checked.warnings)


class PutText(WithText, frozen=True, kw_only=True):
    """The script, in place of one of that name; ``activate``: it runs from now on."""

    activate: bool = False

    def details(self) -> dict[str, Detail]:
        """See ``Request``."""
        return {"script": self.name, "octets": len(self.text), "activate": self.activate}


class ScriptPut(Response, frozen=True, kw_only=True):
    """It is kept."""

    name: str
    version: int
    active: bool
    warnings: tuple[str, ...]


@operation("sieve.put", PutText, ScriptPut)
async def put(context: Context, request: PutText, progress: Progress) -> ScriptPut:
    """Check a script and keep it. Again: the same script, of a newer version."""
    reader = context.store.reader
    whose = await _whose(reader, request.owner)
    checked = await _checked(context, whose, request)
    act = PutScript(
        owner=whose.owner,
        domain=whose.domain,
        name=request.name,
        content=request.text.encode("utf-8", "replace"),
        active=request.activate,
    )
    answer = accepted(await context.carry_out(act))
    kept = await sieve.script(reader, whose.owner, script_name(request.name), whose.domain)
    return ScriptPut(
        name=script_name(request.name),
        version=answer.modseq if isinstance(answer, Done) else 0,
        active=kept is not None and kept[0].active,
        warnings=checked.warnings,
    )


class ActivateOne(OfScript, frozen=True, kw_only=True):
    """The script that runs from now on; without a name none does."""

    name: str = ""


class Activated(Response, frozen=True, kw_only=True):
    """It runs, or '' none does."""

    name: str


@operation("sieve.activate", ActivateOne, Activated)
async def activate(context: Context, request: ActivateOne, progress: Progress) -> Activated:
    """Have a script run, and none of the owner's others. Again: nothing changes."""
    whose = await _whose(context.store.reader, request.owner)
    act = ActivateScript(owner=whose.owner, domain=whose.domain, name=request.name)
    accepted(await context.carry_out(act))
    return Activated(name=request.name)


class DeleteOne(OfScript, frozen=True, kw_only=True):
    """The script; not the active one."""


class ScriptDeleted(Response, frozen=True, kw_only=True):
    """It is gone."""

    name: str


@operation("sieve.delete", DeleteOne, ScriptDeleted)
async def delete(context: Context, request: DeleteOne, progress: Progress) -> ScriptDeleted:
    """Remove a script that is not active. Again: refused, there is no such script."""
    whose = await _whose(context.store.reader, request.owner)
    act = DeleteScript(owner=whose.owner, domain=whose.domain, name=request.name)
    accepted(await context.carry_out(act))
    return ScriptDeleted(name=request.name)


def _no_such(request: OfScript) -> Exception:
    text = f"{request.owner} has no script {request.name!r}: see `malleposte sieve list`"
    return refusal("no-such-script", text)
