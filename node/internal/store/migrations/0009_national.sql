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

-- What the national service's list says of a structure beyond the public directory,
-- whose entries have '': an habilitation Aidants Connect, a national decision.
ALTER TABLE directory ADD COLUMN habilitation TEXT NOT NULL DEFAULT '' CHECK (habilitation IN ('', 'none', 'active', 'ended'));
ALTER TABLE directory ADD COLUMN since TEXT NOT NULL DEFAULT ''; -- the day, as the list writes it
CREATE INDEX directory_siret ON directory (siret) WHERE gone = 0;

-- How far that list was followed. It is read under a number of crawls.
CREATE TABLE national_list (
	id     INTEGER PRIMARY KEY CHECK (id = 1),
	cursor TEXT NOT NULL,
	crawl  INTEGER NOT NULL
) STRICT;

-- What of that list could not be read.
CREATE TABLE set_aside (
	key    BLOB NOT NULL PRIMARY KEY CHECK (length(key) = 16),
	named  INTEGER NOT NULL CHECK (named IN (0, 1)), -- key is the structure's identifier
	reason TEXT NOT NULL CHECK (reason <> ''),
	since  INTEGER NOT NULL,
	crawl  INTEGER NOT NULL -- the last that met it
) STRICT;
