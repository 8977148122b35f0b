package store

import (
	"database/sql"
	"errors"
	"path/filepath"
	"testing"
)

// Inside the package: the refusal must be seen to happen, and Open never asks
// for less than FULL.
func TestDurabilityIsReadBack(t *testing.T) {
	for options, durable := range map[string]bool{
		"_journal_mode=WAL&_synchronous=FULL":   true,
		"_journal_mode=WAL&_synchronous=NORMAL": false,
		"_journal_mode=WAL&_sync=OFF":           false,
		"_journal_mode=WAL&_synchronos=FULL":    false, // misspelt: the driver takes its own default
		"_synchronous=FULL":                     false, // a rollback journal
	} {
		t.Run(options, func(t *testing.T) {
			db, err := sql.Open("sqlite3", "file:"+filepath.Join(t.TempDir(), "x.db")+"?"+options)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			err = soundFile(t.Context(), session{db, sqlite.explain})
			if durable && err != nil || !durable && (!errors.Is(err, ErrPowerCut)) {
				t.Errorf("durable %v: %v", durable, err)
			}
		})
	}
}
