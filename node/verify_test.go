package node_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"relais/node"
	"relais/node/journal"
)

var (
	everyOctet = flag.Bool("octets", false, "flip every octet of each entry, not eight or so of each of its columns")
	damages    = flag.Int("damages", 200, "damages anywhere in the file")
)

// verifies checks that a folder or a copy holds.
func verifies(t *testing.T, path string, entries, checkpoint int64) {
	t.Helper()
	report, err := node.VerifyFolder(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if !report.OK || report.BadEntry != -1 || report.Problem != "" ||
		report.Entries != entries || report.Checkpoint != checkpoint {
		t.Errorf("%+v", report)
	}
}

// written makes a closed hub whose journal has entries with and without a
// personal part, two checkpoints and a roster, and returns its database file.
func written(t *testing.T) (h *hub, path string, entries int64) {
	t.Helper()
	l := newLand(t)
	h = l.newHub(t, "Valbrume")
	l.enrol(t)
	alma := newPersonID()
	if err := h.NewPerson(t.Context(), alma); err != nil {
		t.Fatal(err)
	}
	for i := range 12 {
		e := node.JournalEntry{
			Kind: journal.KindMandateView, Actor: fmt.Sprintf("a_%d", i), Subject: fmt.Sprintf("m_%d", i),
			Public: map[string]any{"line": i, "why": strings.Repeat("x", i)},
		}
		if i%2 == 0 {
			e.Person, e.Personal = alma, map[string]any{"name": "Alma", "n": i}
		}
		if i == 9 {
			e.Public["long"] = strings.Repeat("overflow", 1000) // pages of its own
		}
		if err := h.Note(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		if i == 4 || i == 9 {
			if _, err := h.Checkpoint(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	return h, filepath.Join(h.Options.Dir, "relais.db"), 15
}

// content is a piece of an entry as it is stored, and the entry.
type content struct {
	entry  int64
	column string
	octets []byte
}

// contentColumns are the journal's that a content is in as it is.
var contentColumns = []string{"kind", "actor", "subject", "person", "public", "mac", "sealed", "hashes"}

// contents reads the stored content of every entry: what a flip must not touch
// unseen. Short texts are left out where they stand in other places too.
func contents(t *testing.T, path string) (list []content) {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+path+"?mode=ro&immutable=1")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, column := range contentColumns {
		rows, err := db.Query("SELECT seq, CAST(" + column + " AS BLOB) FROM journal WHERE " + column + " IS NOT NULL")
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			c := content{column: column}
			if err := rows.Scan(&c.entry, &c.octets); err != nil {
				t.Fatal(err)
			}
			list = append(list, c)
		}
	}
	rows, err := db.Query("SELECT seq, at FROM journal")
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		c := content{column: "at"}
		var at int64
		if err := rows.Scan(&c.entry, &at); err != nil {
			t.Fatal(err)
		}
		c.octets = inSix(at)
		list = append(list, c)
	}
	rows, err = db.Query("SELECT size - 1, note FROM checkpoints")
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		c := content{column: "checkpoint"}
		if err := rows.Scan(&c.entry, &c.octets); err != nil {
			t.Fatal(err)
		}
		list = append(list, c)
	}
	return list
}

func TestVerifyFolder(t *testing.T) {
	h, path, entries := written(t)
	t.Run("closed", func(t *testing.T) { verifies(t, h.Options.Dir, entries, 13) })
	t.Run("a copy of the file", func(t *testing.T) {
		copied := filepath.Join(t.TempDir(), "copy.db")
		copyFile(t, path, copied)
		if err := os.Chmod(filepath.Dir(copied), 0o500); err != nil {
			t.Fatal(err)
		}
		verifies(t, copied, entries, 13)
		if names, _ := filepath.Glob(copied + "?*"); len(names) > 0 {
			t.Errorf("verifying left %v", names)
		}
	})
	t.Run("in use", func(t *testing.T) {
		h.open(t)
		defer h.Close()
		if err := h.Note(t.Context(), node.JournalEntry{Kind: journal.KindControl, Actor: "machine"}); err != nil {
			t.Fatal(err)
		}
		verifies(t, h.Options.Dir, entries+1, 13)
	})
}

// A bit of octets of every entry's stored content is flipped, one at a time, and
// each is named.
func TestAnyFlippedOctetIsNamed(t *testing.T) {
	t.Parallel()
	_, path, _ := written(t)
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	d := newDamagedFile(t, file)
	flips := map[string]int{} // by column
	total := 0
	for _, c := range contents(t, path) {
		at := offsets(t, path, file, c)
		step := 1 + len(at)/8
		if *everyOctet {
			step = 1
		}
		for i := rand.IntN(step); i < len(at); i += step {
			named(t, d, at[i], 1<<rand.IntN(8), c)
			flips[c.column]++
			total++
		}
	}
	t.Logf("%d flips, each named", total)
	for _, column := range append(contentColumns, "at", "checkpoint") {
		if flips[column] < 8 {
			t.Errorf("only %d flips in column %s", flips[column], column)
		}
	}
}

func named(t *testing.T, d *damagedFile, offset int, bit byte, c content) {
	t.Helper()
	report, err := d.verify(t, offset, []byte{bit})
	if err != nil {
		t.Fatal(err)
	}
	if report.OK || report.BadEntry != c.entry || report.Problem == "" {
		t.Errorf("entry %d, %s, octet %d ^ %#x: %+v", c.entry, c.column, offset, bit, report)
	}
}

// damagedFile is a copy of a database, damaged for as long as a verification.
type damagedFile struct {
	*os.File
	whole []byte
}

func newDamagedFile(t *testing.T, whole []byte) *damagedFile {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "relais.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if _, err := f.Write(whole); err != nil {
		t.Fatal(err)
	}
	return &damagedFile{f, whole}
}

