package store_test

import (
	"path/filepath"
	"testing"

	"relais/node/internal/store"
	"relais/node/journal"
)

func open(t *testing.T) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "relais.db"), store.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestWrite(t *testing.T) {
	db := open(t)
	err := db.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.AppendJournal(store.JournalRow{At: tx.Now, Kind: journal.KindControl, Actor: "machine"})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
