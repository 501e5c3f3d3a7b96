-- Step 17, expand: by whom mail goes, by the recipient's domain or by who sends.
-- The password is a secret of the name relay:KIND:NAME.
CREATE TABLE relay (
  kind       TEXT NOT NULL,     -- to: the recipient's domain; from: the sender's address or domain
  name       TEXT NOT NULL,     -- lower case, A-labels
  host       TEXT NOT NULL,     -- '' : the servers of the recipients' domains
  port       INTEGER NOT NULL,
  tls        TEXT NOT NULL,     -- starttls, implicit, none
  verify     INTEGER NOT NULL,  -- 1: its certificate is checked
  login      TEXT NOT NULL,     -- name to sign in with, '' without
  changed_at INTEGER NOT NULL,
  PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;
