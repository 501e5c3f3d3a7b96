"""A database of the first schema step with mail in it, as SQL: what later steps must leave as it was.

Two accounts: ada (1) and bob (2), who reads ada's INBOX by a right. Ada's mail: UID 1 seen and marked
deleted, 2 in INBOX and in Archive/Grüße with a keyword, 3 expunged and recoverable. Written by hand, in the
columns of step 1: never to be brought up to date.
"""

from malleposte.delivery.spool import rendered
from malleposte.mime import summarize
from malleposte.store import content
from malleposte.store.dialect import Tx

ADA = 1
INBOX = 4294967297
"""Mailbox 1 of account 1; emails and threads are numbered in the same way."""
LATER = {"mailbox_right": [(ADA, "lrswipkxtea", INBOX)]}
"""Rows that a later step adds, columns in the order of their names: step 7 gives the owner one."""

MESSAGES = (
    b"From: Zoe <zoe@example.com>\r\nSubject: one\r\nMessage-ID: <1@example.com>\r\n\r\nHello\r\n",
    b"From: Zoe <zoe@example.com>\r\nSubject: Re: one\r\nMessage-ID: <2@example.com>\r\n"
    b"In-Reply-To: <1@example.com>\r\n\r\nHello again\r\n",
    b"Subject: three\r\nMessage-ID: <3@example.com>\r\n\r\nGone\r\n",
)
PREFIX = b"Return-Path: <zoe@example.com>\r\n"
SIZES = tuple(len(PREFIX) + len(message) for message in MESSAGES)

_SCRIPT = f"""
INSERT INTO organisation VALUES (1, 'example.org', 1760000000);
INSERT INTO domain VALUES (1, 1, 'example.org', 'active', 1760000000);
INSERT INTO account VALUES
  (1, 1, 'ada@example.org', 'Ada', 'person', 'active', 'fr', 'Europe/Paris', 3, 1760000001),
  (2, 1, 'bob@example.org', '', 'person', 'active', 'en', 'UTC', 1, 1760000002);
INSERT INTO address VALUES
  ('postmaster@example.org', 1, 'system', 1760000000), ('abuse@example.org', 1, 'system', 1760000000),
  ('ada@example.org', 1, 'primary', 1760000001), ('bob@example.org', 1, 'primary', 1760000002),
  ('team@example.org', 1, 'alias', 1760000003);
INSERT INTO address_target VALUES
  ('ada@example.org', 1, ''), ('bob@example.org', 2, ''),
  ('team@example.org', 1, ''), ('team@example.org', 2, '');
INSERT INTO credential VALUES
  (1, 1, 'password', '$argon2id$one', '', '', 1760000001, 1760000500),
  (2, 1, 'password', '$argon2id$two', '', '', 1760000002, NULL);
INSERT INTO role_grant VALUES (2, 'owner', 0, 1760000002, 'local');
UPDATE directory_head SET version = 9;
INSERT INTO account_head VALUES
  (1, 1, 12, 4, 8, 4, 1760000107, {SIZES[0] + SIZES[1]}, 2, 5000000, 0, 0, 0),
  (2, 1, 2, 1, 7, 1, 1760000206, 0, 0, 0, 0, 0, 0);
INSERT INTO mailbox VALUES
  (4294967297, 1, 0, 'INBOX', 'inbox', 1760000101, 4, 1, 1, 2, 11, 12, 2, 1, 1, {SIZES[0] + SIZES[1]}),
  (4294967298, 1, 0, 'Drafts', 'drafts', 1760000102, 1, 1, 2, 2, 2, 2, 0, 0, 0, 0),
  (4294967299, 1, 0, 'Sent', 'sent', 1760000103, 1, 1, 3, 2, 2, 2, 0, 0, 0, 0),
  (4294967300, 1, 0, 'Archive', 'archive', 1760000104, 1, 1, 4, 2, 2, 2, 0, 0, 0, 0),
  (4294967301, 1, 0, 'Junk', 'junk', 1760000105, 1, 1, 5, 2, 2, 2, 0, 0, 0, 0),
  (4294967302, 1, 0, 'Trash', 'trash', 1760000106, 1, 0, 6, 2, 2, 2, 0, 0, 0, 0),
  (4294967303, 1, 4294967300, 'Grüße', NULL, 1760000107, 2, 0, 100, 6, 6, 9, 1, 1, 0, {SIZES[1]}),
  (8589934593, 2, 0, 'INBOX', 'inbox', 1760000201, 1, 1, 1, 2, 2, 2, 0, 0, 0, 0);
INSERT INTO subscription VALUES (1, 'Old/Things');
INSERT INTO mailbox_right VALUES (4294967297, 2, 'lrs');
INSERT INTO keyword VALUES (1, 'todo', 'ToDo', 'To do', 'red', 0, 8);
INSERT INTO membership VALUES
  (4294967297, 1, 4294967297, 1, 1760001001), (4294967297, 2, 4294967298, 0, 1760001002),
  (4294967303, 1, 4294967298, 0, 1760001009);
INSERT INTO reader_seen VALUES (4294967298, 2, 1, 12);
INSERT INTO thread_reference VALUES (1, -4007, 4294967297), (1, 4008, 4294967299);
INSERT INTO tombstone VALUES
  (1, 'uid', 4294967297, 10, 3, 3, 1760001010), (1, 'email', 0, 10, 4294967299, 4294967299, 1760001010),
  (1, 'thread', 0, 10, 4294967299, 4294967299, 1760001010);
INSERT INTO recoverable VALUES (4294967299, 1, 4294967297, 1760001010, 4102444800);
INSERT INTO hold (account, reason, actor, created_at, released_at) VALUES
  (1, 'a matter', 'bob@example.org', 1760001000, NULL);
INSERT INTO trace VALUES (3779571220480001, 1760001001, 'in', 'zoe@example.com', '1@example.com', $1);
INSERT INTO audit (at, actor, operation, target, outcome, details) VALUES
  (1760000001, 'local', 'account.create', 'ada@example.org', 'done', '{{}}');
INSERT INTO secret VALUES ('dkim', $1, 'key', 1760000000);
"""
_EMAILS = (
    # modseq, created_modseq, flags, keywords, thread, mailboxes
    (11, 3, 1 | 4, None, 4294967297, 1),
    (9, 4, 0, "todo", 4294967297, 2),
    (10, 5, 0, None, 4294967299, 0),
)
_NUMBERS = {"blob": 4, "account": 3, "domain": 2, "organisation": 2, "job": 1}


