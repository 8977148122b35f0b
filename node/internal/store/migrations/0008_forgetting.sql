-- Mandates whose person was forgotten here: their dossier never comes back, whoever
-- offers it. A forgetting is one decision, of somebody or of time, and may be of
-- several.
CREATE TABLE forgotten (
	mandate    BLOB NOT NULL PRIMARY KEY CHECK (length(mandate) = 16),
	structure  BLOB NOT NULL CHECK (length(structure) = 16),
	forgetting BLOB NOT NULL CHECK (length(forgetting) = 16),
	source     BLOB CHECK (length(source) = 16), -- the hub that asked; NULL: decided here
	at         INTEGER NOT NULL
) STRICT;

CREATE INDEX forgotten_list ON forgotten (structure, at) WHERE source IS NULL;

CREATE INDEX forgotten_forgetting ON forgotten (forgetting);

-- Whom this hub asks to forget them too, being the one that made the mandate.
CREATE TABLE forgets (
	mandate   BLOB NOT NULL REFERENCES forgotten (mandate),
	hub       BLOB NOT NULL CHECK (length(hub) = 16),
	confirmed INTEGER NOT NULL, -- when it said that it did; 0: not yet
	PRIMARY KEY (mandate, hub)
) STRICT;

CREATE INDEX forgets_awaited ON forgets (hub) WHERE confirmed = 0;
