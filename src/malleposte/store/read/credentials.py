"""What signs in beside the main password, as it is kept."""

from dataclasses import dataclass

from malleposte.store.commands.credentials import seed_name
from malleposte.store.dialect import Reader


@dataclass(frozen=True, slots=True)
class Passkey:
    """See ``AddPasskey``. ``last_used_at``: 0 never."""

    credential: bytes
    account: int
    id: int
    public_key: bytes
    sign_count: int
    label: str
    created_at: int
    last_used_at: int


@dataclass(frozen=True, slots=True)
class AppPasswordRow:
    """See ``AddAppPassword``. ``last_used_at``: 0 never."""

    id: int
    label: str
    scope: str
    created_at: int
    last_used_at: int


@dataclass(frozen=True, slots=True)
class SecondStep:
    """``since``: when it began to be asked for, 0 it is not; ``totp_since``: likewise of one-time codes;
    ``codes``: recovery codes that were not used."""

    since: int
    totp_since: int
    codes: int


_PASSKEY = (
    "SELECT credential, account, id, public_key, sign_count, label, created_at, last_used_at"
    " FROM passkey"
)
_PASSKEY_OF = f"{_PASSKEY} WHERE credential = $1"
_PASSKEYS = f"{_PASSKEY} WHERE account = $1 ORDER BY created_at, id"
_SEED = "SELECT sealed FROM secret WHERE name = $1"
_APPS = (
    "SELECT id, label, scope, created_at, coalesce(last_used_at, 0) FROM credential"
    " WHERE account = $1 AND kind = 'app' ORDER BY id"
)
_SECOND = (
    "SELECT a.second_factor, coalesce(t.confirmed_at, 0),"
    " (SELECT count(*) FROM recovery_code r WHERE r.account = a.id AND r.used_at = 0)"
    " FROM account a LEFT JOIN totp t ON t.account = a.id WHERE a.id = $1"
)
_CONFIRMED = "SELECT 1 FROM totp WHERE account = $1 AND confirmed_at > 0"


async def passkey(reader: Reader, credential: bytes) -> Passkey | None:
    """The one of an id that an authenticator chose."""
    row = await reader.row(_PASSKEY_OF, credential)
    return Passkey(bytes(row[0]), row[1], row[2], bytes(row[3]), *row[4:]) if row else None


async def passkeys(reader: Reader, account: int) -> list[Passkey]:
    """Those of an account, oldest first."""
    return [
        Passkey(bytes(row[0]), row[1], row[2], bytes(row[3]), *row[4:])
        for row in await reader.rows(_PASSKEYS, account)
    ]


async def totp_seed(reader: Reader, account: int) -> bytes | None:
    """The sealed seed of its one-time codes, also before it is confirmed."""
    row = await reader.row(_SEED, seed_name(account))
    return bytes(row[0]) if row is not None else None


async def totp_confirmed(reader: Reader, account: int) -> bool:
    """Whether one-time codes are taken."""
    return await reader.row(_CONFIRMED, account) is not None


async def app_passwords(reader: Reader, account: int) -> list[AppPasswordRow]:
    """Those of an account, oldest first."""
    return [AppPasswordRow(*row) for row in await reader.rows(_APPS, account)]


async def second_step(reader: Reader, account: int) -> SecondStep:
    """What an account is asked for besides its password."""
    row = await reader.row(_SECOND, account)
    return SecondStep(*row) if row is not None else SecondStep(0, 0, 0)
