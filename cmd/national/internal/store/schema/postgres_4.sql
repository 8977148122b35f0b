-- The tables and columns of sqlite_4.sql.
CREATE TABLE structures (
	id           BYTEA PRIMARY KEY CHECK (length(id) = 16),
	change       BIGINT NOT NULL UNIQUE CHECK (change > 0),
	name         TEXT NOT NULL,
	siret        TEXT NOT NULL,
	commune      TEXT NOT NULL,
	postcode     TEXT NOT NULL,
	address      TEXT NOT NULL,
	habilitation TEXT NOT NULL CHECK (habilitation IN ('none', 'active', 'ended')),
	since        TEXT NOT NULL,
	gone         BIGINT NOT NULL CHECK (gone IN (0, 1))
);

CREATE TABLE list (
	id          BIGINT PRIMARY KEY CHECK (id = 1),
	name        BYTEA NOT NULL CHECK (length(name) = 8),
	head        BIGINT NOT NULL CHECK (head >= 0),
	imported_at BIGINT NOT NULL CHECK (imported_at > 0)
);

ALTER TABLE sightings ADD COLUMN structures BIGINT CHECK (structures >= 0);
ALTER TABLE sightings ADD COLUMN aside BIGINT CHECK (aside >= 0);
