-- Step 20, expand: contacts (RFC 9610). The id of an address book or a card is account * 2^32 + n, as of an
-- email; tombstones tell of those that are gone.

-- A row where an account has contacts, or had.
CREATE TABLE contact_head (
  account INTEGER PRIMARY KEY,
  books   INTEGER NOT NULL,      -- modseq of the last change of an address book
  cards   INTEGER NOT NULL,      -- of a card
  number  INTEGER NOT NULL,      -- cards there are
  octets  INTEGER NOT NULL,      -- of all cards and what is with them
  next    INTEGER NOT NULL       -- number of the next book or card
) STRICT;

CREATE TABLE address_book (
  id        INTEGER PRIMARY KEY,
  account   INTEGER NOT NULL,
  modseq    INTEGER NOT NULL,
  made      INTEGER NOT NULL,    -- modseq at which it was made
  contents  INTEGER NOT NULL,    -- modseq of the last change of what is in it
  shared    INTEGER NOT NULL,    -- of the last change of who may see it
  preferred INTEGER NOT NULL,    -- 1: the account's default
  path      TEXT NOT NULL,       -- its name in CardDAV
  name      TEXT NOT NULL,
  state     BLOB NOT NULL        -- JSON: description, sortOrder, properties that CardDAV clients keep
) STRICT;
CREATE INDEX address_book_modseq ON address_book (account, modseq);

CREATE TABLE address_book_right (
  book    INTEGER NOT NULL,
  grantee INTEGER NOT NULL,
  letters TEXT NOT NULL,         -- of r read, w write, s share, d delete
  PRIMARY KEY (book, grantee)
) STRICT, WITHOUT ROWID;
CREATE INDEX address_book_right_grantee ON address_book_right (grantee);

-- What somebody wishes to see otherwise than by default: one's own books are shown, others' are not.
CREATE TABLE address_book_reader (
  book       INTEGER NOT NULL,
  reader     INTEGER NOT NULL,
  subscribed INTEGER NOT NULL,
  PRIMARY KEY (book, reader)
) STRICT, WITHOUT ROWID;

-- Narrow: what lists and look-ups read.
CREATE TABLE card (
  id         INTEGER PRIMARY KEY,
  account    INTEGER NOT NULL,
  modseq     INTEGER NOT NULL,
  made       INTEGER NOT NULL,   -- modseq at which it was made
  uid        TEXT NOT NULL,
  kind       TEXT NOT NULL,
  given      TEXT NOT NULL,      -- names to sort by, folded
  surname    TEXT NOT NULL,
  surname2   TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  size       INTEGER NOT NULL,   -- octets of content and media
  found      TEXT NOT NULL       -- what it is found by, folded: lines of a letter and a text
) STRICT;
CREATE UNIQUE INDEX card_uid ON card (account, uid);
CREATE INDEX card_modseq ON card (account, modseq);

-- Wide: the card itself, as JSContact.
CREATE TABLE card_content (
  id      INTEGER PRIMARY KEY,
  content BLOB NOT NULL
) STRICT;

-- Photos and the like; n is drawn by lot, so that a name never means other octets.
CREATE TABLE card_media (
  card   INTEGER NOT NULL,
  n      INTEGER NOT NULL,
  kind   TEXT NOT NULL,          -- media type
  octets BLOB NOT NULL,
  PRIMARY KEY (card, n)
) STRICT;

-- In which address books a card is, and was: CardDAV tells names of what is gone.
CREATE TABLE card_place (
  book   INTEGER NOT NULL,
  card   INTEGER NOT NULL,
  modseq INTEGER NOT NULL,       -- of the last change of the card or the place
  made   INTEGER NOT NULL,       -- of its coming
  gone   INTEGER NOT NULL,
  path   TEXT NOT NULL,          -- its name in CardDAV
  PRIMARY KEY (book, card)
) STRICT, WITHOUT ROWID;
CREATE INDEX card_place_card ON card_place (card);
CREATE INDEX card_place_modseq ON card_place (book, modseq);
CREATE INDEX card_place_path ON card_place (book, path);