// verify verifies the file with the bits of mask flipped.
func (d *damagedFile) verify(t *testing.T, offset int, mask []byte) (node.JournalReport, error) {
	t.Helper()
	sound := d.whole[offset : offset+len(mask)]
	altered := bytes.Clone(sound)
	for i, bits := range mask {
		altered[i] ^= bits
	}
	d.put(t, offset, altered)
	defer d.put(t, offset, sound)
	return node.VerifyFolder(t.Context(), d.Name())
}

func (d *damagedFile) put(t *testing.T, offset int, octets []byte) {
	t.Helper()
	if _, err := d.WriteAt(octets, int64(offset)); err != nil {
		t.Fatal(err)
	}
}

// offsets finds where in the file each octet of a content stands, by asking
// SQLite to read it from a copy in which that octet is changed. Content is
// contiguous but for what overflows, so most are found by searching.
func offsets(t *testing.T, path string, file []byte, c content) (list []int) {
	t.Helper()
	record := row(t, path, c)
	start := bytes.Index(file, record)
	if start < 0 {
		return overflowing(file, c)
	}
	within := bytes.Index(record, c.octets)
	if c.column == "hashes" {
		within = bytes.LastIndex(record, c.octets)
	}
	if len(c.octets) == 0 {
		return nil
	}
	for i := range c.octets {
		list = append(list, start+within+i)
	}
	return list
}

// inSix is how SQLite stores an instant of our time: six octets.
func inSix(ms int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(ms))[2:] }

// row is the stored body of the row that a content belongs to: its columns one
// after the other, as SQLite writes a record. What stands twice in it is found
// at its first place.
func row(t *testing.T, path string, c content) (body []byte) {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+path+"?mode=ro&immutable=1")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if c.column == "checkpoint" {
		return c.octets
	}
	parts := make([][]byte, 9)
	var at int64
	err = db.QueryRow(`SELECT at, CAST(kind AS BLOB), CAST(actor AS BLOB), CAST(subject AS BLOB), coalesce(person, x''),
		public, coalesce(mac, x''), coalesce(sealed, x''), hashes FROM journal WHERE seq = ?`, c.entry).
		Scan(&at, &parts[1], &parts[2], &parts[3], &parts[4], &parts[5], &parts[6], &parts[7], &parts[8])
	if err != nil {
		t.Fatal(err)
	}
	parts[0] = inSix(at)
	return bytes.Join(parts, nil)
}

