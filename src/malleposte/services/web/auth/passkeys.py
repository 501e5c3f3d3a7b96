"""Passkeys (W3C Web Authentication): begun with a challenge, finished with what signed it."""

import hashlib
from collections.abc import Callable
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import msgspec
import webauthn
from webauthn.helpers import options_to_json_dict, parse_authentication_credential_json
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from malleposte.directory.book import Account
from malleposte.services.web.auth import steps
from malleposte.services.web.auth.context import Context
from malleposte.services.web.auth.forms import Problem, answer, read
from malleposte.services.web.auth.opening import open_session, readable
from malleposte.services.web.auth.steps import Of, Step
from malleposte.services.web.cookies import is_secure
from malleposte.services.web.messages import Request, Response
from malleposte.store.commands import (
    AddPasskey,
    DropPasskey,
    RenamePasskey,
    UsePasskey,
    UseWebSession,
)
from malleposte.store.read import credentials
from malleposte.store.results import Created, Done, Refused

Checked = TypeVar("Checked")

MAX_LABEL: Final = 60
_NOT_KNOWN: Final = "This passkey is not known here, or was not used as it should be."


class BeginForm(msgspec.Struct, frozen=True, kw_only=True):
    """``alone``: not as the second step, though a password was shown; ``passing`` as in signing in."""

    alone: bool = False
    passing: bool = False


class FinishForm(msgspec.Struct, frozen=True, kw_only=True):
    """``credential``: as the browser gives it (``toJSON``)."""

    credential: dict[str, Any]
    label: str = ""


class RenameForm(msgspec.Struct, frozen=True, kw_only=True):
    """Another name for one."""

    id: int
    label: str


class OneForm(msgspec.Struct, frozen=True, kw_only=True):
    """One of a list, by its id."""

    id: int


def relying_party(request: Request) -> str:
    """The name that passkeys are bound to: the one the browser shows."""
    return request.host


def origins(context: Context, request: Request) -> list[str]:
    """Where our pages may be that ask for them."""
    settings = context.authentication.settings
    scheme = "https" if is_secure(request, settings) else "http"
    own = [f"{scheme}://{request.field(b'host').lower()}"]
    if settings.url and urlsplit(settings.url).hostname == request.host:
        own.append(settings.url.rstrip("/"))
    return own


# Signing in -------------------------------------------------------------------------------------------


async def begin(context: Context, request: Request) -> Response:
    """POST /auth/passkey/begin: after the password, or alone."""
    form, before = await read(request, BeginForm), steps.read(context, request)
    if before is not None and before.account and before.of == "sign-in" and not form.alone:
        return await _ask(context, request, before)
    step = Step(0, 0, steps.until(context), form.passing)
    return await _ask(context, request, step)


async def finish(context: Context, request: Request) -> Response:
    """POST /auth/passkey/finish. Without a password before, the passkey must know its person."""
    step, form = _challenged(context, request, "sign-in"), await read(request, FinishForm)
    account = await _signed_by(context, request, step, form, verified=not step.account)
    fields = await open_session(context, request, account, "passkey", passing=step.passing)
    return answer({"signedIn": True}, *fields, steps.dropped(context, request))


async def prove_begin(context: Context, request: Request) -> Response:
    """POST /auth/prove/passkey/begin: of who is signed in."""
    account = (await context.signed_in(request)).account
    await read(request, dict)
    step = Step(account.id, account.credential_version, steps.until(context), of="prove")
    return await _ask(context, request, step)


async def prove_finish(context: Context, request: Request) -> Response:
    """POST /auth/prove/passkey/finish."""
    found = await context.signed_in(request)
    step, form = _challenged(context, request, "prove"), await read(request, FinishForm)
    if step.account != found.account.id:
        raise Problem(401, "wrong", _NOT_KNOWN)
    await _signed_by(context, request, step, form, verified=True)
    await context.authentication.store.submit(UseWebSession(token=found.session.token, proved=True))
    return answer({"proved": True}, steps.dropped(context, request))


async def _ask(context: Context, request: Request, step: Step) -> Response:
    challenge = steps.new_challenge()
    allowed = []
    if step.account:
        found = await credentials.passkeys(context.authentication.store.reader, step.account)
        allowed = [PublicKeyCredentialDescriptor(id=one.credential) for one in found]
    after_password = bool(step.account) and step.of == "sign-in"
    options = webauthn.generate_authentication_options(
        rp_id=relying_party(request),
        challenge=challenge,
        allow_credentials=allowed,
        user_verification=UserVerificationRequirement.PREFERRED
        if after_password
        else UserVerificationRequirement.REQUIRED,
    )
    # It ends when it would have ended: nobody renews what a password has shown.
    kept = msgspec.structs.replace(step, challenge=challenge)
    content: dict[str, object] = {"options": options_to_json_dict(options)}
    return answer(content, steps.kept(context, request, kept))


def _challenged(context: Context, request: Request, of: Of) -> Step:
    step = steps.read(context, request)
    if step is None or not step.challenge or step.of != of:
        raise Problem(401, "expired", "That took too long; begin again.")
    return step


