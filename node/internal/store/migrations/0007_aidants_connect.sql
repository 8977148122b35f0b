-- Mandates made in Aidants Connect and entered here. A batch is one sending of the
-- form: sent twice, it is entered once.
CREATE TABLE mirrors (
	mandate BLOB NOT NULL PRIMARY KEY REFERENCES mandates (id),
	batch   BLOB NOT NULL CHECK (length(batch) = 16),
	place   INTEGER NOT NULL CHECK (place >= 0), -- in the batch
	UNIQUE (batch, place)
) STRICT;
