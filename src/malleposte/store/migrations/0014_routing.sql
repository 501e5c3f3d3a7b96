-- Step 14, expand: where mail goes on to, and groups.
ALTER TABLE organisation ADD COLUMN forwarding TEXT NOT NULL DEFAULT 'inside'; -- inside, anywhere
ALTER TABLE domain ADD COLUMN forwarding TEXT NOT NULL DEFAULT '';             -- the same, '' as the organisation
ALTER TABLE domain ADD COLUMN alias_of INTEGER NOT NULL DEFAULT 0;             -- another name of this domain, 0: of none
ALTER TABLE domain ADD COLUMN relay TEXT NOT NULL DEFAULT '';                  -- host:port of its relayed addresses
ALTER TABLE account ADD COLUMN internal INTEGER NOT NULL DEFAULT 0;            -- 1: no mail from and to outside
ALTER TABLE account ADD COLUMN forward INTEGER NOT NULL DEFAULT 0;             -- 1: with a copy kept, 2: without

-- Where an account's mail goes on to.
CREATE TABLE forward (
  account INTEGER NOT NULL,
  address TEXT NOT NULL,
  PRIMARY KEY (account, address)
) STRICT, WITHOUT ROWID;

-- An address of kind group: what comes to it is given to its members.
CREATE TABLE mail_group (
  address TEXT PRIMARY KEY REFERENCES address (address),
  name    TEXT NOT NULL,              -- as people read it
  senders TEXT NOT NULL,              -- who may write to it: anyone, inside, members, owners
  archive INTEGER NOT NULL DEFAULT 0  -- the shared account that keeps what it got, 0: none
) STRICT, WITHOUT ROWID;

CREATE TABLE group_member (
  mail_group TEXT NOT NULL REFERENCES mail_group (address),
  account    INTEGER NOT NULL,          -- 0 where it is an address
  address    TEXT NOT NULL DEFAULT '',  -- elsewhere, or of another group
  member     INTEGER NOT NULL,
  owner      INTEGER NOT NULL,
  PRIMARY KEY (mail_group, account, address)
) STRICT, WITHOUT ROWID;
CREATE INDEX group_member_account ON group_member (account);
