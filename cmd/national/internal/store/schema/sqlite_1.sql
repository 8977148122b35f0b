-- What the national service keeps of one territory: the roster, the logs of its
-- hubs as they came, a checkpoint of each journal. Nothing here says who or what
-- for: a record is a small pseudonymous fact, a checkpoint is a hash.

CREATE TABLE territory (
	id       INTEGER PRIMARY KEY CHECK (id = 1),
	code     TEXT NOT NULL CHECK (length(code) BETWEEN 1 AND 8),
	root_key TEXT NOT NULL CHECK (root_key <> '')
) STRICT;

CREATE TABLE rosters (
	version     INTEGER PRIMARY KEY CHECK (version > 0),
	note        BLOB NOT NULL,
	received_at INTEGER NOT NULL CHECK (received_at > 0)
) STRICT;

-- seq is the end of the unbroken log, head its hash up to there as a vector shows
-- it: over all variants when the log had more than one history.
-- held counts the records beyond it. forked_at is the first place known to have
-- two histories.
CREATE TABLE logs (
	id          INTEGER PRIMARY KEY,
	hub         BLOB NOT NULL CHECK (length(hub) = 16),
	incarnation INTEGER NOT NULL CHECK (incarnation BETWEEN 0 AND 65535),
	seq         INTEGER NOT NULL DEFAULT 0 CHECK (seq >= 0),
	head        BLOB NOT NULL DEFAULT (zeroblob(32)) CHECK (length(head) = 32),
	held        INTEGER NOT NULL DEFAULT 0 CHECK (held BETWEEN 0 AND 1024),
	records     INTEGER NOT NULL DEFAULT 0 CHECK (records >= 0),
	notices     INTEGER NOT NULL DEFAULT 0 CHECK (notices >= 0),
	revocations INTEGER NOT NULL DEFAULT 0 CHECK (revocations >= 0),
	forked_at   INTEGER CHECK (forked_at >= 0),
	UNIQUE (hub, incarnation)
) STRICT;

-- Every record once, as it came. Two at one place prove that the log forked.
CREATE TABLE records (
	log         INTEGER NOT NULL REFERENCES logs (id),
	seq         INTEGER NOT NULL CHECK (seq > 0),
	hash        BLOB NOT NULL CHECK (length(hash) = 32),
	prev        BLOB NOT NULL CHECK (length(prev) = 16),
	kind        INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 255),
	wire        BLOB NOT NULL CHECK (length(wire) BETWEEN 1 AND 255),
	received_at INTEGER NOT NULL CHECK (received_at > 0),
	PRIMARY KEY (log, seq, hash)
) STRICT, WITHOUT ROWID;

-- One line a journal and a size; the newest is the one with the largest size.
CREATE TABLE checkpoints (
	hub         BLOB NOT NULL CHECK (length(hub) = 16),
	size        INTEGER NOT NULL CHECK (size >= 0),
	root        BLOB NOT NULL CHECK (length(root) = 32),
	note        BLOB NOT NULL,
	received_at INTEGER NOT NULL CHECK (received_at > 0),
	PRIMARY KEY (hub, size)
) STRICT, WITHOUT ROWID;

-- What was refused, counted by the hub that handed it over and a constant reason.
CREATE TABLE refusals (
	hub     BLOB NOT NULL CHECK (length(hub) = 16),
	reason  TEXT NOT NULL CHECK (reason <> ''),
	n       INTEGER NOT NULL CHECK (n > 0),
	last_at INTEGER NOT NULL CHECK (last_at > 0),
	PRIMARY KEY (hub, reason)
) STRICT, WITHOUT ROWID;
