-- The service's own word for a checkpoint, as it was answered: NULL of those that
-- came before it had a witness key.
ALTER TABLE checkpoints ADD COLUMN cosignature TEXT CHECK (cosignature <> '');

-- The last checkpoint that a hub signed and that was not shown to continue what was
-- seen of its journal. The one of held entries is kept too, for whoever compares.
CREATE TABLE contradictions (
	hub     BLOB PRIMARY KEY CHECK (length(hub) = 16),
	held    INTEGER NOT NULL CHECK (held >= 0), -- size of the one that is kept
	size    INTEGER NOT NULL CHECK (size >= 0),
	note    BLOB NOT NULL,
	n       INTEGER NOT NULL CHECK (n > 0),
	last_at INTEGER NOT NULL CHECK (last_at > 0)
) STRICT, WITHOUT ROWID;
