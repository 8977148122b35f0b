package store_test

import (
	"path/filepath"
	"testing"
	"time"

	"relais/node/internal/store"
)

// A growing delay slows down, forgives, forgets, and never locks out.
func TestDelay(t *testing.T) {
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	db := reopen(t, filepath.Join(t.TempDir(), "relais.db"), store.Options{Create: true, Now: func() time.Time { return now }})
	delay := store.Delay{Bucket: "test", Free: 2, First: time.Second, Max: 4 * time.Second, Forget: time.Minute}
	alice, bob := store.Attempted{Delay: delay, Key: [32]byte{1}}, store.Attempted{Delay: delay, Key: [32]byte{2}}
	attempt := func(who ...store.Attempted) (wait time.Duration) {
		t.Helper()
		if err := db.Write(t.Context(), func(tx *store.Tx) (err error) { wait, err = tx.Attempt(who...); return err }); err != nil {
			t.Fatal(err)
		}
		return wait
	}
	want := func(got, want time.Duration) {
		t.Helper()
		if got != want {
			t.Errorf("asked to wait %s, want %s", got, want)
		}
	}
	want(attempt(alice), 0)
	want(attempt(alice), 0)
	want(attempt(alice), 0)
	for _, wait := range []time.Duration{1, 2, 4, 4, 4} {
		want(attempt(alice), wait*time.Second)
		want(attempt(alice), wait*time.Second) // asking again costs nothing
		want(attempt(bob, alice), wait*time.Second)
		now = now.Add(wait * time.Second)
		want(attempt(alice), 0)
	}
	want(attempt(bob), 0) // the refused ones did not count for bob
	want(attempt(bob), 0)

	if err := db.Write(t.Context(), func(tx *store.Tx) error { return tx.Forgive(alice) }); err != nil {
		t.Fatal(err)
	}
	want(attempt(alice), 0)
	for range 4 {
		attempt(bob)
	}
	now = now.Add(time.Minute)
	want(attempt(bob), 0)
	want(attempt(bob), 0)
	want(attempt(bob), 0)
	now = now.Add(-time.Hour)
	want(attempt(bob), 0) // a clock set back makes nobody wait
}