async def _signed_by(
    context: Context, request: Request, step: Step, form: FinishForm, *, verified: bool
) -> Account:
    """Whose passkey signed the challenge; ``verified``: and knows its person. Raises ``Problem``."""
    authentication = context.authentication
    wrong = Problem(401, "wrong", _NOT_KNOWN)
    credential = _checked(lambda: parse_authentication_credential_json(form.credential))
    if credential is None:
        raise _told(context, request, wrong)
    passkey = await credentials.passkey(authentication.store.reader, credential.raw_id)
    if passkey is None or step.account not in (0, passkey.account):
        raise _told(context, request, wrong)
    outcome = _checked(
        lambda: webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=step.challenge,
            expected_rp_id=relying_party(request),
            expected_origin=origins(context, request),
            credential_public_key=passkey.public_key,
            # The store compares it, in the transaction that keeps it.
            credential_current_sign_count=0,
            require_user_verification=verified,
        )
    )
    if outcome is None:
        raise _told(context, request, wrong)
    account = await authentication.book.account(passkey.account)
    if account is None or account.status != "active":
        raise Problem(403, "suspended", "This account is suspended; ask your administrator.")
    if step.account and account.credential_version != step.version:
        raise Problem(401, "expired", "The account was changed meanwhile; sign in again.")
    used = await authentication.store.submit(
        UsePasskey(
            account=account.id,
            credential=passkey.credential,
            sign_count=outcome.new_sign_count,
            challenge=hashlib.sha256(step.challenge).digest(),
            until=step.until,
        )
    )
    if isinstance(used, Refused):
        error = "copied" if used.reason == "in-use" else "used"
        words = f"{used.text[:1].upper()}{used.text[1:]}."
        raise _told(context, request, Problem(401, error, words))
    return account


def _checked(check: Callable[[], Checked]) -> Checked | None:
    """What a check gives, None where it fails."""
    try:
        return check()
    except Exception:  # noqa: BLE001 - octets of strangers, and whatever the library trips over in them
        return None


def _told(context: Context, request: Request, problem: Problem) -> Problem:
    context.authentication.door.log.refused("web", request.peer, f"passkey {problem.error}")
    return problem


# What a person has ------------------------------------------------------------------------------------


async def add_begin(context: Context, request: Request) -> Response:
    """POST /auth/passkeys/begin."""
    account = (await context.fresh(request)).account
    await read(request, dict)
    challenge = steps.new_challenge()
    known = await credentials.passkeys(context.authentication.store.reader, account.id)
    options = webauthn.generate_registration_options(
        rp_id=relying_party(request),
        rp_name="Malleposte",
        # Not the address: it may change, and authenticators show it to whoever holds them.
        user_id=hashlib.sha256(f"malleposte:{account.id}".encode()).digest(),
        user_name=account.address,
        user_display_name=account.name or account.address,
        challenge=challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED,
            user_verification=UserVerificationRequirement.PREFERRED,
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=one.credential) for one in known],
    )
    step = Step(
        account.id,
        account.credential_version,
        steps.until(context),
        challenge=challenge,
        of="enrol",
    )
    content: dict[str, object] = {"options": options_to_json_dict(options)}
    return answer(content, steps.kept(context, request, step))


async def add_finish(context: Context, request: Request) -> Response:
    """POST /auth/passkeys/finish."""
    account = (await context.fresh(request)).account
    form, step = await read(request, FinishForm), steps.read(context, request)
    if step is None or step.of != "enrol" or step.account != account.id:
        raise Problem(401, "expired", "That took too long; begin again.")
    made = _checked(
        lambda: webauthn.verify_registration_response(
            credential=form.credential,
            expected_challenge=step.challenge,
            expected_rp_id=relying_party(request),
            expected_origin=origins(context, request),
        )
    )
    if made is None:
        raise Problem(400, "malformed", "The browser's answer is not that of a passkey.")
    label = readable(form.label)[:MAX_LABEL] or "Passkey"
    done = await context.carry_out(
        account,
        "account.add-passkey",
        AddPasskey(
            account=account.id,
            credential=made.credential_id,
            public_key=made.credential_public_key,
            sign_count=made.sign_count,
            label=label,
            challenge=hashlib.sha256(step.challenge).digest(),
            until=step.until,
        ),
        label=label,
    )
    assert isinstance(done, Created)
    return answer({"id": done.id, "label": label}, steps.dropped(context, request))


async def remove(context: Context, request: Request) -> Response:
    """POST /auth/passkeys/remove."""
    account = (await context.fresh(request)).account
    form = await read(request, OneForm)
    act = DropPasskey(account=account.id, id=form.id)
    done = await context.carry_out(account, "account.remove-passkey", act, id=form.id)
    return answer({"removed": isinstance(done, Done) and bool(done.count)})


async def rename(context: Context, request: Request) -> Response:
    """POST /auth/passkeys/rename. Without a fresh proof: it changes nothing but what one reads."""
    account, form = (await context.signed_in(request)).account, await read(request, RenameForm)
    label = readable(form.label)[:MAX_LABEL]
    if not label:
        raise Problem(422, "label", "Say which one it is, as “Phone” or “Blue key”.")
    act = RenamePasskey(account=account.id, id=form.id, label=label)
    done = await context.carry_out(account, "account.rename-passkey", act, id=form.id, label=label)
    return answer({"renamed": isinstance(done, Done) and bool(done.count)})
