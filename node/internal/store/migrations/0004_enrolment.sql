-- Enrolment: who was invited, who asks for a place, and every roster that was taken.

CREATE TABLE invitations (
	id        BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
	secret    BLOB NOT NULL UNIQUE CHECK (length(secret) = 32), -- its hash
	site      TEXT NOT NULL,                                    -- whom it is for, as somebody wrote it; may be empty
	made      INTEGER NOT NULL,
	expires   INTEGER NOT NULL CHECK (expires > made),
	withdrawn INTEGER NOT NULL DEFAULT 0,                       -- when; 0: it was not
	hub       BLOB CHECK (length(hub) = 16)                     -- who used it; NULL: nobody
) STRICT;

CREATE TABLE requests (
	hub         BLOB NOT NULL PRIMARY KEY CHECK (length(hub) = 16),
	invitation  BLOB NOT NULL REFERENCES invitations (id),
	text        BLOB NOT NULL CHECK (length(text) <= 16384), -- the request as it came
	received    INTEGER NOT NULL,
	state       TEXT NOT NULL CHECK (state IN ('waiting', 'approved', 'refused')),
	decided     INTEGER NOT NULL,                            -- 0 while it waits
	certificate BLOB,                                        -- of the hub's authority, DER; NULL: none
	CHECK ((state = 'waiting') = (decided = 0)),
	CHECK (certificate IS NULL OR state = 'approved')
) STRICT;

CREATE INDEX requests_state ON requests (state, received);

CREATE TABLE rosters (
	version INTEGER PRIMARY KEY CHECK (version > 0),
	note    BLOB NOT NULL,
	root    TEXT NOT NULL,   -- the key that signed
	taken   INTEGER NOT NULL -- when this hub took it
) STRICT;
