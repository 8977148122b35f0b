-- What hubs replicate, and what it says together.

-- Every record this hub holds, once each: one payload is one record. Nothing is
-- removed, except a prefix below a floor.
CREATE TABLE records (
	id          INTEGER PRIMARY KEY,
	hub         BLOB NOT NULL CHECK (length(hub) = 16),
	incarnation INTEGER NOT NULL CHECK (incarnation BETWEEN 0 AND 65535),
	seq         INTEGER NOT NULL CHECK (seq BETWEEN 1 AND 4294967295),
	hash        BLOB NOT NULL CHECK (length(hash) = 32),
	prev        BLOB NOT NULL CHECK (length(prev) = 16),
	kind        INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 255),
	time        INTEGER NOT NULL,
	payload     BLOB NOT NULL CHECK (length(payload) BETWEEN 24 AND 162),
	signature   BLOB CHECK (length(signature) = 64), -- NULL: made here, not yet signed
	received    INTEGER NOT NULL,
	source      BLOB CHECK (length(source) = 16),    -- who handed it over; NULL: made here
	bar         TEXT NOT NULL                        -- why it does not count; '': it does
		CHECK (bar IN ('', 'kind', 'form', 'time', 'author', 'code', 'cut')),
	CHECK (signature IS NOT NULL OR source IS NULL),
	UNIQUE (hub, incarnation, seq, hash)
) STRICT;
CREATE INDEX records_unsigned ON records (id) WHERE signature IS NULL;
CREATE INDEX records_barred ON records (bar) WHERE bar <> '';

-- Per log, how far it is known without a gap, and whether it had two histories.
CREATE TABLE logs (
	hub         BLOB NOT NULL CHECK (length(hub) = 16),
	incarnation INTEGER NOT NULL CHECK (incarnation BETWEEN 0 AND 65535),
	head        INTEGER NOT NULL CHECK (head >= 0), -- highest contiguous signed seq
	hash        BLOB NOT NULL CHECK (length(hash) = 32), -- of the record there; zeros at 0
	forked      INTEGER NOT NULL CHECK (forked >= 0), -- lowest seq with two histories; 0: none
	PRIMARY KEY (hub, incarnation)
) STRICT;

-- The notices that count, with what all records say together of their mandate:
-- whether a line may be used is one row. Two rows for one mandate contradict
-- each other.
CREATE TABLE notices (
	record      INTEGER PRIMARY KEY REFERENCES records (id),
	mandate     BLOB NOT NULL CHECK (length(mandate) = 16),
	structure   BLOB NOT NULL CHECK (length(structure) = 16),
	hub         BLOB NOT NULL CHECK (length(hub) = 16),
	incarnation INTEGER NOT NULL,
	seq         INTEGER NOT NULL,
	lines       INTEGER NOT NULL CHECK (lines BETWEEN 1 AND 32),
	start       INTEGER NOT NULL,
	finish      INTEGER NOT NULL CHECK (finish > start),
	regime      INTEGER NOT NULL CHECK (regime IN (1, 2)),
	stop        BLOB NOT NULL CHECK (length(stop) = 16),    -- commitment to the stop code
	dossier     BLOB NOT NULL CHECK (length(dossier) = 16), -- digest
	subject     BLOB CHECK (length(subject) = 16),
	stopped     INTEGER NOT NULL DEFAULT 0 CHECK (stopped BETWEEN 0 AND 4294967295), -- bit n-1: line n
	all_stopped INTEGER NOT NULL DEFAULT 0 CHECK (all_stopped IN (0, 1)),
	conflict    INTEGER NOT NULL DEFAULT 0 CHECK (conflict IN (0, 1)),
	quarantined INTEGER NOT NULL DEFAULT 0 CHECK (quarantined IN (0, 1))
) STRICT;
CREATE INDEX notices_mandate ON notices (mandate);
CREATE INDEX notices_stop ON notices (stop);
CREATE INDEX notices_structure ON notices (structure, finish);
CREATE INDEX notices_log ON notices (hub, incarnation, seq);

-- The revocations whose form and author are right. They only accumulate.
CREATE TABLE revocations (
	record     INTEGER PRIMARY KEY REFERENCES records (id),
	mandate    BLOB NOT NULL CHECK (length(mandate) = 16),
	lines      INTEGER NOT NULL CHECK (lines BETWEEN 0 AND 4294967295), -- 0: all
	reason     INTEGER NOT NULL,
	channel    INTEGER NOT NULL,
	claimed    INTEGER NOT NULL,
	code       BLOB CHECK (length(code) = 10),
	commitment BLOB CHECK (length(commitment) = 16), -- of the code
	hub        BLOB NOT NULL CHECK (length(hub) = 16),
	received   INTEGER NOT NULL, -- refusals count from here
	elsewhere  INTEGER NOT NULL DEFAULT 0 CHECK (elsewhere IN (0, 1)), -- made at this desk for another structure
	CHECK ((code IS NULL) = (commitment IS NULL))
) STRICT;
CREATE INDEX revocations_mandate ON revocations (mandate);
CREATE INDEX revocations_commitment ON revocations (commitment) WHERE commitment IS NOT NULL;
CREATE INDEX revocations_received ON revocations (received);
CREATE INDEX revocations_elsewhere ON revocations (received) WHERE elsewhere = 1;

-- The cuts by which a structure's mandates end, one row a cut.
CREATE TABLE closes (
	record       INTEGER NOT NULL REFERENCES records (id),
	structure    BLOB NOT NULL CHECK (length(structure) = 16),
	roster_index INTEGER NOT NULL CHECK (roster_index BETWEEN 0 AND 65535),
	hub          BLOB NOT NULL CHECK (length(hub) = 16),
	incarnation  INTEGER NOT NULL,
	seq          INTEGER NOT NULL,
	received     INTEGER NOT NULL,
	PRIMARY KEY (record, roster_index, incarnation)
) STRICT;
CREATE INDEX closes_structure ON closes (structure, hub, incarnation, seq);

-- Suspensions of helpers, and the reinstatements that lift them.
CREATE TABLE suspensions (
	record      INTEGER PRIMARY KEY REFERENCES records (id),
	helper      BLOB NOT NULL CHECK (length(helper) = 16),
	hub         BLOB NOT NULL CHECK (length(hub) = 16),
	incarnation INTEGER NOT NULL,
	seq         INTEGER NOT NULL,
	lifts_hub         BLOB CHECK (length(lifts_hub) = 16), -- NULL: suspends
	lifts_incarnation INTEGER,
	lifts_seq         INTEGER,
	CHECK ((lifts_hub IS NULL) = (lifts_seq IS NULL) AND (lifts_hub IS NULL) = (lifts_incarnation IS NULL))
) STRICT;
CREATE INDEX suspensions_helper ON suspensions (helper);
CREATE INDEX suspensions_lifted ON suspensions (lifts_hub, lifts_incarnation, lifts_seq);

-- Dossiers as sealed to the hubs that serve the structure, ours to hand over.
CREATE TABLE dossiers (
	mandate  BLOB NOT NULL PRIMARY KEY CHECK (length(mandate) = 16),
	sealed   BLOB NOT NULL,
	received INTEGER NOT NULL
) STRICT;
