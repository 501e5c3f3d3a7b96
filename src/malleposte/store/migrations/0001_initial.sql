-- Step 1, expand: the whole first schema.
-- Written in SQLite's dialect; the runner turns the types into PostgreSQL's (see migrations/__init__.py).
-- An id of an email, mailbox or thread is account * 2^32 + n: the account leads every key, and one
-- integer comparison finds a row. Times are Unix seconds unless a column says otherwise.

CREATE TABLE meta (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Numbers that are never given twice, also after rows are gone.
CREATE TABLE sequence (
  name TEXT PRIMARY KEY,
  next INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO sequence (name, next) VALUES ('blob', 1), ('account', 1), ('domain', 1), ('organisation', 1), ('job', 1), ('commit', 1);

-- Who is who ---------------------------------------------------------------------------------------

CREATE TABLE organisation (
  id         INTEGER PRIMARY KEY,
  name       TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE domain (
  id           INTEGER PRIMARY KEY,
  organisation INTEGER NOT NULL REFERENCES organisation (id),
  name         TEXT NOT NULL UNIQUE,           -- A-labels, lower case
  status       TEXT NOT NULL DEFAULT 'active', -- active, suspended
  created_at   INTEGER NOT NULL
) STRICT;

CREATE TABLE account (
  id                 INTEGER PRIMARY KEY,
  organisation       INTEGER NOT NULL REFERENCES organisation (id),
  address            TEXT NOT NULL UNIQUE,           -- the primary address, also the sign-in name
  name               TEXT NOT NULL DEFAULT '',
  kind               TEXT NOT NULL DEFAULT 'person', -- person, shared, resource
  status             TEXT NOT NULL DEFAULT 'active', -- active, suspended, archived, deleted
  locale             TEXT NOT NULL DEFAULT 'en',
  time_zone          TEXT NOT NULL DEFAULT 'UTC',
  credential_version INTEGER NOT NULL DEFAULT 1,     -- grows when anything that signs in changes
  created_at         INTEGER NOT NULL
) STRICT;

-- Every address that receives, and whom it reaches: an account of ours, or a remote address.
CREATE TABLE address (
  address    TEXT PRIMARY KEY,      -- local@domain, normalised
  domain     INTEGER NOT NULL REFERENCES domain (id),
  kind       TEXT NOT NULL,         -- primary, alias, system
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE address_target (
  address TEXT NOT NULL REFERENCES address (address),
  account INTEGER NOT NULL,         -- 0 where the target is remote
  remote  TEXT NOT NULL DEFAULT '', -- '' where the target is an account
  PRIMARY KEY (address, account, remote)
) STRICT, WITHOUT ROWID;
CREATE INDEX address_target_account ON address_target (account);

CREATE TABLE credential (
  account      INTEGER NOT NULL REFERENCES account (id),
  id           INTEGER NOT NULL,
  kind         TEXT NOT NULL,            -- password, app
  hash         TEXT NOT NULL,            -- argon2id, PHC string
  label        TEXT NOT NULL DEFAULT '',
  scope        TEXT NOT NULL DEFAULT '', -- protocols, '' for all
  created_at   INTEGER NOT NULL,
  last_used_at INTEGER,
  PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE role_grant (
  account      INTEGER NOT NULL REFERENCES account (id),
  role         TEXT NOT NULL,              -- owner, administrator, helpdesk, auditor
  organisation INTEGER NOT NULL DEFAULT 0, -- 0: all
  granted_at   INTEGER NOT NULL,
  granted_by   TEXT NOT NULL,
  PRIMARY KEY (account, role, organisation)
) STRICT, WITHOUT ROWID;

-- One row; grows with every change above, so that caches know when to look again.
CREATE TABLE directory_head (
  id      INTEGER PRIMARY KEY,
  version INTEGER NOT NULL
) STRICT;
INSERT INTO directory_head (id, version) VALUES (1, 1);

-- One order of changes per account -----------------------------------------------------------------

CREATE TABLE account_head (
  account          INTEGER PRIMARY KEY,
  organisation     INTEGER NOT NULL,
  modseq           INTEGER NOT NULL,
  next_email       INTEGER NOT NULL,
  next_mailbox     INTEGER NOT NULL,
  next_thread      INTEGER NOT NULL,
  uidvalidity      INTEGER NOT NULL,   -- the last one given to a mailbox
  used_bytes       INTEGER NOT NULL,
  used_emails      INTEGER NOT NULL,
  quota_bytes      INTEGER NOT NULL,   -- 0: none
  quota_level      INTEGER NOT NULL,   -- highest warning sent and not fallen below: 0, 80, 90, 95
  over_quota_since INTEGER NOT NULL,   -- 0: not over
  tombstone_floor  INTEGER NOT NULL    -- tombstones up to this modseq are gone
) STRICT;

CREATE TABLE mailbox (
  id             INTEGER PRIMARY KEY,
  account        INTEGER NOT NULL,
  parent         INTEGER NOT NULL,     -- 0: top
  name           TEXT NOT NULL,        -- one level, NFC
  role           TEXT,                 -- inbox, drafts, sent, archive, junk, trash, …
  uidvalidity    INTEGER NOT NULL,
  uidnext        INTEGER NOT NULL,
  subscribed     INTEGER NOT NULL,
  sort_order     INTEGER NOT NULL,
  created_modseq INTEGER NOT NULL,
  modseq         INTEGER NOT NULL,     -- last change of the mailbox itself
  message_modseq INTEGER NOT NULL,     -- last change of a message in it: IMAP's HIGHESTMODSEQ
  messages       INTEGER NOT NULL,
  unseen         INTEGER NOT NULL,
  deleted        INTEGER NOT NULL,     -- memberships marked \Deleted
  size           INTEGER NOT NULL,
  UNIQUE (account, parent, name)
) STRICT;

-- Names subscribed to that no mailbox has (RFC 9051 §6.3.9: deleting does not unsubscribe).
CREATE TABLE subscription (
  account INTEGER NOT NULL,
  name    TEXT NOT NULL,
  PRIMARY KEY (account, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE mailbox_right (
  mailbox INTEGER NOT NULL,
  grantee INTEGER NOT NULL,            -- an account; 0: anyone who can sign in
  letters TEXT NOT NULL,               -- RFC 4314, sorted
  PRIMARY KEY (mailbox, grantee)
) STRICT, WITHOUT ROWID;
CREATE INDEX mailbox_right_grantee ON mailbox_right (grantee);

CREATE TABLE keyword (
  account    INTEGER NOT NULL,
  name       TEXT NOT NULL,            -- lower case: keywords compare without case
  shown      TEXT NOT NULL,            -- as first written
  title      TEXT NOT NULL DEFAULT '', -- of a label
  colour     TEXT NOT NULL DEFAULT '',
  sort_order INTEGER NOT NULL DEFAULT 0,
  modseq     INTEGER NOT NULL,
  PRIMARY KEY (account, name)
) STRICT, WITHOUT ROWID;

-- Narrow: what lists, flags and views read.
CREATE TABLE email (
  id             INTEGER PRIMARY KEY,
  account        INTEGER NOT NULL,
  modseq         INTEGER NOT NULL,
  created_modseq INTEGER NOT NULL,
  flags          INTEGER NOT NULL,     -- bits, see flags.py
  keywords       TEXT,                 -- other keywords, lower case, sorted, space between; NULL: none
  thread         INTEGER NOT NULL,
  blob           INTEGER NOT NULL,
  size           INTEGER NOT NULL,     -- octets, prefix and content
  received_at    INTEGER NOT NULL,     -- INTERNALDATE
  sent_at        INTEGER,              -- Date header
  attachment     INTEGER NOT NULL,
  mailboxes      INTEGER NOT NULL      -- memberships; 0: destroyed, perhaps recoverable
) STRICT;
CREATE INDEX email_modseq ON email (account, modseq);
CREATE INDEX email_thread ON email (thread);
CREATE INDEX email_blob ON email (blob);

-- Wide: rendered once, sent as it stands.
CREATE TABLE email_wide (
  id                 INTEGER PRIMARY KEY,
  prefix             BLOB NOT NULL,    -- lines before the stored content: Return-Path, Delivered-To …
  structure          BLOB NOT NULL,    -- mime.Summary.structure
  envelope           BLOB NOT NULL,
  bodystructure      BLOB NOT NULL,
  envelope_utf8      BLOB,
  bodystructure_utf8 BLOB,
  preview            TEXT NOT NULL,
  subject            TEXT NOT NULL,
  base_subject       TEXT NOT NULL,
  from_text          TEXT NOT NULL,
  to_text            TEXT NOT NULL,
  cc_text            TEXT NOT NULL,
  bcc_text           TEXT NOT NULL,
  message_id         TEXT
) STRICT;

CREATE TABLE membership (
  mailbox  INTEGER NOT NULL,
  uid      INTEGER NOT NULL,
  email    INTEGER NOT NULL,
  deleted  INTEGER NOT NULL,           -- \Deleted belongs to the membership
  saved_at INTEGER NOT NULL,
  PRIMARY KEY (mailbox, uid)
) STRICT, WITHOUT ROWID;
CREATE INDEX membership_email ON membership (email);

-- \Seen of a reader who is not the owner, only where it differs.
CREATE TABLE reader_seen (
  email  INTEGER NOT NULL,
  reader INTEGER NOT NULL,
  seen   INTEGER NOT NULL,
  modseq INTEGER NOT NULL,             -- from the owner's counter
  PRIMARY KEY (email, reader)
) STRICT, WITHOUT ROWID;

-- A thread is a number emails share; what changed in it is read from its emails.
CREATE TABLE thread_reference (
  account INTEGER NOT NULL,
  hash    INTEGER NOT NULL,            -- of a message-id and the base subject, 64 bits
  thread  INTEGER NOT NULL,
  PRIMARY KEY (account, hash)
) STRICT, WITHOUT ROWID;

-- What is gone. kind: uid (container: mailbox), email, mailbox, thread. first..last: a range of ids.
CREATE TABLE tombstone (
  account   INTEGER NOT NULL,
  kind      TEXT NOT NULL,
  container INTEGER NOT NULL,
  modseq    INTEGER NOT NULL,
  first     INTEGER NOT NULL,
  last      INTEGER NOT NULL,
  at        INTEGER NOT NULL,
  PRIMARY KEY (account, kind, container, modseq, first)
) STRICT, WITHOUT ROWID;
CREATE INDEX tombstone_at ON tombstone (at);

-- Expunged everywhere, kept until `until` unless a hold stands.
CREATE TABLE recoverable (
  email   INTEGER PRIMARY KEY,
  account INTEGER NOT NULL,
  mailbox INTEGER NOT NULL,
  at      INTEGER NOT NULL,
  until   INTEGER NOT NULL
) STRICT;
CREATE INDEX recoverable_until ON recoverable (until);
CREATE INDEX recoverable_account ON recoverable (account);

CREATE TABLE hold (
  id          INTEGER PRIMARY KEY,
  account     INTEGER NOT NULL,
  reason      TEXT NOT NULL,
  actor       TEXT NOT NULL,
  created_at  INTEGER NOT NULL,
  released_at INTEGER
) STRICT;
CREATE INDEX hold_account ON hold (account);

-- Content ------------------------------------------------------------------------------------------

CREATE TABLE blob (
  id           INTEGER PRIMARY KEY,
  organisation INTEGER NOT NULL,
  digest       BLOB NOT NULL,          -- BLAKE2b-256 of the content; never shown to anyone
  size         INTEGER NOT NULL,       -- octets of content
  stored       INTEGER NOT NULL,       -- octets kept
  place        TEXT NOT NULL,          -- rows, file
  touched_at   INTEGER NOT NULL,
  UNIQUE (organisation, digest)
) STRICT;

-- Frame n of a blob has id blob * 4096 + n and holds octets n * 256 KiB … of it.
CREATE TABLE blob_frame (
  id   INTEGER PRIMARY KEY,
  data BLOB NOT NULL                   -- one zstd frame
) STRICT;

-- Content someone holds a name for before an email uses it.
CREATE TABLE upload (
  account INTEGER NOT NULL,
  id      INTEGER NOT NULL,
  blob    INTEGER NOT NULL,
  until   INTEGER NOT NULL,
  PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX upload_blob ON upload (blob);

-- Work, records, safety ----------------------------------------------------------------------------

CREATE TABLE command_result (
  origin INTEGER NOT NULL,             -- one life of one worker
  seq    INTEGER NOT NULL,
  at     INTEGER NOT NULL,
  result BLOB NOT NULL,
  PRIMARY KEY (origin, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE job (
  id         INTEGER PRIMARY KEY,
  kind       TEXT NOT NULL,
  key        TEXT NOT NULL,            -- at most one open job of a kind and key
  payload    BLOB NOT NULL,
  run_at     INTEGER NOT NULL,
  holder     TEXT NOT NULL DEFAULT '',
  epoch      INTEGER NOT NULL DEFAULT 0,
  until      INTEGER NOT NULL DEFAULT 0,
  attempts   INTEGER NOT NULL DEFAULT 0,
  last_error TEXT NOT NULL DEFAULT '',
  UNIQUE (kind, key)
) STRICT;
CREATE INDEX job_run_at ON job (run_at);

CREATE TABLE lease (
  name   TEXT PRIMARY KEY,
  holder TEXT NOT NULL,
  epoch  INTEGER NOT NULL,
  until  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE scheduled_send (
  account INTEGER NOT NULL,
  email   INTEGER NOT NULL,
  send_at INTEGER NOT NULL,
  payload BLOB NOT NULL,
  PRIMARY KEY (account, email)
) STRICT, WITHOUT ROWID;
CREATE INDEX scheduled_send_at ON scheduled_send (send_at);

-- One record a message: connection, verdicts, filing, attempts.
CREATE TABLE trace (
  id         INTEGER PRIMARY KEY,      -- given by the receiving worker: seconds << 31, then its own count
  at         INTEGER NOT NULL,
  direction  TEXT NOT NULL,            -- in, out, local
  sender     TEXT NOT NULL,
  message_id TEXT,
  record     BLOB NOT NULL             -- msgpack, see delivery/receive.py
) STRICT;

CREATE TABLE audit (
  id        INTEGER PRIMARY KEY,
  at        INTEGER NOT NULL,
  actor     TEXT NOT NULL,
  operation TEXT NOT NULL,
  target    TEXT NOT NULL,
  outcome   TEXT NOT NULL,
  details   TEXT NOT NULL              -- JSON, without secrets
) STRICT;
CREATE INDEX audit_at ON audit (at);

CREATE TABLE secret (
  name       TEXT PRIMARY KEY,
  sealed     BLOB NOT NULL,
  key_id     TEXT NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
