package store_test

import (
	"bufio"
	"flag"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"relais/node/durable/durabletest"
	"relais/node/internal/store"
)

// powerWrites is how many commits a power-cut replay makes: enough for the
// write-ahead log to be moved into the database once.
const powerWrites = 300

// kills is how often TestKill kills a writer.
var kills = flag.Int("kills", 8, "writers killed")

// disk is what would be found after a power cut: the worst that the system may
// do is to have kept nothing of what was not synced.
type disk struct {
	synced  map[string][]byte
	pending map[string][]durabletest.Call
}

func newDisk() *disk { return &disk{make(map[string][]byte), make(map[string][]durabletest.Call)} }

// apply takes one call of the trace.
func (d *disk) apply(c durabletest.Call) {
	if name := filepath.Base(c.Path); name != "relais.db" && name != "relais.db-wal" {
		return // shared memory is rebuilt; the rollback journal lived until the first entry
	}
	switch c.Name {
	case "pwrite64", "ftruncate":
		d.pending[c.Path] = append(d.pending[c.Path], c)
	case "fsync", "fdatasync":
		for _, p := range d.pending[c.Path] {
			d.synced[c.Path] = change(d.synced[c.Path], p)
		}
		d.pending[c.Path] = nil
	}
}

// change returns a file after a call.
func change(file []byte, c durabletest.Call) []byte {
	size := int(c.Number) + len(c.Data)
	if c.Name == "ftruncate" {
		size = int(c.Number)
		file = file[:min(len(file), size)]
	}
	if grow := size - len(file); grow > 0 {
		file = append(file, make([]byte, grow)...)
	}
	copy(file[c.Number:], c.Data)
	return file
}

// after writes the disk into a folder. With chance, each 512-octet sector that
// was written and not synced is there or not, in any order, as a real disk may.
func (d *disk) after(t *testing.T, chance *rand.Rand) string {
	t.Helper()
	dir := t.TempDir()
	for _, path := range slices.Sorted(maps.Keys(d.synced)) {
		left := filepath.Join(dir, filepath.Base(path))
		if err := os.WriteFile(left, d.synced[path], 0o600); err != nil {
			t.Fatal(err)
		}
		if chance != nil {
			scatter(t, left, d.pending[path], chance)
		}
	}
	return filepath.Join(dir, "relais.db")
}

// scatter writes some sectors of what was pending.
func scatter(t *testing.T, path string, pending []durabletest.Call, chance *rand.Rand) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, p := range pending {
		if p.Name != "pwrite64" {
			continue
		}
		for at := 0; at < len(p.Data); at += 512 {
			if chance.IntN(2) == 0 {
				continue
			}
			if _, err := f.WriteAt(p.Data[at:min(at+512, len(p.Data))], p.Number+int64(at)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// found opens what is left and counts the entries, after checking that the tree
// is that of the entries.
func found(t *testing.T, path string) (entries int) {
	t.Helper()
	db, err := store.Open(t.Context(), path, store.Options{})
	if err != nil {
		return 0 // even the schema is gone
	}
	defer db.Close()
	entries = count(t, db, "journal")
	holds(t, db, int64(entries))
	return entries
}

// written is what a child that makes powerWrites commits asks of the disk.
func written(t *testing.T, mode string) []durabletest.Call {
	t.Helper()
	path := filepath.Join(t.TempDir(), "relais.db")
	return traced(t, diskCalls, path, childMode+"="+mode, childWriters+"=1", childWrites+"="+strconv.Itoa(powerWrites))
}

// lostAtCuts replays a child's writes and cuts the power: at every tenth
// acknowledgement, or with chance amid the writes. It returns how many cuts lost
// something acknowledged before.
func lostAtCuts(t *testing.T, calls []durabletest.Call, chance *rand.Rand) (cuts, lossy int) {
	t.Helper()
	d, acked := newDisk(), 0
	for _, c := range calls {
		n, isAck := acknowledgement(c)
		if isAck {
			acked = n
		} else {
			d.apply(c)
		}
		cut := isAck && acked%10 == 0
		if chance != nil {
			cut = acked > 0 && chance.IntN(15) == 0
		}
		if !cut {
			continue
		}
		cuts++
		if found(t, d.after(t, chance)) < acked {
			lossy++
		}
	}
	if cuts < powerWrites/10 {
		t.Fatalf("%d cuts in the trace", cuts)
	}
	return cuts, lossy
}

func acknowledgement(c durabletest.Call) (int, bool) {
	text, found := strings.CutPrefix(string(c.Data), "ack ")
	if c.Name != "write" || !found {
		return 0, false
	}
	n, err := strconv.Atoi(strings.TrimSpace(text))
	return n, err == nil
}

func TestPowerCut(t *testing.T) {
	t.Parallel()
	calls := written(t, "FULL")
	for name, chance := range map[string]*rand.Rand{
		"at an answer": nil,
		"amid writes":  rand.New(rand.NewPCG(26, 11)),
	} {
		t.Run(name, func(t *testing.T) {
			if cuts, lossy := lostAtCuts(t, calls, chance); lossy > 0 {
				t.Errorf("%d of %d cuts lost acknowledged entries", lossy, cuts)
			}
		})
	}
}

// The same cuts must lose something under NORMAL, or the test above would see
// nothing.
func TestPowerCutUnderNormalLoses(t *testing.T) {
	t.Parallel()
	cuts, lossy := lostAtCuts(t, written(t, "NORMAL"), nil)
	t.Logf("%d of %d cuts lost acknowledged entries", lossy, cuts)
	if lossy == 0 {
		t.Errorf("none of %d cuts lost anything under NORMAL", cuts)
	}
}

func TestKill(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "relais.db")
	acked := 0
	for round := range *kills {
		cmd := childCommand(t, "write", path, childWriters+"=4", childWrites+"=1000000")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		kill := sync.OnceFunc(func() {
			time.AfterFunc(time.Duration(20+rand.IntN(80))*time.Millisecond, func() { cmd.Process.Kill() })
		})
		if round%4 == 0 {
			kill() // while it opens, on a slow machine
		}
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			kill()
			text, isAck := strings.CutPrefix(lines.Text(), "ack ")
			n, err := strconv.Atoi(text)
			if !isAck || err != nil {
				t.Fatalf("round %d: the child said %q", round, lines.Text())
			}
			acked = max(acked, n)
		}
		cmd.Wait() // killed
		if entries := found(t, path); entries < acked {
			t.Fatalf("round %d: %d entries, %d acknowledged", round, entries, acked)
		}
	}
	t.Logf("%d acknowledged entries, %d kills, none lost", acked, *kills)
	if acked == 0 {
		t.Error("no child got as far as one entry")
	}
}

func TestSyncs(t *testing.T) {
	t.Parallel()
	if alone := syncsPerWrite(t, 1, 200); alone < 1 || alone > 1.05 {
		t.Errorf("%.3f syncs a write alone, want 1", alone)
	}
	if together := syncsPerWrite(t, 64, 20); together > 0.2 {
		t.Errorf("%.3f syncs a write with 64 writers, want at most 0.2", together)
	}
}
