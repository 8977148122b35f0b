-- The tables of sqlite_1.sql, in the words of PostgreSQL; what each is for is
-- said there. schema_version stands for SQLite's user_version.

CREATE TABLE schema_version (
	version BIGINT NOT NULL
);

CREATE TABLE territory (
	id       BIGINT PRIMARY KEY CHECK (id = 1),
	code     TEXT NOT NULL CHECK (length(code) BETWEEN 1 AND 8),
	root_key TEXT NOT NULL CHECK (root_key <> '')
);

CREATE TABLE rosters (
	version     BIGINT PRIMARY KEY CHECK (version > 0),
	note        BYTEA NOT NULL,
	received_at BIGINT NOT NULL CHECK (received_at > 0)
);

CREATE TABLE logs (
	id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	hub         BYTEA NOT NULL CHECK (length(hub) = 16),
	incarnation BIGINT NOT NULL CHECK (incarnation BETWEEN 0 AND 65535),
	seq         BIGINT NOT NULL DEFAULT 0 CHECK (seq >= 0),
	head        BYTEA NOT NULL DEFAULT decode(repeat('00', 32), 'hex') CHECK (length(head) = 32),
	held        BIGINT NOT NULL DEFAULT 0 CHECK (held BETWEEN 0 AND 1024),
	records     BIGINT NOT NULL DEFAULT 0 CHECK (records >= 0),
	notices     BIGINT NOT NULL DEFAULT 0 CHECK (notices >= 0),
	revocations BIGINT NOT NULL DEFAULT 0 CHECK (revocations >= 0),
	forked_at   BIGINT CHECK (forked_at >= 0),
	UNIQUE (hub, incarnation)
);

CREATE TABLE records (
	log         BIGINT NOT NULL REFERENCES logs (id),
	seq         BIGINT NOT NULL CHECK (seq > 0),
	hash        BYTEA NOT NULL CHECK (length(hash) = 32),
	prev        BYTEA NOT NULL CHECK (length(prev) = 16),
	kind        BIGINT NOT NULL CHECK (kind BETWEEN 0 AND 255),
	wire        BYTEA NOT NULL CHECK (length(wire) BETWEEN 1 AND 255),
	received_at BIGINT NOT NULL CHECK (received_at > 0),
	PRIMARY KEY (log, seq, hash)
);

CREATE TABLE checkpoints (
	hub         BYTEA NOT NULL CHECK (length(hub) = 16),
	size        BIGINT NOT NULL CHECK (size >= 0),
	root        BYTEA NOT NULL CHECK (length(root) = 32),
	note        BYTEA NOT NULL,
	received_at BIGINT NOT NULL CHECK (received_at > 0),
	PRIMARY KEY (hub, size)
);

CREATE TABLE refusals (
	hub     BYTEA NOT NULL CHECK (length(hub) = 16),
	reason  TEXT NOT NULL CHECK (reason <> ''),
	n       BIGINT NOT NULL CHECK (n > 0),
	last_at BIGINT NOT NULL CHECK (last_at > 0),
	PRIMARY KEY (hub, reason)
);
