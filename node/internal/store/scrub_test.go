package store_test

import (
	"bytes"
	"errors"
	"os"
	"testing"

	"relais/node/internal/store"
)

// TestErasedFromTheLog: an erased key is in no file of the database. Its twin
// erases the same octets by hand, and they are still in the write-ahead log.
func TestErasedFromTheLog(t *testing.T) {
	id, wrapped := [16]byte{7}, bytes.Repeat([]byte("WRAPPED!"), 12)
	kept := func(t *testing.T, path string) (in []string) {
		t.Helper()
		for _, file := range []string{path, path + "-wal"} {
			octets, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(octets, wrapped) {
				in = append(in, file)
			}
		}
		return in
	}
	write := func(t *testing.T, db *store.DB, f func(tx *store.Tx) error) {
		t.Helper()
		if err := db.Write(t.Context(), func(tx *store.Tx) error { return errors.Join(f(tx), note(tx)) }); err != nil {
			t.Fatal(err)
		}
	}
	put := func(tx *store.Tx) error { return tx.PutPersonKey(id, wrapped) }
	erase := func(tx *store.Tx) error { _, err := tx.ErasePersonKey(id); return err }
	nothing := func(*store.Tx) error { return nil } // once it is done, so is what follows the commit before

	t.Run("erased", func(t *testing.T) {
		db, path := open(t)
		write(t, db, put)
		if len(kept(t, path)) == 0 {
			t.Fatal("it never was there")
		}
		write(t, db, erase)
		write(t, db, nothing)
		if in := kept(t, path); len(in) > 0 {
			t.Errorf("still in %v", in)
		}
	})
	t.Run("while somebody reads", func(t *testing.T) {
		db, path := open(t)
		write(t, db, put)
		err := db.Read(t.Context(), func(r *store.Reader) error {
			if _, found, err := r.PersonKey(id); err != nil || !found {
				t.Errorf("%v, %v", found, err)
			}
			write(t, db, erase)
			write(t, db, nothing)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		write(t, db, nothing)
		write(t, db, nothing)
		if in := kept(t, path); len(in) > 0 {
			t.Errorf("still in %v", in)
		}
	})
	t.Run("by hand", func(t *testing.T) {
		db, path := open(t)
		write(t, db, put)
		write(t, db, func(tx *store.Tx) error {
			_, err := tx.Exec("UPDATE persons SET wrapped = NULL, erased_at = 1")
			return err
		})
		write(t, db, nothing)
		if len(kept(t, path)) == 0 {
			t.Error("the same without the scrub: this test shows nothing")
		}
	})
}
