"""What is one object of an account, always, over a form that becomes Sieve: it is read and changed, never
made or removed (RFC 8621 §8)."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, Final, TypeVar

from malleposte.services.jmap import getting, patching
from malleposte.services.jmap.arguments import Get, Set
from malleposte.services.jmap.context import Answer, Context
from malleposte.services.jmap.errors import MethodError, SetError, invalid
from malleposte.services.jmap.mail import filing
from malleposte.services.jmap.setting import Outcome
from malleposte.sieve.forms import FormError
from malleposte.store.read import sieve

ID: Final = "singleton"

Form = TypeVar("Form")


async def kept(
    context: Context,
    account: int,
    kind: str,
    form: Callable[[], Form],
    read: Callable[[bytes], Form],
) -> tuple[int, Form]:
    """The form with its version, 0 where there is none. Raises ``MethodError``."""
    found = await sieve.form(context.store.reader, account, kind)
    if found is None:
        return 0, form()
    try:
        return found.version, read(found.state)
    except FormError as error:
        raise MethodError("serverFail", f"What is kept of it cannot be read: {error}") from None


def given(
    context: Context, arguments: Get, known: Collection[str], version: int, whole: Mapping[str, Any]
) -> Answer:
    """The answer of ``get``. Raises ``MethodError``."""
    names = getting.properties(arguments.properties, known)
    objects, missing = getting.chosen(
        arguments.ids, context.settings, lambda id_: whole if id_ == ID else None, (whole,)
    )
    return getting.answer(arguments, str(version), names, objects, missing)


async def changed(
    arguments: Set, words: str, update: Callable[[dict[str, Any]], Awaitable[None]]
) -> Outcome:
    """What became of a ``set``; ``words`` say why there is one. ``update`` applies a patch, and raises
    ``SetError``."""
    single = SetError("singleton", words)
    outcome = Outcome(
        not_created=dict.fromkeys(arguments.create or (), single),
        not_destroyed={
            id_: single if id_ == ID else SetError("notFound") for id_ in arguments.destroy or ()
        },
    )
    for id_, patch in (arguments.update or {}).items():
        try:
            if id_ != ID:
                raise SetError("notFound")
            await update(patch)
        except (SetError, *filing.FAILURES) as error:
            outcome.not_updated[id_] = filing.failure(error)
        else:
            outcome.updated[id_] = None
    return outcome


def patched(
    patch: Mapping[str, Any], shown: Mapping[str, Any], known: Collection[str]
) -> dict[str, Any]:
    """The object with a patch applied. Raises ``SetError``."""
    wanted = patching.applied(patch, shown)
    unknown = [name for name in wanted if name not in known]
    if unknown or wanted.get("id", ID) != ID:
        raise invalid("There are no such properties to change", *(unknown[:20] or ["id"]))
    return wanted
