"""SieveScript/set (RFC 9661 §2.2). Each change stands in the audit, as by ManageSieve."""

from collections.abc import Mapping
from typing import Any, Final

from malleposte.operations.audit import line_of
from malleposte.policy.audit import AuditEvent, Detail
from malleposte.policy.audit import Outcome as AuditOutcome
from malleposte.policy.permissions import Actor, Operation, Role, Target
from malleposte.services.jmap import setting
from malleposte.services.jmap.arguments import Reference, Set
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.errors import SetError, invalid
from malleposte.services.jmap.mail import filing
from malleposte.services.jmap.setting import Outcome
from malleposte.services.jmap.sieve import scripts
from malleposte.services.jmap.sieve.names import SCRIPT_LETTER, SIEVE
from malleposte.store.commands import (
    ActivateScript,
    Audited,
    DeleteScript,
    PutScript,
    RenameScript,
)
from malleposte.store.execute.sieve import MAX_NAME, script_name
from malleposte.store.ids import id_number
from malleposte.store.read.sieve import Kept
from malleposte.store.results import Done, Refused

Act = PutScript | ActivateScript | DeleteScript | RenameScript


class SetScripts(Set, frozen=True, kw_only=True):
    """See the module."""

    on_success_activate_script: Reference | None = None
    on_success_deactivate_script: bool = False


async def set_(context: Context, arguments: SetScripts) -> Answer:
    """See the module."""
    context.own(arguments.account_id)
    setting.check(arguments, context.settings)
    old = await scripts.state(context)
    setting.check_state(arguments.if_in_state, old)
    run = _Run(context)
    for id_, properties in (arguments.create or {}).items():
        await run.one(run.outcome.not_created, id_, run.create(id_, properties))
    for id_, patch in (arguments.update or {}).items():
        await run.one(run.outcome.not_updated, id_, run.update(id_, patch))
    for id_ in dict.fromkeys(arguments.destroy or ()):
        await run.one(run.outcome.not_destroyed, id_, run.destroy(id_))
    outcome = run.outcome
    if not (outcome.not_created or outcome.not_updated or outcome.not_destroyed):
        await run.activate(arguments)
    return outcome.answer(arguments.account_id, old, await scripts.state(context))


