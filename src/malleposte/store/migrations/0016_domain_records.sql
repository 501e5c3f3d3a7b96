-- Step 16, expand: what a domain tells the world in the DNS.
ALTER TABLE domain ADD COLUMN mta_sts TEXT NOT NULL DEFAULT 'testing'; -- mode of its policy: none, testing, enforce
ALTER TABLE domain ADD COLUMN mta_sts_mx TEXT NOT NULL DEFAULT '';     -- further servers in it, with spaces between

-- DKIM keys that were destroyed, whose records must stand while mail signed by them is under way.
CREATE TABLE dkim_retired (
  domain     TEXT NOT NULL,
  selector   TEXT NOT NULL,
  record     TEXT NOT NULL,     -- what its TXT record says
  retired_at INTEGER NOT NULL,
  until      INTEGER NOT NULL,  -- its record is needed so long
  PRIMARY KEY (domain, selector)
) STRICT, WITHOUT ROWID;
