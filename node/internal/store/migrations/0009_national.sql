-- What the national service says of this hub's journal: a cosignature (C2SP) of a
-- checkpoint, as it came. The time is in it; at is there to be read.
CREATE TABLE cosignatures (
	size    INTEGER NOT NULL REFERENCES checkpoints (size),
	witness BLOB NOT NULL CHECK (length(witness) = 16),
	at      INTEGER NOT NULL,
	line    TEXT NOT NULL CHECK (line <> ''),
	PRIMARY KEY (size, witness)
) STRICT;

-- Who says that this journal is not the continuation of what it saw, until it takes
-- a checkpoint again.
CREATE TABLE witness_refusals (
	witness BLOB NOT NULL PRIMARY KEY CHECK (length(witness) = 16),
	since   INTEGER NOT NULL,
	held    INTEGER NOT NULL CHECK (held >= 0) -- entries of this journal that it saw
) STRICT;
