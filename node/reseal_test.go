package node_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"relais/hardware/keyring"
	"relais/hardware/soft"
	"relais/node"
	"relais/node/fault"
	"relais/node/journal"
	"relais/node/mandate"
	"relais/node/mediation"
	"relais/node/people"
	"relais/node/seal"
)

// keyed is a desk whose keys are in its folder, with something in every sealed
// column.
type keyed struct {
	*desk
	keys    *keyring.Keyring
	mandate mandate.ID
	visit   mediation.AccompanimentID // whose draft is not finished
}

const (
	session  = "le jeton d’une session"
	kept     = "ce qu’une session garde"
	password = "plantation secrete de sauge"
)

func newKeyed(t testing.TB) *keyed {
	t.Helper()
	l := newLand(t)
	dir := t.TempDir()
	keys := newRing(t, dir)
	h := &hub{site: "Valbrume", Options: node.Options{Dir: dir, Sealer: keys, Signer: keys.Identity(), Now: l.clock.Now}}
	if _, err := node.Create(t.Context(), h.Options, node.Birth{Territory: "demo", RootKey: l.rootKey, Name: h.site}); err != nil {
		t.Fatal(err)
	}
	h.open(t)
	t.Cleanup(func() { h.Close() })
	l.hubs = append(l.hubs, h)
	l.enrol(t)
	k := &keyed{desk: l.keyedDesk(t, h), keys: keys}
	k.mandate, k.visit = k.signed(t), k.drafted(t)
	if err := k.Secrets().Store(t.Context(), "essai/clé", []byte(kept)); err != nil {
		t.Fatal(err)
	}
	if err := k.Sessions().CommitCtx(t.Context(), session, []byte(kept), l.clock.Now().Add(8*time.Hour)); err != nil {
		t.Fatal(err)
	}
	return k
}

func (l *land) keyedDesk(t testing.TB, h *hub) *desk {
	t.Helper()
	e, err := h.EnrolHelper(t.Context(), nil, node.NewHelper{
		Login: "camille", Passphrase: password, Structure: l.office, Name: people.Name{Given: "Camille", Family: "Exemple"},
	})
	if err != nil {
		t.Fatal(err)
	}
	by, err := h.Actor(t.Context(), e.Helper)
	if err != nil {
		t.Fatal(err)
	}
	return &desk{hub: h, land: l, by: by, enrol: e}
}

// rekey replaces the key under the running hub.
func (k *keyed) rekey(t testing.TB) {
	t.Helper()
	if err := k.keys.Rekey(keyring.NewRecoveryCode()); err != nil {
		t.Fatal(err)
	}
}

// rekeyed replaces the key of newKeyed while the hub is stopped, and starts it.
func (k *keyed) rekeyed(t testing.TB) {
	t.Helper()
	k.stop(t)
	k.start(t, rekeyRing(t, k.Options.Dir))
}

// restart closes all and opens it from the disk, keys included.
func (k *keyed) restart(t testing.TB) {
	t.Helper()
	k.stop(t)
	k.start(t, openRing(t, k.Options.Dir))
}

func (k *keyed) stop(t testing.TB) {
	t.Helper()
	if err := errors.Join(k.Close(), k.keys.Close()); err != nil {
		t.Fatal(err)
	}
}

func (k *keyed) start(t testing.TB, keys *keyring.Keyring) {
	t.Helper()
	k.keys, k.Options.Sealer, k.Options.Signer = keys, keys, keys.Identity()
	k.open(t)
}

// elsewhere is the hub in a copy of its folder.
func (k *keyed) elsewhere(t testing.TB) *keyed {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "copie")
	if err := os.CopyFS(dir, os.DirFS(k.Options.Dir)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"software.key", "software.next.key"} {
		os.Chmod(filepath.Join(dir, name), 0o600)
	}
	d := *k.desk
	h := *k.hub
	d.hub, h.Options.Dir = &h, dir
	c := &keyed{desk: &d, mandate: k.mandate, visit: k.visit}
	c.start(t, openRing(t, dir))
	t.Cleanup(func() { c.Close() })
	return c
}

