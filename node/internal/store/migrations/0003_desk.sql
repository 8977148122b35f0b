-- The desk: accounts, visits, drafts, mandates and acts. Names, births, contacts,
-- services, notes and stop codes are sealed; what is left in clear is what rules
-- and lists need: identifiers, instants, flags, and the scope of each line.

-- Accounts of this hub.
CREATE TABLE helpers (
	id        BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
	structure BLOB NOT NULL CHECK (length(structure) = 16),
	role      TEXT NOT NULL CHECK (role IN ('aidant', 'referent', 'departement')),
	login     BLOB NOT NULL UNIQUE CHECK (length(login) = 32), -- keyed hash
	name      BLOB NOT NULL, -- sealed
	verifier  BLOB NOT NULL, -- sealed: Argon2id of the passphrase
	seed      BLOB NOT NULL, -- sealed: TOTP
	last_step INTEGER NOT NULL, -- of TOTP, the last used
	suspended INTEGER NOT NULL, -- since when, on this hub; 0: it is not
	created   INTEGER NOT NULL
) STRICT;

-- Visits. A visit has a person once it led to a mandate.
CREATE TABLE accompaniments (
	id        BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
	structure BLOB NOT NULL CHECK (length(structure) = 16),
	helper    BLOB NOT NULL REFERENCES helpers (id),
	posture   TEXT NOT NULL CHECK (posture IN ('forme', 'accompagne', 'fais')),
	theme     TEXT NOT NULL CHECK (theme IN ('', 'papiers', 'famille', 'social', 'travail', 'logement',
		'transports', 'argent', 'justice', 'etranger', 'loisirs')),
	person    BLOB REFERENCES persons (id),
	opened    INTEGER NOT NULL,
	closed    INTEGER NOT NULL CHECK (closed = 0 OR closed >= opened)
) STRICT;
CREATE INDEX accompaniments_opened ON accompaniments (structure, opened);
CREATE INDEX accompaniments_open ON accompaniments (structure) WHERE closed = 0;

-- A mandate being drawn up: the whole form, sealed.
CREATE TABLE drafts (
	accompaniment BLOB NOT NULL PRIMARY KEY REFERENCES accompaniments (id),
	version       INTEGER NOT NULL CHECK (version > 0),
	content       BLOB NOT NULL,
	updated       INTEGER NOT NULL
) STRICT;
CREATE INDEX drafts_updated ON drafts (updated);

-- Mandates of the structures this hub serves, made here or received. Whether one
-- may be used is computed from its notice and these, never stored.
CREATE TABLE mandates (
	id            BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
	structure     BLOB NOT NULL CHECK (length(structure) = 16),
	person        BLOB NOT NULL REFERENCES persons (id),
	accompaniment BLOB UNIQUE REFERENCES accompaniments (id), -- NULL when received
	regime        INTEGER NOT NULL CHECK (regime IN (1, 2)),
	scopes        BLOB NOT NULL CHECK (length(scopes) BETWEEN 1 AND 32), -- an octet a line
	start         INTEGER NOT NULL,
	finish        INTEGER NOT NULL CHECK (finish > start),
	printed       INTEGER NOT NULL,
	signed        INTEGER NOT NULL, -- when it was confirmed on this hub; 0: awaited
	handed        INTEGER NOT NULL,
	stop_code     BLOB,             -- sealed; gone once the copy is handed over
	content       BLOB NOT NULL,    -- the dossier, sealed under the person's key
	CHECK ((signed = 0) = (handed = 0)),
	CHECK (signed = 0 OR stop_code IS NULL)
) STRICT;
CREATE INDEX mandates_list ON mandates (structure, start, id);

-- Whether a line may be used is asked at each act and on each page, so what it
-- takes stands in one narrow row: beside the notice, '1' when both copies are
-- signed and one handed over, else '0', then the scope of each line; NULL without
-- the dossier. Triggers keep it, in whatever order notice and dossier come.
ALTER TABLE notices ADD COLUMN desk BLOB;
CREATE TRIGGER notices_learn_of_the_desk AFTER INSERT ON notices BEGIN
	UPDATE notices SET desk = (SELECT CAST(iif(signed > 0 AND handed > 0, '1', '0') || scopes AS BLOB)
		FROM mandates WHERE id = NEW.mandate) WHERE record = NEW.record;
END;
CREATE TRIGGER mandates_tell_their_notices AFTER INSERT ON mandates BEGIN
	UPDATE notices SET desk = CAST(iif(NEW.signed > 0 AND NEW.handed > 0, '1', '0') || NEW.scopes AS BLOB) WHERE mandate = NEW.id;
END;
CREATE TRIGGER mandates_tell_of_their_paper AFTER UPDATE OF signed, handed ON mandates BEGIN
	UPDATE notices SET desk = CAST(iif(NEW.signed > 0 AND NEW.handed > 0, '1', '0') || NEW.scopes AS BLOB) WHERE mandate = NEW.id;
END;

-- What was done under a mandate.
CREATE TABLE acts (
	id       BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
	mandate  BLOB NOT NULL REFERENCES mandates (id),
	line     INTEGER NOT NULL CHECK (line BETWEEN 1 AND 32),
	helper   BLOB NOT NULL REFERENCES helpers (id),
	channel  TEXT NOT NULL CHECK (channel IN ('online', 'phone', 'paper', 'email', 'desk')),
	present  INTEGER NOT NULL CHECK (present IN (0, 1)),
	signs_in INTEGER NOT NULL CHECK (signs_in IN (0, 1)),
	pays     INTEGER NOT NULL CHECK (pays IN (0, 1)),
	note     BLOB, -- sealed under the person's key; NULL when there is none
	at       INTEGER NOT NULL
) STRICT;
CREATE INDEX acts_mandate ON acts (mandate, at);