class _Run:
    """One call."""

    def __init__(self, context: Context) -> None:
        self.outcome = Outcome()
        self._context = context
        self._made: dict[str, str] = {}
        """Creation ids by id."""

    async def one(self, errors: dict[str, SetError], id_: str, doing: Any) -> None:
        """Carry out an entry; its error is among ``errors``."""
        try:
            await doing
        except SetError as error:
            errors[id_] = error
        except filing.FAILURES as error:
            errors[id_] = filing.failure(error)

    async def _kept(self, id_: str) -> Kept:
        number = id_number(SCRIPT_LETTER, self._context.id_of(id_))
        found = (await scripts.known(self._context)).get(number)
        if found is None:
            raise SetError("notFound")
        return found

    async def create(self, id_: str, properties: Mapping[str, Any]) -> None:
        """Keep a new script."""
        unknown = [name for name in properties if name not in ("name", "blobId")]
        if unknown:
            raise invalid("Of a script its name and blobId are given", *unknown[:20])
        known = await scripts.known(self._context)
        given = properties.get("name")
        name = _free(known) if given is None else _name(given)
        await self._free(known, name)
        octets = await scripts.octets_of(self._context, properties.get("blobId"))
        await scripts.check(self._context, octets, name)
        put = PutScript(owner=self._context.actor, name=name, content=octets, expected=0)
        await self._do(put, "sieve.put", {"script": name, "octets": len(octets)}, name)
        (made,) = [one for one in (await scripts.known(self._context)).values() if one.name == name]
        whole = scripts.shown(made)
        self._context.created[id_] = whole["id"]
        self._made[whole["id"]] = id_
        self.outcome.created[id_] = {
            one: value
            for one, value in whole.items()
            if one not in properties or properties[one] != value
        }

    async def _free(self, known: Mapping[int, Kept], name: str, but: int = 0) -> None:
        for one in known.values():
            if one.name == name and one.n != but:
                raise SetError(
                    "alreadyExists",
                    "There is a script of this name",
                    existingId=scripts.script_text(one.n),
                )

    async def update(self, id_: str, patch: Mapping[str, Any]) -> None:
        """Give a script another name or content."""
        one = await self._kept(id_)
        now = scripts.shown(one)
        wrong = [
            name
            for name, value in patch.items()
            if name not in ("name", "blobId") and (name not in now or now[name] != value)
        ]
        if wrong:
            raise invalid("Of a script its name and blobId are changed", *wrong[:20])
        name = _name(patch["name"]) if patch.get("name", one.name) != one.name else one.name
        await self._free(await scripts.known(self._context), name, one.n)
        if patch.get("blobId", now["blobId"]) != now["blobId"]:
            octets = await scripts.octets_of(self._context, patch["blobId"])
            await scripts.check(self._context, octets, name)
            put = PutScript(
                owner=self._context.actor, name=one.name, content=octets, expected=one.version
            )
            details: dict[str, Detail] = {"script": one.name, "octets": len(octets)}
            await self._do(put, "sieve.put", details, one.name)
        if name != one.name:
            rename = RenameScript(owner=self._context.actor, name=one.name, to=name)
            await self._do(rename, "sieve.rename", {"script": one.name, "to": name}, name)
        after = scripts.shown(await self._kept(id_))
        believed = now | dict(patch)
        told = {key: value for key, value in after.items() if believed[key] != value}
        self.outcome.updated[now["id"]] = told or None

    async def destroy(self, id_: str) -> None:
        """Remove a script that does not run."""
        one = await self._kept(id_)
        delete = DeleteScript(owner=self._context.actor, name=one.name, expected=one.version)
        await self._do(delete, "sieve.delete", {"script": one.name}, one.name)
        self.outcome.destroyed.append(scripts.script_text(one.n))

    async def activate(self, arguments: SetScripts) -> None:
        """Have another script run, or none, and tell what that changed. A script that is not there
        changes nothing."""
        wanted = arguments.on_success_activate_script
        if wanted is None and not arguments.on_success_deactivate_script:
            return
        before = await scripts.known(self._context)
        name = ""
        if wanted is not None:
            try:
                name = (await self._kept(wanted)).name
            except SetError:
                return
        act = ActivateScript(owner=self._context.actor, name=name)
        await self._do(act, "sieve.activate", {"script": name}, name)
        for n, one in (await scripts.known(self._context)).items():
            if n in before and one.active != before[n].active:
                self._told(scripts.shown(one))

    def _told(self, now: Mapping[str, Any]) -> None:
        # Its version is another one, and so the name of its content.
        more = {"isActive": now["isActive"], "blobId": now["blobId"]}
        made = self._made.get(now["id"])
        if made is not None:
            self.outcome.created[made] |= more
        else:
            self.outcome.updated[now["id"]] = (self.outcome.updated.get(now["id"]) or {}) | more

    async def _do(self, act: Act, operation: str, details: Mapping[str, Detail], name: str) -> None:
        account = self._context.account
        event = AuditEvent(
            Actor(account.address, frozenset({Role.USER}), account=account.id),
            Operation(operation),
            Target(account.address, account=account.id),
            AuditOutcome.DONE,
            dict(details),
        )
        result = await self._context.submit(Audited(act=act, line=line_of(event)))
        if isinstance(result, Done):
            return
        assert isinstance(result, Refused), result
        raise _refusal(result)


def _name(given: Any) -> str:
    name = script_name(given) if isinstance(given, str) else ""
    if not name:
        words = f"name has 1 to {MAX_NAME} characters, none of them a control character"
        raise invalid(words, "name")
    return name


def _free(known: Mapping[int, Kept]) -> str:
    """A name that no script has."""
    names = {one.name for one in known.values()}
    number = len(known) + 1
    while f"script-{number}" in names:
        number += 1
    return f"script-{number}"


def _refusal(refused: Refused) -> SetError:
    words = f"{refused.text[:1].upper()}{refused.text[1:]}"
    match refused.reason:
        case "no-such-script":
            return SetError("notFound")
        case "in-use":
            return SetError("sieveIsActive", words)
        case "exists":
            return SetError("alreadyExists", words)
        case "too-long":
            return SetError("tooLarge", words)
        case "too-many" | "limit":
            return SetError("overQuota", words)
        case "changed":
            return SetError("serverUnavailable", "It was changed meanwhile; try again")
        case "bad-name":
            return invalid(words, "name")
    return SetError("forbidden", words)


METHODS: Final = {"SieveScript/set": Method(SIEVE, SetScripts, set_)}
