"""The directory, and rows that hang on others: addresses, credentials, jobs, counters."""

from collections.abc import AsyncIterator

from malleposte.store import migrations
from malleposte.store.dialect import Sql
from malleposte.store.errors import StoreError
from malleposte.store.execute.directory import SYSTEM_LOCALS
from malleposte.store.fsck.finding import Examination, Finding, Kind
from malleposte.store.work import SEQUENCES

# Each statement gives (name of the object, account or 0) of what is wrong, and nothing else.
_CHECKS: tuple[tuple[Kind, str, str, str], ...] = (
    (
        Kind.ADDRESS,
        "address",
        "SELECT a.address, 0 FROM address a"
        " WHERE NOT EXISTS (SELECT 1 FROM domain d WHERE d.id = a.domain)",
        "its domain is gone: no mail for it is taken",
    ),
    (
        Kind.ADDRESS,
        "address",
        "SELECT a.address, 0 FROM address a WHERE a.kind NOT IN ('system', 'group', 'relayed')"
        " AND NOT EXISTS (SELECT 1 FROM address_target t WHERE t.address = a.address)",
        "it reaches nobody: mail for it is refused",
    ),
    (
        Kind.ADDRESS_TARGET,
        "address",
        "SELECT t.address, 0 FROM address_target t"
        " WHERE NOT EXISTS (SELECT 1 FROM address a WHERE a.address = t.address)",
        "a target without its address: nothing comes of it",
    ),
    (
        Kind.ADDRESS_TARGET,
        "address",
        "SELECT t.address, t.account FROM address_target t WHERE t.account <> 0 AND NOT EXISTS"
        " (SELECT 1 FROM account a WHERE a.id = t.account AND a.status <> 'deleted')",
        "it reaches an account that is gone: mail for it is lost or refused",
    ),
    (
        Kind.ADDRESS,
        "group",
        "SELECT a.address, 0 FROM address a WHERE a.kind = 'group'"
        " AND NOT EXISTS (SELECT 1 FROM mail_group g WHERE g.address = a.address)",
        "nothing is known of the group: mail for it is refused",
    ),
    (
        Kind.ADDRESS,
        "group",
        "SELECT g.address, 0 FROM mail_group g WHERE NOT EXISTS"
        " (SELECT 1 FROM address a WHERE a.address = g.address AND a.kind = 'group')",
        "a group without its address: no mail comes to it",
    ),
    (
        Kind.ADDRESS_TARGET,
        "member",
        "SELECT m.mail_group || ' account ' || m.account, m.account FROM group_member m"
        " WHERE m.account <> 0 AND NOT EXISTS"
        " (SELECT 1 FROM account a WHERE a.id = m.account AND a.status <> 'deleted')",
        "a member of a group that is gone",
    ),
    (
        Kind.ROW_STRAY,
        "forward",
        "SELECT 'account ' || f.account, 0 FROM forward f"
        " WHERE NOT EXISTS (SELECT 1 FROM account a WHERE a.id = f.account AND a.forward > 0)",
        "a forward of nobody, or one that is off: nothing is forwarded",
    ),
    (
        Kind.ACCOUNT_ADDRESS,
        "account",
        "SELECT a.address, a.id FROM account a WHERE a.status <> 'deleted' AND NOT EXISTS"
        " (SELECT 1 FROM address p JOIN address_target t ON t.address = p.address"
        " WHERE p.address = a.address AND p.kind = 'primary' AND t.account = a.id)",
        "mail to its own address does not reach it",
    ),
    (
        Kind.HEAD_MISSING,
        "account",
        "SELECT a.address, a.id FROM account a"
        " WHERE NOT EXISTS (SELECT 1 FROM account_head h WHERE h.account = a.id)",
        "its counters are gone: no mail can be filed for it",
    ),
    (
        Kind.ROW_STRAY,
        "credential",
        "SELECT 'account ' || c.account, 0 FROM credential c"
        " WHERE NOT EXISTS (SELECT 1 FROM account a WHERE a.id = c.account)",
        "a credential of nobody",
    ),
    (
        Kind.ROW_STRAY,
        "credential",
        "SELECT 'account ' || c.account, 0 FROM (SELECT account FROM passkey UNION ALL SELECT account"
        " FROM totp UNION ALL SELECT account FROM recovery_code UNION ALL SELECT account"
        " FROM web_session) c WHERE NOT EXISTS"
        " (SELECT 1 FROM account a WHERE a.id = c.account AND a.status <> 'deleted')",
        "a passkey, code or session of nobody",
    ),
    (
        Kind.ROW_STRAY,
        "second step",
        "SELECT a.address, a.id FROM account a WHERE a.second_factor > 0"
        " AND a.status <> 'deleted' AND NOT EXISTS"
        " (SELECT 1 FROM passkey p WHERE p.account = a.id) AND NOT EXISTS (SELECT 1 FROM totp t"
        " JOIN secret s ON s.name = 'totp:' || t.account WHERE t.account = a.id"
        " AND t.confirmed_at > 0) AND NOT EXISTS"
        " (SELECT 1 FROM recovery_code r WHERE r.account = a.id AND r.used_at = 0)",
        "it is asked for and there is none: reset it (malleposte account second-factor reset)",
    ),
    (
        Kind.ROW_STRAY,
        "right to send",
        "SELECT r.address || ' ' || r.account, 0 FROM send_right r"
        " WHERE NOT EXISTS (SELECT 1 FROM address a WHERE a.address = r.address)"
        " OR NOT EXISTS (SELECT 1 FROM account a WHERE a.id = r.account AND a.status <> 'deleted')",
        "a right to send from an address that is gone, or of nobody",
    ),
    (
        Kind.ROW_STRAY,
        "network",
        "SELECT n.network || ' ' || n.account, 0 FROM device_network n WHERE NOT EXISTS"
        " (SELECT 1 FROM account a WHERE a.id = n.account AND a.kind = 'device'"
        " AND a.status <> 'deleted')",
        "a network of no device",
    ),
    (
        Kind.ROW_STRAY,
        "limit",
        "SELECT l.kind || ' ' || l.id, 0 FROM send_limit l WHERE NOT EXISTS"
        " (SELECT 1 FROM account a WHERE l.kind = 1 AND a.id = l.id AND a.status <> 'deleted')"
        " AND NOT EXISTS (SELECT 1 FROM domain d WHERE l.kind = 2 AND d.id = l.id)",
        "a limit of sending of nobody",
    ),
    (
        Kind.ROW_STRAY,
        "role",
        "SELECT 'account ' || r.account, 0 FROM role_grant r"
        " WHERE NOT EXISTS (SELECT 1 FROM account a WHERE a.id = r.account)",
        "a role of nobody",
    ),
    (
        Kind.ROW_STRAY,
        "deleted mailbox",
        "SELECT g.path, 0 FROM gone_mailbox g WHERE g.account <> g.id >> 32"
        " OR NOT EXISTS (SELECT 1 FROM account_head h WHERE h.account = g.account)",
        "a name kept for nobody",
    ),
    (
        Kind.ROW_STRAY,
        "entry",
        "SELECT n.account || ' ' || n.name, 0 FROM annotation n"
        " WHERE NOT EXISTS (SELECT 1 FROM account_head h WHERE h.account = n.account)",
        "an entry of METADATA of nobody",
    ),
    (
        Kind.ROW_STRAY,
        "script",
        "SELECT s.owner || ' ' || s.name, 0 FROM sieve_script s WHERE CASE WHEN s.owner > 0"
        " THEN NOT EXISTS (SELECT 1 FROM account a WHERE a.id = s.owner)"
        " ELSE NOT EXISTS (SELECT 1 FROM organisation o WHERE o.id = -s.owner)"
        " OR s.domain <> 0 AND NOT EXISTS (SELECT 1 FROM domain d WHERE d.id = s.domain) END",
        "a Sieve script of nobody",
    ),
    (
        Kind.ROW_STRAY,
        "script",
        "SELECT s.owner || ' ' || s.name, 0 FROM sieve_script s WHERE s.active = 1"
        " AND NOT EXISTS (SELECT 1 FROM sieve_head h WHERE h.owner = s.owner)",
        "an active Sieve script that delivery does not know of: activate it again",
    ),
    (
        Kind.ROW_STRAY,
        "form",
        "SELECT f.account || ' ' || f.kind, 0 FROM sieve_form f"
        " WHERE NOT EXISTS (SELECT 1 FROM account a WHERE a.id = f.account)",
        "vacation or filters of nobody",
    ),
    (
        Kind.ROW_STRAY,
        "upload",
        "SELECT u.account || ':' || u.id, 0 FROM upload u"
        " WHERE NOT EXISTS (SELECT 1 FROM blob b WHERE b.id = u.blob)",
        "content that was uploaded is gone",
    ),
    (
        Kind.ROW_STRAY,
        "scheduled send",
        "SELECT s.account || ':' || s.email, 0 FROM scheduled_send s"
        " WHERE NOT EXISTS (SELECT 1 FROM email e WHERE e.id = s.email)",
        "a message that was to be sent is gone",
    ),
    (
        Kind.JOB_LEASE,
        "job",
        "SELECT j.kind || ' ' || j.key, 0 FROM job j"
        " WHERE j.kind = '' OR (j.holder = '') <> (j.until = 0) OR j.epoch <> j.attempts",
        "its lease is not as leases are given: it may run twice or never",
    ),
    (
        Kind.ROW_STRAY,
        "queued recipient",
        "SELECT r.message || ' ' || r.address, 0 FROM queue_recipient r"
        " WHERE NOT EXISTS (SELECT 1 FROM queue_message m WHERE m.id = r.message)",
        "a recipient of no message: nothing is sent to it",
    ),
    (
        Kind.ROW_STRAY,
        "queued message",
        "SELECT CAST(m.id AS TEXT), 0 FROM queue_message m"
        " WHERE NOT EXISTS (SELECT 1 FROM blob b WHERE b.id = m.blob)"
        " OR NOT EXISTS (SELECT 1 FROM queue_recipient r WHERE r.message = m.id)",
        "its content or its last recipient is gone",
    ),
    (
        Kind.QUEUE_ROUTE,
        "route",
        "SELECT r.route, 0 FROM (SELECT route, min(due_at) AS due_at FROM queue_recipient"
        " WHERE state = 0 GROUP BY route) r LEFT JOIN queue_route q ON q.route = r.route"
        " WHERE q.route IS NULL OR (q.due_at > r.due_at AND q.due_at > q.closed_until)",
        "mail for it waits and would be tried too late, or never",
    ),
)

