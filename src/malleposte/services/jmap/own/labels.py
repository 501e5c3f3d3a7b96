"""Label/get and Label/set: keywords that have a name to be shown, and a colour.

The id of a label is its keyword, which messages have among their ``keywords`` and programs of IMAP see as a
flag. A label that is destroyed is not shown any more; messages keep the keyword.
"""

import re
from functools import partial
from typing import Any, Final

from malleposte.normal_form import normal
from malleposte.services.jmap import getting, patching, setting
from malleposte.services.jmap.arguments import Get, Set
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.errors import SetError, invalid
from malleposte.services.jmap.mail import filing
from malleposte.services.jmap.mail.keywords import parsed
from malleposte.services.jmap.own.names import LABELS
from malleposte.services.jmap.setting import Outcome
from malleposte.store.commands import DropLabel, PutLabel
from malleposte.store.commands.labels import MAX_LABELS, MAX_TITLE
from malleposte.store.read import labels
from malleposte.store.read.labels import Label

_done: Final = partial(
    setting.carried_out,
    refusals={
        "no-such-label": setting.not_found,
        "limit": setting.OVER_QUOTA,
        "exists": partial(SetError, "alreadyExists"),
    },
    otherwise=invalid,
)
COLOURS: Final = (
    "",
    "red",
    "orange",
    "yellow",
    "green",
    "teal",
    "blue",
    "indigo",
    "purple",
    "pink",
    "brown",
)
"""Names, not values: what is readable in light is not in the dark."""
PROPERTIES: Final = ("id", "name", "colour", "sortOrder")
_PLAIN: Final = re.compile(r"[^a-z0-9]+")
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")


def _shown(label: Label) -> dict[str, Any]:
    return {
        "id": label.keyword,
        "name": label.title,
        "colour": label.colour,
        "sortOrder": label.sort_order,
    }


async def get(context: Context, arguments: Get) -> Answer:
    """Label/get."""
    account = context.own(arguments.account_id)
    names = getting.properties(arguments.properties, PROPERTIES)
    reader = context.store.reader
    state = await labels.modseq(reader, account)
    known = {one.keyword: _shown(one) for one in await labels.labels(reader, account)}
    objects, missing = getting.chosen(arguments.ids, context.settings, known.get, known.values())
    return getting.answer(arguments, str(state), names, objects, missing)


async def set_(context: Context, arguments: Set) -> Answer:
    """Label/set."""
    account = context.own(arguments.account_id)
    setting.check(arguments, context.settings)
    reader = context.store.reader
    old = str(await labels.modseq(reader, account))
    setting.check_state(arguments.if_in_state, old)
    known = {one.keyword: one for one in await labels.labels(reader, account)}
    outcome = Outcome()
    for id_, properties in (arguments.create or {}).items():
        try:
            made = _created(properties, known)
            await _done(context, _command(account, made, new=True))
        except (SetError, *filing.FAILURES) as error:
            outcome.not_created[id_] = filing.failure(error)
        else:
            known[made.keyword] = made
            context.created[id_] = made.keyword
            shown = _shown(made)
            outcome.created[id_] = {n: shown[n] for n in PROPERTIES if n not in properties}
    for id_, patch in (arguments.update or {}).items():
        try:
            changed = _changed(_of(context, known, id_), patch)
            await _done(context, _command(account, changed))
        except (SetError, *filing.FAILURES) as error:
            outcome.not_updated[id_] = filing.failure(error)
        else:
            known[changed.keyword] = changed
            outcome.updated[id_] = None
    for id_ in arguments.destroy or ():
        try:
            gone = _of(context, known, id_)
            await _done(context, DropLabel(account=account, keyword=gone.keyword))
        except (SetError, *filing.FAILURES) as error:
            outcome.not_destroyed[id_] = filing.failure(error)
        else:
            del known[gone.keyword]
            outcome.destroyed.append(gone.keyword)
    new = str(await labels.modseq(reader, account))
    return outcome.answer(arguments.account_id, old, new)


def _of(context: Context, known: dict[str, Label], id_: str) -> Label:
    found = known.get(context.id_of(id_))
    if found is None:
        raise SetError("notFound")
    return found


def _command(account: int, label: Label, *, new: bool = False) -> PutLabel:
    return PutLabel(
        account=account,
        keyword=label.keyword,
        title=label.title,
        colour=label.colour,
        sort_order=label.sort_order,
        new=new,
    )


def _created(properties: dict[str, Any], known: dict[str, Label]) -> Label:
    unknown = [name for name in properties if name not in PROPERTIES]
    if unknown:
        raise invalid("There are no such properties to give", *unknown[:20])
    shown = {"colour": "", "sortOrder": 0} | properties
    wanted = shown.get("id")
    if wanted is None:
        wanted = _keyword_for(str(shown.get("name") or ""), known)
    if not isinstance(wanted, str) or not _ID.fullmatch(wanted):
        raise invalid("id is a keyword of letters, digits, - and _", "id")
    if parsed(wanted).bit:
        raise invalid("That keyword has a meaning of its own", "id")
    return _label(wanted.lower(), shown)


def _keyword_for(name: str, known: dict[str, Label]) -> str:
    """A keyword that says the name as far as its letters can, and that no label has."""
    plain = normal("NFKD", name).encode("ascii", "ignore").decode().lower()
    stem = _PLAIN.sub("_", plain).strip("_")[:40] or "label"
    n, word = 1, stem
    while word in known or parsed(word).bit:
        n += 1
        word = f"{stem}_{n}"
    return word


def _changed(label: Label, patch: dict[str, Any]) -> Label:
    wanted = patching.applied(patch, _shown(label))
    unknown = [name for name in wanted if name not in PROPERTIES]
    if unknown or wanted.get("id") != label.keyword:
        raise invalid("That cannot be changed", *(unknown[:20] or ["id"]))
    return _label(label.keyword, wanted)


def _label(keyword: str, properties: dict[str, Any]) -> Label:
    name, colour, order = (properties.get(one) for one in ("name", "colour", "sortOrder"))
    if not isinstance(name, str) or not 1 <= len(name.strip()) <= MAX_TITLE:
        raise invalid(f"name has 1 to {MAX_TITLE} characters", "name")
    if not name.isprintable():
        raise invalid("name is one line", "name")
    if colour not in COLOURS:
        raise invalid(f"colour is one of {', '.join(filter(None, COLOURS))}, or none", "colour")
    if not isinstance(order, int) or isinstance(order, bool) or not 0 <= order < 1 << 31:
        raise invalid("sortOrder is a whole number", "sortOrder")
    return Label(keyword, " ".join(name.split()), str(colour), order)


METHODS: Final = {
    "Label/get": Method(LABELS, Get, get),
    "Label/set": Method(LABELS, Set, set_),
}
__all__ = ["COLOURS", "MAX_LABELS", "METHODS"]
