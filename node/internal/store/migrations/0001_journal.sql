-- The ground of a hub: what it is, its journal, the keys of persons, and the
-- small tables of the machinery.

-- What this hub is: identity, territory, pinned root, sealed keys.
CREATE TABLE meta (
	key   TEXT NOT NULL PRIMARY KEY,
	value BLOB NOT NULL
) STRICT;

-- One row an entry. hashes holds the tree hashes that the entry completes,
-- lowest level first (x/mod/sumdb/tlog's stored hashes), so that an entry and
-- its place in the tree are one row, one page and one write.
CREATE TABLE journal (
	seq     INTEGER PRIMARY KEY CHECK (seq >= 0),
	at      INTEGER NOT NULL,
	kind    TEXT NOT NULL CHECK (length(kind) BETWEEN 1 AND 64),
	actor   TEXT NOT NULL,
	subject TEXT NOT NULL,
	person  BLOB CHECK (length(person) = 16),
	public  BLOB NOT NULL,
	mac     BLOB CHECK (length(mac) = 32),
	sealed  BLOB,
	hashes  BLOB NOT NULL CHECK (length(hashes) BETWEEN 32 AND 2048 AND length(hashes) % 32 = 0),
	CHECK ((person IS NULL) = (mac IS NULL) AND (mac IS NULL) = (sealed IS NULL))
) STRICT;

CREATE TRIGGER journal_is_never_edited BEFORE UPDATE ON journal
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

CREATE TRIGGER journal_is_never_cut BEFORE DELETE ON journal
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

-- Signed tree heads, by number of entries.
CREATE TABLE checkpoints (
	size INTEGER PRIMARY KEY CHECK (size > 0),
	note BLOB NOT NULL
) STRICT;

-- Each person's own key, wrapped. Forgetting her is writing NULL here.
CREATE TABLE persons (
	id        BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
	wrapped   BLOB,
	erased_at INTEGER,
	CHECK ((wrapped IS NULL) = (erased_at IS NOT NULL))
) STRICT;

-- Certificates and their keys, sealed.
CREATE TABLE secrets (
	key      TEXT NOT NULL PRIMARY KEY,
	value    BLOB NOT NULL,
	size     INTEGER NOT NULL,
	modified INTEGER NOT NULL
) STRICT;

-- Sessions of the desk: SHA-256 of the token, data sealed.
CREATE TABLE sessions (
	token   BLOB NOT NULL PRIMARY KEY CHECK (length(token) = 32),
	data    BLOB NOT NULL,
	expires INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_expires ON sessions (expires);

-- When each peer was last heard, and last compared with.
CREATE TABLE peers (
	hub      BLOB NOT NULL PRIMARY KEY CHECK (length(hub) = 16),
	heard    INTEGER NOT NULL,
	compared INTEGER NOT NULL
) STRICT;

-- Last success of each scheduled job.
CREATE TABLE jobs (
	name TEXT NOT NULL PRIMARY KEY,
	last INTEGER NOT NULL
) STRICT;

-- Growing delays and quotas. key is a keyed hash: who is being slowed down is
-- not written.
CREATE TABLE limits (
	bucket TEXT NOT NULL,
	key    BLOB NOT NULL CHECK (length(key) = 32),
	count  INTEGER NOT NULL CHECK (count >= 0),
	since  INTEGER NOT NULL,
	until  INTEGER NOT NULL,
	PRIMARY KEY (bucket, key)
) STRICT;
CREATE INDEX limits_until ON limits (until);

-- Outcomes of reconciliations with the national service.
CREATE TABLE national_passes (
	id         INTEGER PRIMARY KEY,
	at         INTEGER NOT NULL,
	up         INTEGER NOT NULL,
	down       INTEGER NOT NULL,
	drift      INTEGER NOT NULL,
	octets_out INTEGER NOT NULL,
	octets_in  INTEGER NOT NULL,
	error      TEXT NOT NULL
) STRICT;