async def fill(tx: Tx) -> None:
    """Fill a database that has step 1 alone."""
    for statement in _SCRIPT.split(";\n"):
        if statement.strip():
            await tx.run(statement, *([b"\0sealed"] if "$1" in statement else []))
    for n, message in enumerate(MESSAGES):
        await _email(tx, n, message)
    for name, following in _NUMBERS.items():
        if tx.dialect == "sqlite":
            await tx.run("UPDATE sequence SET next = $1 WHERE name = $2", following, name)
        else:
            await tx.rows(f"SELECT setval('seq_{name}', {following}, false)")


async def _email(tx: Tx, n: int, message: bytes) -> None:
    modseq, created, flags, keywords, thread, mailboxes = _EMAILS[n]
    made, about = content.in_rows(message), rendered(summarize(message))
    frame = made.frames[0]
    id_ = 4294967297 + n
    rows: dict[str, tuple[object, ...]] = {
        "blob": (n + 1, 1, made.digest, len(message), len(frame), "rows", 1760001000 + n),
        "blob_frame": ((n + 1) * 4096, frame),
        "email": (
            *(id_, 1, modseq, created, flags, keywords, thread, n + 1, SIZES[n]),
            *(1760001000 + n, None, 0, mailboxes),
        ),
        "email_wide": (
            *(id_, PREFIX, about.structure, about.envelope, about.bodystructure),
            *(about.envelope_utf8, about.bodystructure_utf8, about.preview, about.subject),
            *(about.base_subject, about.from_text, about.to_text, about.cc_text, about.bcc_text),
            about.message_id,
        ),
    }
    for table, values in rows.items():
        marks = ", ".join(f"${number}" for number in range(1, len(values) + 1))
        await tx.run(f"INSERT INTO {table} VALUES ({marks})", *values)
