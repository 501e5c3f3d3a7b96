-- Step 12, expand: how much is sent, who may send as whom, devices.

-- What left, by hours. kind: 1 an account, 2 a domain.
CREATE TABLE sent (
  kind       INTEGER NOT NULL,
  id         INTEGER NOT NULL,
  hour       INTEGER NOT NULL,     -- since 1970
  messages   INTEGER NOT NULL,
  recipients INTEGER NOT NULL,
  told       INTEGER NOT NULL,     -- 1: in this hour people were told that something is held
  PRIMARY KEY (kind, id, hour)
) STRICT, WITHOUT ROWID;
CREATE INDEX sent_hour ON sent (hour);

-- Limits in place of the configuration's, for some time or for good.
CREATE TABLE send_limit (
  kind       INTEGER NOT NULL,
  id         INTEGER NOT NULL,
  messages   INTEGER NOT NULL,     -- an hour; -1: the configuration's, 0: none
  recipients INTEGER NOT NULL,     -- a day, likewise
  until      INTEGER NOT NULL,     -- 0: for good
  PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

-- Addresses that accounts may send from beside their own.
CREATE TABLE send_right (
  address    TEXT NOT NULL,
  account    INTEGER NOT NULL,
  way        TEXT NOT NULL,        -- as: in its name; behalf: with Sender
  granted_at INTEGER NOT NULL,
  granted_by TEXT NOT NULL,
  PRIMARY KEY (address, account)
) STRICT, WITHOUT ROWID;
CREATE INDEX send_right_account ON send_right (account);

-- Networks from which a device (an account of that kind) sends without a password.
CREATE TABLE device_network (
  account INTEGER NOT NULL,
  network TEXT NOT NULL,
  PRIMARY KEY (account, network)
) STRICT, WITHOUT ROWID;
