package node_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"relais/hardware/keyring"
	"relais/hardware/soft"
	"relais/node"
	"relais/node/journal"
	"relais/node/seal"
)

// TestReseal: once it is over, nothing in the folder is sealed under the former
// key, no file holds what was, and whoever has that key opens nothing. All works
// before, in the middle and after.
func TestReseal(t *testing.T) {
	k := newKeyed(t)
	if err := k.FillPersons(t.Context(), 300); err != nil { // pages that are filled, split and given back
		t.Fatal(err)
	}
	if err := k.Secrets().Store(t.Context(), "essai/long", bytes.Repeat([]byte(kept), 2000)); err != nil {
		t.Fatal(err)
	}
	former := under(cells(t, k.Options.Dir), 1)
	if in := found(files(t, k.Options.Dir), string(former[0].value[5:])); len(former) < 300 || in == nil {
		t.Fatalf("%d sealed cells, the first in %v: this shows nothing", len(former), in)
	}
	backup := t.TempDir()
	if err := os.CopyFS(backup, os.DirFS(k.Options.Dir)); err != nil {
		t.Fatal(err)
	}
	os.Chmod(filepath.Join(backup, "software.key"), 0o600)
	snapshot := filepath.Join(k.Options.Dir, "snapshots", "schema-0001.db")
	if err := os.MkdirAll(filepath.Dir(snapshot), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(snapshot, former[0].value, 0o600); err != nil {
		t.Fatal(err)
	}
	k.rekeyed(t)
	k.mustWork(t)
	if how, err := k.Rekeying(t.Context()); err != nil || !how.UnderWay || how.Key != 2 || how.Left < 8 {
		t.Errorf("Rekeying() = %+v, %v", how, err)
	}
	if done, err := k.Reseal(t.Context()); done || err != nil {
		t.Fatalf("one pass: done %v, %v", done, err)
	}
	if how, err := k.Rekeying(t.Context()); err != nil || !how.UnderWay || how.Left != 0 {
		t.Errorf("after a pass, Rekeying() = %+v, %v", how, err)
	}
	k.mustWork(t)
	k.finish(t)
	k.mustWork(t)
	k.restart(t)
	k.mustWork(t)

	now := cells(t, k.Options.Dir)
	if left := under(now, 1); len(left) > 0 {
		t.Errorf("%d cells are under the former key, the first in %s", len(left), left[0].column)
	}
	if len(under(now, 2)) < 8 {
		t.Error("nothing is under the new key")
	}
	for path, octets := range files(t, k.Options.Dir) {
		for _, c := range former {
			if bytes.Contains(octets, c.value[5:]) {
				t.Errorf("what was in %s is still in %s", c.column, filepath.Base(path))
			}
		}
	}
	mustOpenNone(t, backup, now)
	for kind, want := range map[journal.Kind]int{journal.KindRekeyBegin: 1, journal.KindRekeyEnd: 1} {
		if got, err := k.CountEntries(t.Context(), kind); err != nil || got != want {
			t.Errorf("%d entries %s, %v; want %d", got, kind, err, want)
		}
	}
	if report, err := node.VerifyFolder(t.Context(), k.Options.Dir); err != nil || !report.OK {
		t.Errorf("the journal: %+v, %v", report, err)
	}
}

// mustOpenNone tries the keys of a backup on every sealed column, whatever key the
// header names. On the backup's own rows it opens them all, so it can.
func mustOpenNone(t *testing.T, backup string, now []cell) {
	t.Helper()
	intruder, err := keyring.Open(backup, soft.New(backup))
	if err != nil {
		t.Fatal(err)
	}
	opens := func(list []cell) (open, tried int) {
		for _, c := range list {
			for _, known := range node.SealedColumns() {
				if known.Table+"."+known.Column != c.column || len(c.value) < seal.Overhead {
					continue
				}
				forged := bytes.Clone(c.value)
				copy(forged[1:], "\x00\x00\x00\x01")
				tried++
				if _, err := intruder.Open(known.Purpose, known.Place(c.key), forged); err == nil {
					open++
				}
			}
		}
		return open, tried
	}
	if open, tried := opens(now); open > 0 || tried < 8 {
		t.Errorf("the former key opens %d of %d values", open, tried)
	}
	if open, _ := opens(cells(t, backup)); open < 8 {
		t.Errorf("the former key opens %d of its own values: this test shows nothing", open)
	}
}

// TestResealCut stops the work at every value, starts again from the disk, and
// finds that all works, at once and to the end.
func TestResealCut(t *testing.T) {
	whole := newKeyed(t)
	whole.rekeyed(t)
	if err := whole.Close(); err != nil {
		t.Fatal(err)
	}
	node.ResealBatches(t, 1)
	for cut := 0; ; cut++ {
		k := whole.elsewhere(t)
		if err := k.Close(); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		k.Options.Sealer = &stopping{Keyring: k.keys, left: cut, stop: stop}
		k.open(t)
		_, err := k.Reseal(ctx)
		over := err == nil
		if !over && !errors.Is(err, context.Canceled) {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		k.restart(t)
		k.mustWork(t)
		k.finish(t)
		k.mustWork(t)
		if n, err := k.CountEntries(t.Context(), journal.KindRekeyEnd); err != nil || n != 1 {
			t.Errorf("cut at %d: %d entries of the end, %v", cut, n, err)
		}
		if left := under(cells(t, k.Options.Dir), 1); len(left) > 0 {
			t.Errorf("cut at %d: %d cells are left, the first in %s", cut, len(left), left[0].column)
		}
		if over {
			if cut < 8 {
				t.Errorf("only %d values were sealed again", cut)
			}
			return
		}
	}
}

// stopping is a keyring that ends the work once it has sealed so much.
type stopping struct {
	*keyring.Keyring
	left int
	stop func()
}

func (s *stopping) Seal(purpose seal.Purpose, at seal.Place, plain []byte) ([]byte, error) {
	if s.left--; s.left <= 0 {
		s.stop()
	}
	return s.Keyring.Seal(purpose, at, plain)
}

// TestResealEnds cuts between the keyring, which forgot, and the journal, which
// does not know yet: the entry is made at the next start, once.
func TestResealEnds(t *testing.T) {
	k := newKeyed(t)
	k.rekeyed(t)
	if _, err := k.Reseal(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := k.keys.Forget(); err != nil {
		t.Fatal(err)
	}
	k.restart(t)
	for range 2 {
		k.finish(t)
		if n, err := k.CountEntries(t.Context(), journal.KindRekeyEnd); err != nil || n != 1 {
			t.Errorf("%d entries of the end, %v", n, err)
		}
	}
	k.mustWork(t)
}

// TestResealKeepsTheKey: a value that opens under no key holds the former key, and
// nothing else. The error names its column and not its row.
func TestResealKeepsTheKey(t *testing.T) {
	k := newKeyed(t)
	k.rekeyed(t)
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(k.Options.Dir, "relais.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`UPDATE secrets SET value = CAST(substr(value, 1, length(value) - 1) || x'00' AS BLOB)`); err != nil {
		t.Fatal(err)
	}
	db.Close()
	k.open(t)
	for range 3 {
		done, err := k.Reseal(t.Context())
		if done || !errors.Is(err, seal.ErrAltered) || !strings.Contains(err.Error(), "secrets.value") || strings.Contains(err.Error(), "essai") {
			t.Fatalf("done %v, %v", done, err)
		}
	}
	if how, err := k.Rekeying(t.Context()); err != nil || !how.UnderWay || how.Left != 1 {
		t.Errorf("Rekeying() = %+v, %v", how, err)
	}
	if left := under(cells(t, k.Options.Dir), 1); len(left) != 1 || left[0].column != "secrets.value" {
		t.Errorf("left: %v", left)
	}
	if err := k.Secrets().Store(t.Context(), "essai/clé", []byte(kept)); err != nil { // the remedy
		t.Fatal(err)
	}
	k.finish(t)
	k.mustWork(t)
}

// TestResealUnnoticed: the hub runs, helpers work without a pause, the key is
// replaced under them, for the second time, and the former one is forgotten. None
// of them notices.
func TestResealUnnoticed(t *testing.T) {
	t.Parallel()
	k := newKeyed(t)
	k.rekeyed(t)
	k.finish(t)
	ctx, stop := context.WithCancel(t.Context())
	var group sync.WaitGroup
	defer group.Wait()
	defer stop()
	group.Go(func() { k.Run(ctx) })
	for i := range 3 {
		group.Go(func() {
			for ctx.Err() == nil {
				if err := k.works(t); err != nil && ctx.Err() == nil {
					t.Error(err)
					return
				}
				name := fmt.Sprint("essai/", i)
				expiry := k.land.clock.Now().Add(time.Hour)
				err := errors.Join(k.Secrets().Store(t.Context(), name, []byte(kept)), k.Sessions().CommitCtx(t.Context(), name, []byte(kept), expiry))
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	k.rekey(t)
	k.KeyReplaced()
	for deadline := time.Now().Add(30 * time.Second); len(k.keys.Epochs()) > 1; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it has no end")
		}
	}
	stop()
	group.Wait()
	now := cells(t, k.Options.Dir)
	for former := range uint32(3) {
		if left := under(now, former); len(left) > 0 {
			t.Errorf("%d cells are lost with key %d, the first in %s", len(left), former, left[0].column)
		}
	}
	k.restart(t)
	k.finish(t) // the entry of its end, if it was stopped before
	k.mustWork(t)
	if n, err := k.CountEntries(t.Context(), journal.KindRekeyEnd); err != nil || n != 2 {
		t.Errorf("%d entries of two ends, %v", n, err)
	}
}
