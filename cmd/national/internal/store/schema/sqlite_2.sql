-- When a hub last asked for anything, and what it said it holds when it last
-- compared: drift counts the records that one side had and the other had not.
CREATE TABLE sightings (
	hub         BLOB PRIMARY KEY CHECK (length(hub) = 16),
	seen_at     INTEGER NOT NULL CHECK (seen_at > 0),
	compared_at INTEGER CHECK (compared_at > 0),
	drift       INTEGER CHECK (drift >= 0),
	CHECK ((compared_at IS NULL) = (drift IS NULL))
) STRICT, WITHOUT ROWID;
