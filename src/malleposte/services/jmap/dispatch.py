"""Carries out the calls of a request in order (RFC 8620 §3.5); one that fails leaves the next alone."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.errors import MethodError, NotOwn
from malleposte.services.jmap.references import Budget, resolve
from malleposte.services.jmap.requests import Invocation, Request
from malleposte.store import PermanentFailure, StoreError


async def run(
    context: Context,
    request: Request,
    methods: Mapping[str, Method],
    defect: Callable[[str], None],
) -> list[Invocation]:
    """The answers. ``defect`` is told, in the handler of an exception of ours, of what was being done."""
    answers: list[Invocation] = []
    budget = Budget()
    for name, arguments, call in request.method_calls:
        try:
            answer = await _one(context, methods, name, resolve(arguments, answers, budget))
        except NotOwn as error:
            answers.append(("error", await _not_here(context, error), call))
        except MethodError as error:
            answers.append(("error", error.arguments(), call))
        except PermanentFailure as error:
            answers.append(("error", _failed("serverFail", str(error)), call))
        except StoreError as error:
            answers.append(("error", _failed("serverUnavailable", str(error)), call))
        except Exception:  # noqa: BLE001 - a defect ends one call
            defect(name)
            answers.append(("error", _failed("serverFail", "This went wrong in the server"), call))
        else:
            if isinstance(answer, dict):
                answers.append((name, answer, call))
            else:
                answers += [(named, one, call) for named, one, _ in answer]
    return answers


async def _one(
    context: Context, methods: Mapping[str, Method], name: str, arguments: dict[str, Any]
) -> Answer:
    method = methods.get(name)
    if method is None or method.capability not in context.using:
        raise MethodError("unknownMethod")
    if method.arguments is None:
        return await method.handler(context, arguments)
    try:
        typed = msgspec.convert(arguments, method.arguments)
    except msgspec.ValidationError as error:
        raise MethodError("invalidArguments", str(error)) from None
    return await method.handler(context, typed)


async def _not_here(context: Context, error: NotOwn) -> dict[str, Any]:
    """Of an account that he sees, it is told that this is not among what others are given (§3.6.2)."""
    try:
        await context.access(error.account)
    except (MethodError, StoreError):
        return error.arguments()
    return MethodError("accountNotSupportedByMethod").arguments()


def _failed(kind: str, description: str) -> dict[str, Any]:
    return MethodError(kind, description).arguments()