// finish seals all again.
func (k *keyed) finish(t testing.TB) {
	t.Helper()
	for range 10 {
		done, err := k.Reseal(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if done {
			return
		}
	}
	t.Fatal("it has no end")
}

// mustWork uses every sealed column: nobody notices a thing.
func (k *keyed) mustWork(t testing.TB) {
	t.Helper()
	if err := k.works(t); err != nil {
		t.Error(err)
	}
	if _, err := k.SignIn(t.Context(), "camille", password, k.code(t), "203.0.113.7"); err != nil {
		t.Errorf("sign-in: %v", err)
	}
	if _, err := k.EnrolHelper(t.Context(), nil, node.NewHelper{
		Login: "camille", Structure: k.land.office, Name: people.Name{Given: "Camille", Family: "Autre"},
	}); !fault.Is(err, fault.Conflict) {
		t.Errorf("a login that is taken: %v, want Conflict", err)
	}
	if _, err := k.Checkpoint(t.Context()); err != nil {
		t.Errorf("checkpoint: %v", err)
	}
}

// works is what a helper who is signed in does, all the time.
func (k *keyed) works(t testing.TB) error {
	data, found, err := k.Sessions().FindCtx(t.Context(), session)
	if err != nil || !found || string(data) != kept {
		return fmt.Errorf("session: %q, %v, %w", data, found, err)
	}
	secret, err := k.Secrets().Load(t.Context(), "essai/clé")
	if err != nil || string(secret) != kept {
		return fmt.Errorf("secret: %q, %w", secret, err)
	}
	by, err := k.Actor(t.Context(), k.by.Helper)
	if err != nil || by.Name.Given != "Camille" {
		return fmt.Errorf("actor: %v, %w", by.Name, err)
	}
	view, err := k.Mandate(t.Context(), by, k.mandate)
	if err != nil || view.Mandate.Beneficiary.Name.Family != "Le Goff" {
		return fmt.Errorf("mandate: %w", err)
	}
	draft, err := k.Draft(t.Context(), by, k.visit)
	if err != nil || draft.Person.Name.Family != "Le Goff" {
		return fmt.Errorf("draft: %w", err)
	}
	return nil
}

// A cell is a value of a column of octets, and the primary key of its row.
type cell struct {
	column string // table.column
	key    any
	value  []byte
}

// cells reads every column of octets of a folder, whatever it is for.
func cells(t testing.TB, dir string) (list []cell) {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(dir, "relais.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, c := range octetColumns(t, db) {
		rows, err := db.Query(`SELECT ` + c.key + `, ` + c.column + ` FROM ` + c.table + ` WHERE ` + c.column + ` IS NOT NULL`)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			got := cell{column: c.table + "." + c.column}
			if err := rows.Scan(&got.key, &got.value); err != nil {
				t.Fatal(err)
			}
			list = append(list, got)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

type octetColumn struct{ table, key, column string }

// octetColumns lists the columns of a schema that hold octets.
func octetColumns(t testing.TB, db *sql.DB) (list []octetColumn) {
	t.Helper()
	rows, err := db.Query(`SELECT m.name, i.name, (SELECT k.name FROM pragma_table_info(m.name) k WHERE k.pk = 1)
		FROM sqlite_master m, pragma_table_info(m.name) i WHERE m.type = 'table' AND i.type = 'BLOB' ORDER BY 1, 2`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var c octetColumn
		if err := rows.Scan(&c.table, &c.column, &c.key); err != nil {
			t.Fatal(err)
		}
		list = append(list, c)
	}
	return list
}

// under picks the cells that say they were sealed under a key. That of a person's
// own key has the same form: see personSealed.
func under(list []cell, key uint32) (found []cell) {
	for _, c := range list {
		if id, err := seal.KeyID(c.value); err == nil && id == key && !slices.Contains(personSealed, c.column) {
			found = append(found, c)
		}
	}
	return found
}

// personSealed are the columns under a person's own key, whose id is 1 for ever.
var personSealed = []string{"acts.note", "journal.sealed", "mandates.content", "mandates.stop_code"}

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

// inClear says of each column of octets that Reseal does not know why it need not.
var inClear = map[string]string{
	"an identifier, a digest or a keyed hash": `accompaniments.helper accompaniments.id accompaniments.person accompaniments.structure
		invitations.hub invitations.id invitations.secret requests.hub requests.invitation
		acts.helper acts.id acts.mandate closes.hub closes.structure dossiers.mandate drafts.accompaniment helpers.id helpers.structure
		journal.mac journal.person logs.hash logs.hub mandates.accompaniment mandates.id mirrors.batch mirrors.mandate
		directory.id worklist.id worklist.mandate worklist.noted_by worklist.structure mandates.person mandates.structure
		notices.dossier notices.hub notices.mandate notices.stop notices.structure notices.subject peers.hub persons.id
		records.hash records.hub records.prev records.source revocations.commitment revocations.hub revocations.mandate
		sessions.token suspensions.helper suspensions.hub suspensions.lifts_hub`,
	"a keyed hash, brought up by retagLogins":        `helpers.login`,
	"a keyed hash that a rekey lets go (beginRekey)": `limits.key`,
	"public":                          `requests.certificate requests.text rosters.note checkpoints.note journal.hashes journal.public mandates.scopes notices.desk records.payload records.signature revocations.code`,
	"sealed by age, to hubs":          `dossiers.sealed`,
	"sealed under a person's own key": strings.Join(personSealed, " "),
}

// TestEverySealedColumn: each column of octets is one that Reseal knows, or says
// why not. The twin is a column that somebody adds.
func TestEverySealedColumn(t *testing.T) {
	known := map[string]bool{}
	for _, c := range node.SealedColumns() {
		known[c.Table+"."+c.Column] = true
	}
	for _, columns := range inClear {
		for _, c := range strings.Fields(columns) {
			if known[c] {
				t.Errorf("%s is said to be sealed and in clear", c)
			}
			known[c] = true
		}
	}
	h := newLand(t).newHub(t, "Valbrume")
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(h.Options.Dir, "relais.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	unknown := func() (list []string) {
		for _, c := range octetColumns(t, db) {
			if name := c.table + "." + c.column; !known[name] {
				list = append(list, name)
			}
		}
		return list
	}
	if list := unknown(); list != nil {
		t.Errorf("Reseal does not know %v, nor does inClear say why it need not", list)
	}
	if _, err := db.Exec(`CREATE TABLE novelties (id INTEGER PRIMARY KEY, note BLOB) STRICT`); err != nil {
		t.Fatal(err)
	}
	if list := unknown(); !slices.Equal(list, []string{"novelties.note"}) {
		t.Errorf("a new column is not seen: %v", list)
	}
}

// TestSealedInTransaction: nothing but Node.seal, which asks for a transaction,
// and the making of a new folder call the Sealer's Seal.
func TestSealedInTransaction(t *testing.T) {
	want := map[string]int{"sealer.go": 1, "folder.go": 1}
	got := map[string]int{}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(bytes.ToLower(text), []byte("sealer.seal(")); n > 0 {
			got[path] = n
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("Sealer.Seal is called in %v; want %v", got, want)
	}
}
