-- The list of structures of the territory, with what is decided of them nationally:
-- public, nothing of a person. change numbers the changes of the list: a structure
-- has that of its last one, and one that is gone stays to say so.
CREATE TABLE structures (
	id           BLOB PRIMARY KEY CHECK (length(id) = 16),
	change       INTEGER NOT NULL UNIQUE CHECK (change > 0),
	name         TEXT NOT NULL,
	siret        TEXT NOT NULL,
	commune      TEXT NOT NULL,
	postcode     TEXT NOT NULL,
	address      TEXT NOT NULL,
	habilitation TEXT NOT NULL CHECK (habilitation IN ('none', 'active', 'ended')),
	since        TEXT NOT NULL,
	gone         INTEGER NOT NULL CHECK (gone IN (0, 1))
) STRICT, WITHOUT ROWID;

-- The list itself. name is drawn with it, so that the cursors of one that was lost
-- are told from its own.
CREATE TABLE list (
	id          INTEGER PRIMARY KEY CHECK (id = 1),
	name        BLOB NOT NULL CHECK (length(name) = 8),
	head        INTEGER NOT NULL CHECK (head >= 0),
	imported_at INTEGER NOT NULL CHECK (imported_at > 0)
) STRICT;

-- What a hub last said that it has of the list.
ALTER TABLE sightings ADD COLUMN structures INTEGER CHECK (structures >= 0);
ALTER TABLE sightings ADD COLUMN aside INTEGER CHECK (aside >= 0);
