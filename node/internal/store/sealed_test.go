package store_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"relais/node/internal/store"
)

var wrappedKeys = store.Sealed{Table: "persons", Key: "id", Column: "wrapped"}

// header is the beginning of a value sealed under key 1, long enough to pass for
// one.
func header(text string) []byte {
	return append([]byte{1, 0, 0, 0, 1}, bytes.Repeat([]byte(text), 8)...)
}

// TestPutSealed: what is sealed again has no entry in the journal, and nothing else
// gets by with it.
func TestPutSealed(t *testing.T) {
	db, _ := open(t)
	id := [16]byte{7}
	if err := db.Write(t.Context(), func(tx *store.Tx) error {
		return errors.Join(tx.PutPersonKey(id, header("avant")), note(tx))
	}); err != nil {
		t.Fatal(err)
	}
	rows := func() (list []store.SealedRow) {
		err := db.Read(t.Context(), func(r *store.Reader) (err error) {
			list, err = r.SealedRows(wrappedKeys, 2, 0, 10)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	found := rows()
	if len(found) != 1 || !bytes.Equal(found[0].Key.([]byte), id[:]) || !bytes.Equal(found[0].Value, header("avant")) {
		t.Fatalf("under another key than 2: %v", found)
	}
	again := header("après")
	again[4] = 2
	put := func(tx *store.Tx) error { return tx.PutSealed(wrappedKeys, found[0].ID, again) }
	if err := db.Write(t.Context(), put); err != nil {
		t.Errorf("sealed again: %v", err)
	}
	if left := rows(); len(left) != 0 {
		t.Errorf("left under another key than 2: %v", left)
	}
	err := db.Write(t.Context(), func(tx *store.Tx) error {
		if err := put(tx); err != nil {
			return err
		}
		_, err := tx.ErasePersonKey(id)
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "without a journal entry") {
		t.Errorf("a person forgotten in passing: %v", err)
	}
}
