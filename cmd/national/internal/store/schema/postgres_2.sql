-- The table of sqlite_2.sql.
CREATE TABLE sightings (
	hub         BYTEA PRIMARY KEY CHECK (length(hub) = 16),
	seen_at     BIGINT NOT NULL CHECK (seen_at > 0),
	compared_at BIGINT CHECK (compared_at > 0),
	drift       BIGINT CHECK (drift >= 0),
	CHECK ((compared_at IS NULL) = (drift IS NULL))
);