// overflowing finds the pages of a content that does not fit on one.
func overflowing(file []byte, c content) (list []int) {
	const piece = 64
	for from := 0; from+piece <= len(c.octets); from += piece {
		at := bytes.Index(file, c.octets[from:from+piece])
		if at < 0 || bytes.Count(file, c.octets[from:from+piece]) > 1 {
			continue // cut by the end of a page, or the same as its neighbours
		}
		for i := range piece {
			list = append(list, at+i)
		}
	}
	return list
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Any other damage ends in a report too, or changes nothing that was recorded.
func TestDamageAnywhereIsReported(t *testing.T) {
	t.Parallel()
	_, path, entries := written(t)
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	source := rand.New(rand.NewPCG(1, 1))
	d := newDamagedFile(t, file)
	refused, untouched := 0, 0
	for range *damages {
		offset := source.IntN(len(file))
		size := 1
		if source.IntN(4) == 0 {
			size = min(1+source.IntN(4096), len(file)-offset)
		}
		mask := make([]byte, size)
		for i := range mask {
			mask[i] = byte(1 + source.IntN(255))
		}
		report, err := d.verify(t, offset, mask)
		switch {
		case err != nil: // said clearly: not a database, or half-written
			refused++
		case report.OK && report.Entries != entries:
			t.Errorf("octet %d: %d entries hold", offset, report.Entries)
		case report.OK:
			untouched++
		case report.Problem == "":
			t.Errorf("octet %d: refused without a word", offset)
		default:
			refused++
		}
	}
	t.Logf("%d refused, %d elsewhere than in the journal", refused, untouched)
	if refused == 0 {
		t.Error("nothing was refused")
	}
}

// What a person with the file and no key may try.
func TestForgedJournalIsNamed(t *testing.T) {
	_, path, entries := written(t)
	for _, forged := range []struct {
		name, text string
		bad        int64
	}{
		{"an entry changed", `UPDATE journal SET actor = 'a_other' WHERE seq = 7`, 7},
		{"an entry's time changed", `UPDATE journal SET at = at + 1 WHERE seq = 7`, 7},
		{"a sealed part swapped", `UPDATE journal SET sealed = (SELECT sealed FROM journal WHERE seq = 5) WHERE seq = 7`, 7},
		{"a personal part taken out", `UPDATE journal SET person = NULL, mac = NULL, sealed = NULL WHERE seq = 7`, 7},
		{"a blob made a text", `UPDATE journal SET public = CAST(public AS TEXT) WHERE seq = 7`, 7},
		{"an entry taken out", `DELETE FROM journal WHERE seq = 7`, 7},
		{"two entries swapped", `UPDATE journal SET seq = -1 WHERE seq = 7; UPDATE journal SET seq = 7 WHERE seq = 8; UPDATE journal SET seq = 8 WHERE seq = -1`, 7},
		{"the end cut", `DELETE FROM journal WHERE seq >= 10`, 10},
		{"everything cut", `DELETE FROM journal WHERE true`, 0},
		{"an entry added", `INSERT INTO journal SELECT 15, at, kind, actor, subject, person, public, mac, sealed, hashes FROM journal WHERE seq = 14`, 15},
		{"a checkpoint moved", `UPDATE checkpoints SET size = 9 WHERE size = 8`, 8},
		{"a checkpoint doubled", `INSERT INTO checkpoints SELECT 6, note FROM checkpoints WHERE size = 8`, 5},
		{"another witness", `UPDATE meta SET value = x'0000000000000000000000000000000000000000000000000000000000000000' WHERE key = 'witness'`, -1},
		{"another hub", `UPDATE meta SET value = x'00000000000000000000000000000000' WHERE key = 'hub'`, -1},
		{"no meta", `DELETE FROM meta`, -1},
		{"no hub", `DELETE FROM meta WHERE key = 'hub'`, -1},
	} {
		t.Run(forged.name, func(t *testing.T) {
			copied := filepath.Join(t.TempDir(), "relais.db")
			copyFile(t, path, copied)
			tamper(t, copied, forged.text)
			report, err := node.VerifyFolder(t.Context(), copied)
			if err != nil {
				t.Fatal(err)
			}
			if report.OK || report.BadEntry != forged.bad || report.Problem == "" {
				t.Errorf("%+v", report)
			}
		})
	}
	_ = entries
}

// A forger who also rebuilds the tree is stopped by the checkpoint; one who signs
// it again, by the roster.
func TestRebuiltTreeDoesNotMatchTheCheckpoint(t *testing.T) {
	h, path, _ := written(t)
	t.Run("tree rebuilt", func(t *testing.T) {
		copied := filepath.Join(t.TempDir(), "relais.db")
		copyFile(t, path, copied)
		tamper(t, copied, `UPDATE journal SET actor = 'a_other' WHERE seq = 3`)
		rebuild(t, copied)
		report, err := node.VerifyFolder(t.Context(), copied)
		if err != nil || report.OK || report.BadEntry != 7 || !strings.Contains(report.Problem, "checkpoint") {
			t.Errorf("%+v, %v", report, err)
		}
	})
	t.Run("signed again", func(t *testing.T) {
		copied := filepath.Join(t.TempDir(), "relais.db")
		copyFile(t, path, copied)
		public, private, err := ed25519.GenerateKey(nil)
		if err != nil {
			t.Fatal(err)
		}
		witness, err := journal.NewWitness(journal.Origin("demo", h.Self()), private)
		if err != nil {
			t.Fatal(err)
		}
		signed, err := journal.Checkpoint{Origin: witness.Name(), Size: 8, Root: sha256.Sum256(nil)}.Sign(witness)
		if err != nil {
			t.Fatal(err)
		}
		tamper(t, copied, fmt.Sprintf(`UPDATE meta SET value = x'%x' WHERE key = 'witness'; UPDATE checkpoints SET note = x'%x'`, public, signed))
		report, err := node.VerifyFolder(t.Context(), copied)
		if err != nil || report.OK || !strings.Contains(report.Problem, "roster") {
			t.Errorf("%+v, %v", report, err)
		}
	})
}

// tamper changes a database as its owner's enemy would: without its triggers,
// its checks and its foreign keys.
func tamper(t *testing.T, path, text string) {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+path+"?_journal_mode=DELETE")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	_, err = db.Exec(`PRAGMA ignore_check_constraints = ON; PRAGMA writable_schema = ON;
		DROP TRIGGER journal_is_never_edited; DROP TRIGGER journal_is_never_cut;
		UPDATE sqlite_schema SET sql = replace(sql, ') STRICT', ')'); PRAGMA writable_schema = RESET`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(text); err != nil {
		t.Fatal(err)
	}
}

// rebuild makes the stored hashes those of the entries as they are.
func rebuild(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	rows, err := db.Query(`SELECT at, kind, actor, subject, person, public, mac, sealed FROM journal ORDER BY seq`)
	if err != nil {
		t.Fatal(err)
	}
	var tree journal.Tree
	var hashes [][]byte
	for rows.Next() {
		var at int64
		var e journal.Entry
		var person, mac []byte
		if err := rows.Scan(&at, &e.Kind, &e.Actor, &e.Subject, &person, &e.Public, &mac, &e.Sealed); err != nil {
			t.Fatal(err)
		}
		e.At = time.UnixMilli(at).UTC()
		copy(e.Person[:], person)
		copy(e.MAC[:], mac)
		leaf, err := e.Leaf()
		if err != nil {
			t.Fatal(err)
		}
		hashes = append(hashes, journal.JoinHashes(tree.Append(leaf)))
	}
	rows.Close()
	for seq, text := range hashes {
		if _, err := db.Exec(`UPDATE journal SET hashes = ? WHERE seq = ?`, text, seq); err != nil {
			t.Fatal(err)
		}
	}
}
