-- The column and table of sqlite_3.sql.
ALTER TABLE checkpoints ADD COLUMN cosignature TEXT CHECK (cosignature <> '');

CREATE TABLE contradictions (
	hub     BYTEA PRIMARY KEY CHECK (length(hub) = 16),
	held    BIGINT NOT NULL CHECK (held >= 0),
	size    BIGINT NOT NULL CHECK (size >= 0),
	note    BYTEA NOT NULL,
	n       BIGINT NOT NULL CHECK (n > 0),
	last_at BIGINT NOT NULL CHECK (last_at > 0)
);
