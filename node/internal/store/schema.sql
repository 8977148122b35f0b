-- What the migrations lead to: the truth about the schema, compared by a test.
-- After a new migration: go test ./node/internal/store -run TestSchema -update

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

CREATE INDEX accompaniments_open ON accompaniments (structure) WHERE closed = 0;

CREATE INDEX accompaniments_opened ON accompaniments (structure, opened);

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

CREATE TABLE checkpoints (
	size INTEGER PRIMARY KEY CHECK (size > 0),
	note BLOB NOT NULL
) STRICT;

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

CREATE TABLE cosignatures (
	size    INTEGER NOT NULL REFERENCES checkpoints (size),
	witness BLOB NOT NULL CHECK (length(witness) = 16),
	at      INTEGER NOT NULL,
	line    TEXT NOT NULL CHECK (line <> ''),
	PRIMARY KEY (size, witness)
) STRICT;

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
, habilitation TEXT NOT NULL DEFAULT '' CHECK (habilitation IN ('', 'none', 'active', 'ended')), since TEXT NOT NULL DEFAULT '') STRICT;

CREATE INDEX directory_crawl ON directory (crawl) WHERE gone = 0;

CREATE INDEX directory_siret ON directory (siret) WHERE gone = 0;

CREATE TABLE dossiers (
	mandate  BLOB NOT NULL PRIMARY KEY CHECK (length(mandate) = 16),
	sealed   BLOB NOT NULL,
	received INTEGER NOT NULL
) STRICT;

CREATE TABLE drafts (
	accompaniment BLOB NOT NULL PRIMARY KEY REFERENCES accompaniments (id),
	version       INTEGER NOT NULL CHECK (version > 0),
	content       BLOB NOT NULL,
	updated       INTEGER NOT NULL
) STRICT;

CREATE INDEX drafts_updated ON drafts (updated);

CREATE TABLE forgets (
	mandate   BLOB NOT NULL REFERENCES forgotten (mandate),
	hub       BLOB NOT NULL CHECK (length(hub) = 16),
	confirmed INTEGER NOT NULL, -- when it said that it did; 0: not yet
	PRIMARY KEY (mandate, hub)
) STRICT;

CREATE INDEX forgets_awaited ON forgets (hub) WHERE confirmed = 0;

CREATE TABLE forgotten (
	mandate    BLOB NOT NULL PRIMARY KEY CHECK (length(mandate) = 16),
	structure  BLOB NOT NULL CHECK (length(structure) = 16),
	forgetting BLOB NOT NULL CHECK (length(forgetting) = 16),
	source     BLOB CHECK (length(source) = 16), -- the hub that asked; NULL: decided here
	at         INTEGER NOT NULL
) STRICT;

CREATE INDEX forgotten_forgetting ON forgotten (forgetting);

CREATE INDEX forgotten_list ON forgotten (structure, at) WHERE source IS NULL;

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
, login_key INTEGER NOT NULL DEFAULT 1 CHECK (login_key > 0)) STRICT;

CREATE TABLE invitations (
	id        BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
	secret    BLOB NOT NULL UNIQUE CHECK (length(secret) = 32), -- its hash
	site      TEXT NOT NULL,                                    -- whom it is for, as somebody wrote it; may be empty
	made      INTEGER NOT NULL,
	expires   INTEGER NOT NULL CHECK (expires > made),
	withdrawn INTEGER NOT NULL DEFAULT 0,                       -- when; 0: it was not
	hub       BLOB CHECK (length(hub) = 16)                     -- who used it; NULL: nobody
) STRICT;

CREATE TABLE jobs (
	name TEXT NOT NULL PRIMARY KEY,
	last INTEGER NOT NULL
) STRICT;

CREATE TRIGGER journal_is_never_cut BEFORE DELETE ON journal
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

CREATE TRIGGER journal_is_never_edited BEFORE UPDATE ON journal
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

CREATE TABLE journal (
	seq     INTEGER PRIMARY KEY CHECK (seq >= 0),
	at      INTEGER NOT NULL,
	kind    TEXT NOT NULL CHECK (length(kind) BETWEEN 1 AND 64),
	actor   TEXT NOT NULL,
	subject TEXT NOT NULL,
	person  BLOB CHECK (length(person) = 16),
	public  BLOB NOT NULL,
	mac     BLOB CHECK (length(mac) = 32),
	sealed  BLOB,
	hashes  BLOB NOT NULL CHECK (length(hashes) BETWEEN 32 AND 2048 AND length(hashes) % 32 = 0),
	CHECK ((person IS NULL) = (mac IS NULL) AND (mac IS NULL) = (sealed IS NULL))
) STRICT;

CREATE TABLE limits (
	bucket TEXT NOT NULL,
	key    BLOB NOT NULL CHECK (length(key) = 32),
	count  INTEGER NOT NULL CHECK (count >= 0),
	since  INTEGER NOT NULL,
	until  INTEGER NOT NULL,
	PRIMARY KEY (bucket, key)
) STRICT;

CREATE INDEX limits_until ON limits (until);

