package store

import (
	"context"
	"time"
)

// scrubTimeout is how long the writer waits for readers before it puts off
// shortening the log to nothing: everybody who writes waits with it.
const scrubTimeout = 200 * time.Millisecond

// scrub takes what was just erased out of the write-ahead log too, after the
// callers have their answer. An ordinary checkpoint copies the log into the
// database and leaves the old pages in the file until they are written over. A
// reader who still looks at them is not waited for long: the next group tries
// again.
func (db *DB) scrub() {
	if !db.erased {
		return
	}
	err := db.exec("PRAGMA busy_timeout = " + milliseconds(scrubTimeout))
	var busy, pages, moved int
	if err == nil {
		err = db.writer.QueryRowContext(context.Background(), "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &moved)
	}
	if err == nil {
		err = db.exec("PRAGMA busy_timeout = " + milliseconds(busyTimeout))
	}
	switch {
	case err != nil:
		db.log.Warn("what was erased is still in the write-ahead log", "err", err)
	case busy == 0:
		db.erased, db.commits = false, 0
	}
}