_SYSTEM = (
    "SELECT d.name FROM domain d WHERE NOT EXISTS"
    " (SELECT 1 FROM address a WHERE a.address = $1 || '@' || d.name AND a.kind = 'system')"
)
_NEXT = {
    name: Sql(
        sqlite=f"SELECT s.next, coalesce((SELECT max(id) FROM {name}), 0) FROM sequence s"
        f" WHERE s.name = '{name}'",
        postgres=f"SELECT last_value + CASE WHEN is_called THEN 1 ELSE 0 END,"
        f" coalesce((SELECT max(id) FROM {name}), 0) FROM seq_{name}",
    )
    for name in SEQUENCES
}


async def records(examination: Examination) -> AsyncIterator[Finding]:
    """Everything that is not an account's mail."""
    reader = examination.reader
    for at, (kind, what, sql, text) in enumerate(_CHECKS):
        for name, account in await reader.rows(sql):
            yield Finding(kind, f"{what} {name}", text, account)
        examination.progress("directory", at + 1, len(_CHECKS))
    for local in SYSTEM_LOCALS:
        for (domain,) in await reader.rows(_SYSTEM, local):
            yield Finding(
                Kind.SYSTEM_ADDRESS,
                f"address {local}@{domain}",
                "every domain must have it, and it is gone (RFC 2142): its mail is refused",
            )
    if not await reader.rows("SELECT 1 FROM directory_head WHERE id = 1"):
        yield Finding(
            Kind.DIRECTORY_HEAD,
            "directory",
            "its counter of changes is gone: servers go on with what they remember",
        )
    for name, next_sql in _NEXT.items():
        row = await reader.row(next_sql)
        if row is None or row[1] >= row[0]:
            yield Finding(
                Kind.NEXT_NUMBERS,
                f"numbers of {name}s",
                "the next one is in use already or not known: nothing new can be made",
            )


async def engine(examination: Examination) -> AsyncIterator[Finding]:
    """What the database says of itself, and whether its schema is this program's."""
    reader = examination.reader
    row = await reader.row("SELECT max(step) FROM migration")
    newest = migrations.steps()[-1][0]
    if row is None or row[0] != newest:
        yield Finding(
            Kind.SCHEMA,
            "schema",
            f"it is at step {row[0] if row else None}, this program knows {newest}",
        )
    if reader.dialect != "sqlite":
        return
    pragma = "integrity_check" if examination.deep else "quick_check"
    try:
        said = [row[0] for row in await reader.rows(f"PRAGMA {pragma}(100)")]
    except StoreError as error:
        said = [str(error)]
    for text in said:
        text = "; ".join(text.splitlines())
        if text != "ok":
            yield Finding(
                Kind.ENGINE,
                "database file",
                f"SQLite finds it damaged ({text}): put a copy back",
            )
    examination.progress("database file", 1, 1)
    for table, *_ in await reader.rows("PRAGMA foreign_key_check"):
        yield Finding(Kind.ENGINE, f"table {table}", "a row names another that is gone")