CREATE TABLE logs (
	hub         BLOB NOT NULL CHECK (length(hub) = 16),
	incarnation INTEGER NOT NULL CHECK (incarnation BETWEEN 0 AND 65535),
	head        INTEGER NOT NULL CHECK (head >= 0), -- highest contiguous signed seq
	hash        BLOB NOT NULL CHECK (length(hash) = 32), -- of the record there; zeros at 0
	forked      INTEGER NOT NULL CHECK (forked >= 0), -- lowest seq with two histories; 0: none
	PRIMARY KEY (hub, incarnation)
) STRICT;

CREATE TRIGGER mandates_tell_of_their_paper AFTER UPDATE OF signed, handed ON mandates BEGIN
	UPDATE notices SET desk = CAST(iif(NEW.signed > 0 AND NEW.handed > 0, '1', '0') || NEW.scopes AS BLOB) WHERE mandate = NEW.id;
END;

CREATE TRIGGER mandates_tell_their_notices AFTER INSERT ON mandates BEGIN
	UPDATE notices SET desk = CAST(iif(NEW.signed > 0 AND NEW.handed > 0, '1', '0') || NEW.scopes AS BLOB) WHERE mandate = NEW.id;
END;

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

CREATE TABLE meta (
	key   TEXT NOT NULL PRIMARY KEY,
	value BLOB NOT NULL
) STRICT;

CREATE TABLE mirrors (
	mandate BLOB NOT NULL PRIMARY KEY REFERENCES mandates (id),
	batch   BLOB NOT NULL CHECK (length(batch) = 16),
	place   INTEGER NOT NULL CHECK (place >= 0), -- in the batch
	UNIQUE (batch, place)
) STRICT;

CREATE TABLE national_list (
	id     INTEGER PRIMARY KEY CHECK (id = 1),
	cursor TEXT NOT NULL,
	crawl  INTEGER NOT NULL
) STRICT;

CREATE TABLE national_passes (
	id         INTEGER PRIMARY KEY,
	at         INTEGER NOT NULL,
	up         INTEGER NOT NULL,
	down       INTEGER NOT NULL,
	drift      INTEGER NOT NULL,
	octets_out INTEGER NOT NULL,
	octets_in  INTEGER NOT NULL,
	error      TEXT NOT NULL
) STRICT;

CREATE TRIGGER notices_learn_of_the_desk AFTER INSERT ON notices BEGIN
	UPDATE notices SET desk = (SELECT CAST(iif(signed > 0 AND handed > 0, '1', '0') || scopes AS BLOB)
		FROM mandates WHERE id = NEW.mandate) WHERE record = NEW.record;
END;

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
, desk BLOB, undated INTEGER NOT NULL DEFAULT 0 CHECK (undated IN (0, 1))) STRICT;

CREATE INDEX notices_log ON notices (hub, incarnation, seq);

CREATE INDEX notices_mandate ON notices (mandate);

CREATE INDEX notices_stop ON notices (stop);

CREATE INDEX notices_structure ON notices (structure, finish);

CREATE TABLE peers (
	hub      BLOB NOT NULL PRIMARY KEY CHECK (length(hub) = 16),
	heard    INTEGER NOT NULL,
	compared INTEGER NOT NULL
) STRICT;

CREATE TABLE persons (
	id        BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
	wrapped   BLOB,
	erased_at INTEGER,
	CHECK ((wrapped IS NULL) = (erased_at IS NOT NULL))
) STRICT;

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

CREATE INDEX records_barred ON records (bar) WHERE bar <> '';

CREATE INDEX records_unsigned ON records (id) WHERE signature IS NULL;

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

CREATE INDEX revocations_commitment ON revocations (commitment) WHERE commitment IS NOT NULL;

CREATE INDEX revocations_elsewhere ON revocations (received) WHERE elsewhere = 1;

CREATE INDEX revocations_mandate ON revocations (mandate);

CREATE INDEX revocations_received ON revocations (received);

CREATE TABLE rosters (
	version INTEGER PRIMARY KEY CHECK (version > 0),
	note    BLOB NOT NULL,
	root    TEXT NOT NULL,   -- the key that signed
	taken   INTEGER NOT NULL -- when this hub took it
) STRICT;

CREATE TABLE secrets (
	key      TEXT NOT NULL PRIMARY KEY,
	value    BLOB NOT NULL,
	size     INTEGER NOT NULL,
	modified INTEGER NOT NULL
) STRICT;

CREATE TABLE sessions (
	token   BLOB NOT NULL PRIMARY KEY CHECK (length(token) = 32),
	data    BLOB NOT NULL,
	expires INTEGER NOT NULL
) STRICT;

CREATE INDEX sessions_expires ON sessions (expires);

CREATE TABLE set_aside (
	key    BLOB NOT NULL PRIMARY KEY CHECK (length(key) = 16),
	named  INTEGER NOT NULL CHECK (named IN (0, 1)), -- key is the structure's identifier
	reason TEXT NOT NULL CHECK (reason <> ''),
	since  INTEGER NOT NULL,
	crawl  INTEGER NOT NULL -- the last that met it
) STRICT;

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

CREATE TABLE witness_refusals (
	witness BLOB NOT NULL PRIMARY KEY CHECK (length(witness) = 16),
	since   INTEGER NOT NULL,
	held    INTEGER NOT NULL CHECK (held >= 0) -- entries of this journal that it saw
) STRICT;

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

CREATE INDEX worklist_noted ON worklist (structure, noted) WHERE done <> 0;

CREATE INDEX worklist_waiting ON worklist (structure, stopped) WHERE done = 0;
