package store_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"relais/node/fault"
	"relais/node/internal/store"
	"relais/node/journal"
)

func TestWrite(t *testing.T) {
	t.Run("one instant", func(t *testing.T) {
		db, _ := open(t)
		err := db.Write(t.Context(), func(tx *store.Tx) error {
			if tx.Now.Location() != time.UTC || tx.Now != tx.Now.Truncate(time.Millisecond) {
				t.Errorf("Now is %v", tx.Now)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	t.Run("an error undoes its own", func(t *testing.T) {
		db, _ := open(t)
		boom := errors.New("boom")
		errs := together(t, db, 8, func(tx *store.Tx, i int) error {
			if err := errors.Join(person(tx, byte(i)), note(tx)); err != nil {
				return err
			}
			if i == 3 {
				return boom
			}
			return nil
		})
		for i, err := range errs {
			if want := i == 3; errors.Is(err, boom) != want || !want && err != nil {
				t.Errorf("caller %d got %v", i, err)
			}
		}
		if got := count(t, db, "persons"); got != 7 {
			t.Errorf("%d rows", got)
		}
		holds(t, db, 7)
	})
	t.Run("a panic undoes its own", func(t *testing.T) {
		db, _ := open(t)
		errs := together(t, db, 8, func(tx *store.Tx, i int) error {
			if err := errors.Join(person(tx, byte(i)), note(tx)); err != nil {
				return err
			}
			if i == 5 {
				panic("boom")
			}
			return nil
		})
		for i, err := range errs {
			var panicked *store.PanicError
			if want := i == 5; errors.As(err, &panicked) != want || !want && err != nil {
				t.Errorf("caller %d got %v", i, err)
			}
		}
		if !fault.Is(errs[5], fault.Internal) {
			t.Errorf("on screen: %v", fault.Of(errs[5]).Code)
		}
		holds(t, db, 7)
	})
	t.Run("ErrClosed", func(t *testing.T) {
		db, _ := open(t)
		db.Close()
		if err := db.Write(t.Context(), note); !errors.Is(err, store.ErrClosed) {
			t.Errorf("Write: %v", err)
		}
		if err := db.Read(t.Context(), func(*store.Reader) error { return nil }); !errors.Is(err, store.ErrClosed) {
			t.Errorf("Read: %v", err)
		}
	})
}

func TestCancelledBeforeStartIsNotRun(t *testing.T) {
	db, _ := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	inside, release := make(chan struct{}), make(chan struct{})
	go db.Write(t.Context(), func(*store.Tx) error { close(inside); <-release; return nil })
	<-inside
	result := make(chan error)
	go func() {
		result <- db.Write(ctx, func(*store.Tx) error { t.Error("it ran"); return nil })
	}()
	time.Sleep(10 * time.Millisecond) // let it queue; either way it must not run
	cancel()
	if err := <-result; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	close(release)
	if err := db.Write(t.Context(), note); err != nil {
		t.Errorf("the next: %v", err)
	}
}

func TestCancelledAfterStartIsKept(t *testing.T) {
	db, _ := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	err := db.Write(ctx, func(tx *store.Tx) error {
		cancel()
		return note(tx)
	})
	if err != nil {
		t.Fatal(err)
	}
	holds(t, db, 1)
}

// In a bubble, time passes only when everybody waits for it: what took none did
// not wait for company.
func TestWaitingForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, _ := open(t)
		defer db.Close()
		took := func(f func()) time.Duration {
			begun := time.Now()
			f()
			return time.Since(begun)
		}
		alone := func() {
			if err := db.Write(t.Context(), note); err != nil {
				t.Error(err)
			}
		}
		for range 20 {
			if d := took(alone); d != 0 {
				t.Fatalf("a writer alone waited %v", d)
			}
		}
		crowd := func() {
			var wait sync.WaitGroup
			for range 8 {
				wait.Go(alone)
			}
			wait.Wait()
		}
		crowd()
		if d := took(alone); d > 2*time.Millisecond {
			t.Errorf("after a crowd, one alone waited %v", d)
		}
		if d := took(alone); d != 0 {
			t.Errorf("and the next %v", d)
		}
	})
}

func TestJournalRule(t *testing.T) {
	db, _ := open(t)
	refused := func(name string, f func(tx *store.Tx) error) {
		t.Helper()
		err := db.Write(t.Context(), f)
		if err == nil || !strings.Contains(err.Error(), "without a journal entry") || !fault.Is(err, fault.Internal) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if err := db.Write(t.Context(), func(tx *store.Tx) error { return errors.Join(person(tx, 1), note(tx)) }); err != nil {
		t.Fatal(err)
	}
	refused("insert", func(tx *store.Tx) error { return person(tx, 2) })
	refused("update", func(tx *store.Tx) error { _, err := tx.ErasePersonKey([16]byte{1}); return err })
	refused("delete", func(tx *store.Tx) error { _, err := tx.Exec("DELETE FROM persons WHERE true"); return err })
	refused("delete all at once", func(tx *store.Tx) error { _, err := tx.Exec("DELETE FROM persons"); return err })
	if n := count(t, db, "persons"); n != 1 {
		t.Errorf("%d rows", n)
	}

	t.Run("an entry of a neighbour does not count", func(t *testing.T) {
		errs := together(t, db, 4, func(tx *store.Tx, i int) error {
			if i%2 == 0 {
				return errors.Join(person(tx, byte(10+i)), note(tx))
			}
			return person(tx, byte(10+i))
		})
		for i, err := range errs {
			if (err != nil) != (i%2 == 1) {
				t.Errorf("caller %d got %v", i, err)
			}
		}
	})
	t.Run("exempt", func(t *testing.T) {
		err := db.Write(t.Context(), func(tx *store.Tx) error {
			return errors.Join(tx.PutJob("pass", tx.Now), tx.PutPeer(store.Peer{}), tx.PutMeta("k", []byte("v")))
		})
		if err != nil {
			t.Error(err)
		}
	})
	t.Run("nothing changed", func(t *testing.T) {
		err := db.Write(t.Context(), func(tx *store.Tx) error {
			_, err := tx.ErasePersonKey([16]byte{99})
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
	t.Run("backstop", func(t *testing.T) {
		before := count(t, db, "persons")
		err := db.Write(t.Context(), func(tx *store.Tx) error {
			if err := person(tx, 77); err != nil {
				return err
			}
			_, err := tx.Exec("COMMIT") // behind the writer's back
			return err
		})
		if err == nil {
			t.Error("committed")
		}
		if n := count(t, db, "persons"); n != before {
			t.Errorf("%d rows, %d before", n, before)
		}
		if err := db.Write(t.Context(), note); err != nil {
			t.Errorf("the next: %v", err)
		}
	})
	t.Run("append-only", func(t *testing.T) {
		for _, text := range []string{"UPDATE journal SET actor = 'x'", "DELETE FROM journal WHERE true", "DELETE FROM journal"} {
			err := db.Write(t.Context(), func(tx *store.Tx) error { _, err := tx.Exec(text); return err })
			if err == nil || !strings.Contains(err.Error(), "append-only") {
				t.Errorf("%s: %v", text, err)
			}
		}
	})
}

// together runs callers that reach the writer while it is busy, so that they
// share a commit.
func together(t *testing.T, db *store.DB, callers int, f func(tx *store.Tx, i int) error) []error {
	t.Helper()
	inside, release := make(chan struct{}), make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		err := db.Write(t.Context(), func(*store.Tx) error { close(inside); <-release; return nil })
		if err != nil && !fault.Is(err, fault.Unavailable) { // the disk may be full for all
			t.Error(err)
		}
	})
	<-inside
	errs := make([]error, callers)
	for i := range callers {
		wait.Go(func() {
			errs[i] = db.Write(t.Context(), func(tx *store.Tx) error { return f(tx, i) })
		})
	}
	time.Sleep(5 * time.Millisecond)
	close(release)
	wait.Wait()
	return errs
}

// A full disk says so, keeps all that was acknowledged and nothing else, and is
// over as soon as there is room again.
func TestFullDisk(t *testing.T) {
	db, path := open(t)
	if err := db.Fill(t.Context(), 20); err != nil {
		t.Fatal(err)
	}
	var acked atomic.Int64
	var refused atomic.Int64
	for range 5 {
		for _, err := range together(t, db, 16, func(tx *store.Tx, _ int) error {
			_, err := tx.AppendJournal(store.JournalRow{
				At: tx.Now, Kind: journal.KindControl, Actor: "machine", Public: make([]byte, 2000),
			})
			return err
		}) {
			switch {
			case err == nil:
				acked.Add(1)
			case fault.Is(err, fault.Unavailable) && strings.Contains(fault.Of(err).Message, "disque du relais est plein"):
				refused.Add(1)
			default:
				t.Errorf("got %v", err)
			}
		}
	}
	if acked.Load() == 0 || refused.Load() == 0 {
		t.Errorf("%d acknowledged, %d refused: the disk was not filled half-way", acked.Load(), refused.Load())
	}
	holds(t, db, acked.Load())
	if err := db.Fill(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if err := db.Write(t.Context(), note); err != nil {
		t.Errorf("with room again: %v", err)
	}
	db.Close()
	holds(t, reopen(t, path, store.Options{}), acked.Load()+1)
}
