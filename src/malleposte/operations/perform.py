"""The one wrapper around every operation: permission, audit, failures in words.

Nothing is changed without a line in the audit: it goes into the transaction of the act, or where there
are many, before the first. What the store or the machine cannot do now becomes ``unavailable``, a defect
of ours ``failed``; both are audited like a refusal, as far as the store takes it.
"""

import contextlib
import dataclasses

import msgspec
import structlog

from malleposte.directory.addresses import BadAddressError, normalise, normalise_domain
from malleposte.operations.context import Context, Line
from malleposte.operations.errors import OperationError
from malleposte.operations.exchange import Exchange
from malleposte.operations.protocol import ProtocolError
from malleposte.operations.registry import Operation, Request, Response, Subject, operations
from malleposte.policy.audit import AuditEvent, Detail, Outcome
from malleposte.policy.permissions import Operation as Permission
from malleposte.policy.permissions import Target, allowed
from malleposte.runtime.passwords import TooBusyError, UnfitPasswordError
from malleposte.store import DiskFull, PermanentFailure, StoreError
from malleposte.store.errors import DatabaseDamaged, no_space

log = structlog.get_logger("operations")


def named(name: str) -> Operation:
    """The operation of that name. Raises ``OperationError``."""
    found = operations().get(name)
    if found is None:
        raise OperationError("invalid", "unknown-operation", f"there is no operation {name}")
    return found


def decode(operation: Operation, raw: bytes | msgspec.Raw) -> Request:
    """The request from JSON. Raises ``OperationError``."""
    try:
        return msgspec.json.decode(raw, type=operation.request)
    except msgspec.ValidationError as error:
        raise OperationError("invalid", "invalid", f"{operation.name}: {error}") from None
    except msgspec.DecodeError as error:
        raise OperationError("invalid", "invalid", f"{operation.name}: not JSON: {error}") from None


async def perform(
    context: Context, operation: Operation, request: Request, exchange: Exchange
) -> Response:
    """Run an operation for the context's actor. Raises ``OperationError``."""
    permission = Permission(operation.name)
    target = Target(request.subject().name)
    line: Line | None = None
    try:
        target = await target_of(context, request.subject())
        decision = allowed(context.actor, permission, target)
        if not decision.allowed:
            raise OperationError("refused", "not-allowed", decision.reason)
        details = _together(request.details())
        line = Line(AuditEvent(context.actor, permission, target, Outcome.DONE, details))
        running = dataclasses.replace(context, line=line)
        response = await operation.run(running, request, exchange)
        if operation.audit == "always" and not line.written:
            details = _together(request.details(), response.outcome())
            try:
                await _append(context, permission, target, Outcome.DONE, details)
            except StoreError as error:
                if not line.begun:
                    raise
                # What was asked for is done, and that it was begun stands there.
                log.error("the audit lacks an end", operation=operation.name, reason=str(error))
    except Exception as error:
        failure = _in_words(error)
        outcome = Outcome.REFUSED if failure.kind == "refused" else Outcome.FAILED
        if line is not None and line.written:
            text = f"this was done, but what came of it cannot be told: {failure.text}"
            failure = OperationError(failure.kind, failure.reason, text)
        elif operation.audit == "always" or failure.kind == "refused":
            details = _together(request.details(), {"why": failure.text})
            with contextlib.suppress(StoreError):
                await _append(context, permission, target, outcome, details)
        if failure.reason == "defect":
            log.exception("an operation failed", operation=operation.name)
        if failure is error:
            raise
        raise failure from error
    return response


def _in_words(error: Exception) -> OperationError:
    match error:
        case OperationError():
            return error
        case BadAddressError() | UnfitPasswordError():
            return OperationError("invalid", "invalid", str(error))
        case TooBusyError():
            return OperationError(
                "unavailable", "busy", "the server is busy with passwords; try again in a moment"
            )
        case DatabaseDamaged():
            return OperationError("failed", "damaged", str(error))
        case PermanentFailure():
            return OperationError("failed", "defect", f"this went wrong in the server: {error}")
        case DiskFull():
            return OperationError(
                "unavailable", "disk", f"the disk is almost full: {error}; make room first"
            )
        case StoreError():
            return OperationError(
                "unavailable", "store-away", f"the store cannot answer now: {error}; try again"
            )
        case ProtocolError():
            return OperationError("invalid", "protocol", str(error))
        case ConnectionError():
            return OperationError("unavailable", "disconnected", "the caller went away")
        case OSError() if no_space(error):
            return OperationError("unavailable", "disk", f"the server's disk: {error}")
        case OSError():
            return OperationError("unavailable", "system", f"the server's machine: {error}")
    return OperationError(
        "failed", "defect", f"this went wrong in the server: {type(error).__name__}: {error}"
    )


def _together(*parts: dict[str, Detail]) -> dict[str, Detail]:
    return {name: value for part in parts for name, value in part.items() if value is not None}


async def _append(
    context: Context,
    permission: Permission,
    target: Target,
    outcome: Outcome,
    details: dict[str, Detail],
) -> None:
    await context.audit.append(AuditEvent(context.actor, permission, target, outcome, details))


async def target_of(context: Context, subject: Subject) -> Target:
    """What a request is about, with organisation and account where they can be found."""
    if subject.kind == "server":
        return Target(subject.name)
    try:
        whole = normalise_domain(subject.name) if subject.kind == "domain" else None
        name = whole or normalise(subject.name)
    except BadAddressError:
        # The function says what is wrong with it.
        return Target(subject.name)
    reader = context.store.reader
    if subject.kind == "account":
        row = await reader.row("SELECT organisation, id FROM account WHERE address = $1", name)
        if row is not None:
            return Target(name, organisation=row[0], account=row[1])
    domain = name.rpartition("@")[2]
    row = await reader.row("SELECT organisation FROM domain WHERE name = $1", domain)
    return Target(name, organisation=row[0] if row else None)
