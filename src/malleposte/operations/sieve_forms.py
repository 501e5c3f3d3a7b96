"""The forms of an account that become Sieve: the reply while it is away, filters.

Until users have their own pages, an operator fills them in. Saving is compare-and-set, by the version that
was read; what this version of the server does not know in a form is kept byte for byte.
"""

from dataclasses import replace
from typing import Any, Final, Literal

from malleposte.delivery.sieving.checking import Checker
from malleposte.operations.context import Context
from malleposte.operations.errors import OperationError, accepted, invalid, refusal
from malleposte.operations.exchange import Progress
from malleposte.operations.finding import account_id
from malleposte.operations.registry import Request, Response, Subject, operation
from malleposte.policy.audit import Detail
from malleposte.sieve import SieveError
from malleposte.sieve.forms import Filters, FormError, Vacation
from malleposte.store.commands import PutForm
from malleposte.store.read import sieve
from malleposte.store.results import Done

Kind = Literal["vacation", "filters"]
FORMS: Final[dict[Kind, type[Vacation] | type[Filters]]] = {
    "vacation": Vacation,
    "filters": Filters,
}
TRIES: Final = 3
"""Times that some members of a form are set, where somebody else saves it meanwhile."""


class OfForm(Request, frozen=True, kw_only=True):
    """A request about a form of an account."""

    address: str
    kind: Kind

    def subject(self) -> Subject:
        """See ``Request``."""
        return Subject("account", self.address)

    def details(self) -> dict[str, Detail]:
        """See ``Request``."""
        return {"form": self.kind}


class ShowForm(OfForm, frozen=True, kw_only=True):
    """The form."""


class FormShown(Response, frozen=True, kw_only=True):
    """A form. ``version``: 0 where there is none; ``state``: what it holds (JSON); ``script``: the Sieve
    made of it, '' where nothing runs."""

    version: int
    state: str
    script: str


@operation("form.show", ShowForm, FormShown)
async def show(context: Context, request: ShowForm, progress: Progress) -> FormShown:
    """Show a form of an account: a line of the audit says who looked. Again: the same."""
    account = await account_id(context.store.reader, request.address)
    kept = await sieve.form(context.store.reader, account, request.kind)
    if kept is None:
        return FormShown(version=0, state="", script="")
    return FormShown(
        version=kept.version,
        state=kept.state.decode("utf-8", "replace"),
        script=kept.content.decode("utf-8", "replace"),
    )


class PutState(OfForm, frozen=True, kw_only=True):
    """``state``: all that it holds (JSON), '' to remove it; ``version``: that was read (0: there was none),
    None to save it whatever there is."""

    state: str
    version: int | None = None


class FormPut(Response, frozen=True, kw_only=True):
    """It is kept. ``runs``: whether a script was made of it."""

    version: int
    runs: bool
    warnings: tuple[str, ...] = ()


@operation("form.put", PutState, FormPut)
async def put(context: Context, request: PutState, progress: Progress) -> FormPut:
    """Keep a form of an account, and the Sieve made of it. Again: refused where it names the
    version that it was first saved over, else the same."""
    account = await account_id(context.store.reader, request.address)
    if not request.state.strip():
        act = PutForm(account=account, kind=request.kind, state=b"", expected=request.version)
        return _put(accepted(await context.carry_out(act)), b"", ())
    octets = request.state.encode("utf-8", "replace")
    return await _save(context, account, request.kind, octets, request.version)


async def _save(
    context: Context, account: int, kind: Kind, octets: bytes, version: int | None
) -> FormPut:
    try:
        form = FORMS[kind].read(octets)
        state, script = form.write(), form.script()
        warnings: tuple[str, ...] = ()
        if script:
            row = await context.store.reader.row(
                "SELECT organisation FROM account WHERE id = $1", account
            )
            checked = await Checker(context.store.reader).check(
                script, owner=account, organisation=row[0] if row else 0
            )
            warnings = checked.warnings
    except FormError as error:
        raise invalid(str(error)) from error
    except SieveError as error:
        # A rule of a newer version may bring any Sieve along.
        raise invalid(f"the Sieve made of it is not in order: {error}") from error
    act = PutForm(account=account, kind=kind, state=state, content=script, expected=version)
    return _put(accepted(await context.carry_out(act)), script, warnings)


def _put(answer: object, script: bytes, warnings: tuple[str, ...]) -> FormPut:
    version = answer.modseq if isinstance(answer, Done) else 0
    return FormPut(version=version, runs=bool(script), warnings=warnings)


class SetAway(Request, frozen=True, kw_only=True):
    """The reply while an account is away; None leaves a member of the form as it is. ``title``: the
    subject, '' for that of the message; ``since``, ``until``: Unix seconds, 0 for open; ``days`` between
    two replies to one person; ``addresses``: further ones of the account."""

    address: str
    on: bool | None = None
    title: str | None = None
    text: str | None = None
    since: int | None = None
    until: int | None = None
    days: int | None = None
    addresses: tuple[str, ...] | None = None

    def subject(self) -> Subject:
        """See ``Request``."""
        return Subject("account", self.address)

    def details(self) -> dict[str, Detail]:
        """See ``Request``."""
        return {} if self.on is None else {"on": self.on}


@operation("form.away", SetAway, FormPut)
async def away(context: Context, request: SetAway, progress: Progress) -> FormPut:
    """Set the reply while an account is away, all else in the form as it was. Again: the same."""
    account = await account_id(context.store.reader, request.address)
    tries = TRIES
    while True:
        tries -= 1
        kept = await sieve.form(context.store.reader, account, "vacation")
        try:
            before = Vacation() if kept is None else Vacation.read(kept.state)
        except FormError as error:
            raise refusal("damaged", f"the form cannot be read: {error}") from error
        octets = _changed(before, request).write()
        try:
            return await _save(context, account, "vacation", octets, kept.version if kept else 0)
        except OperationError as error:
            if error.reason != "changed" or not tries:
                raise


def _changed(form: Vacation, request: SetAway) -> Vacation:
    members: dict[str, Any] = {
        "enabled": request.on,
        "subject": request.title,
        "text": request.text,
        "html": None if request.text is None else "",  # another form of the text before
        "days": request.days,
        "addresses": request.addresses,
    }
    members = {name: value for name, value in members.items() if value is not None}
    for name, moment in (("start", request.since), ("end", request.until)):
        if moment is not None:
            members[name] = moment or None
    return replace(form, **members)
