"""Sessions of the web as they are kept."""

from dataclasses import dataclass

from malleposte.store.dialect import Reader

_COLUMNS = (
    "token, account, id, created_at, used_at, proved_at, idle, expires_at, way, agent, address"
)


@dataclass(frozen=True, slots=True)
class WebSession:
    """One; see ``OpenWebSession``."""

    token: bytes
    account: int
    id: int
    created_at: int
    used_at: int
    proved_at: int
    idle: int
    expires_at: int
    way: str
    agent: str
    address: str

    def lives(self, now: float) -> bool:
        """Whether it has not ended by itself."""
        return now < self.expires_at and now < self.used_at + self.idle


async def web_session(reader: Reader, token: bytes) -> WebSession | None:
    """The one of a token's digest, also one that has ended by itself."""
    row = await reader.row(f"SELECT {_COLUMNS} FROM web_session WHERE token = $1", token)
    return WebSession(bytes(row[0]), *row[1:]) if row is not None else None


async def web_sessions(reader: Reader, account: int, now: float) -> list[WebSession]:
    """Those of an account that live, last used first."""
    rows = await reader.rows(
        f"SELECT {_COLUMNS} FROM web_session WHERE account = $1 ORDER BY used_at DESC, id", account
    )
    found = [WebSession(bytes(row[0]), *row[1:]) for row in rows]
    return [one for one in found if one.lives(now)]
