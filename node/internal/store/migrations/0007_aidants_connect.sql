-- Mandates made in Aidants Connect and entered here. A batch is one sending of the
-- form: sent twice, it is entered once.
CREATE TABLE mirrors (
	mandate BLOB NOT NULL PRIMARY KEY REFERENCES mandates (id),
	batch   BLOB NOT NULL CHECK (length(batch) = 16),
	place   INTEGER NOT NULL CHECK (place >= 0), -- in the batch
	UNIQUE (batch, place)
) STRICT;

-- What was stopped here and is still active in Aidants Connect: for a person to stop
-- there. The one hub that keeps an item is found from the roster.
CREATE TABLE worklist (
	id        BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
	mandate   BLOB NOT NULL CHECK (length(mandate) = 16),
	structure BLOB NOT NULL CHECK (length(structure) = 16),
	lines     INTEGER NOT NULL CHECK (lines BETWEEN 0 AND 4294967295), -- 0: all
	stopped   INTEGER NOT NULL, -- when the stop was made
	due       INTEGER NOT NULL CHECK (due > stopped),
	ends      INTEGER NOT NULL, -- when it is over there by itself
	done      INTEGER NOT NULL, -- the day on which it was stopped there, as somebody said; 0: not yet
	noted     INTEGER NOT NULL, -- when she said so
	noted_by  BLOB REFERENCES helpers (id),
	CHECK ((done = 0) = (noted = 0) AND (noted = 0) = (noted_by IS NULL)),
	UNIQUE (mandate, lines)
) STRICT;

CREATE INDEX worklist_waiting ON worklist (structure, stopped) WHERE done = 0;

CREATE INDEX worklist_noted ON worklist (structure, noted) WHERE done <> 0;

-- The public directory of Aidants Connect, as it was last read, page after page.
CREATE TABLE crawls (
	number INTEGER PRIMARY KEY CHECK (number > 0),
	began  INTEGER NOT NULL,
	page   INTEGER NOT NULL CHECK (page >= 0), -- the last one taken
	ended  INTEGER NOT NULL,                   -- 0: under way
	total  INTEGER NOT NULL CHECK (total >= 0) -- what the directory said it holds
) STRICT;

CREATE TABLE directory (
	id       BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16), -- its own identifier
	name     TEXT NOT NULL,
	commune  TEXT NOT NULL,
	postcode TEXT NOT NULL,
	address  TEXT NOT NULL,
	siret    TEXT NOT NULL,
	modified TEXT NOT NULL, -- as the directory writes it
	folded   TEXT NOT NULL, -- what is searched: name, commune and postcode without case or accents
	crawl    INTEGER NOT NULL, -- the last that met it
	gone     INTEGER NOT NULL  -- since when it is not there; 0: it is
) STRICT;

CREATE INDEX directory_crawl ON directory (crawl) WHERE gone = 0;
