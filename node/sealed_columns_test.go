package node_test

import (
	"bytes"
	"database/sql"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"relais/node"
	"relais/node/seal"
)

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

// inClear says of each column of octets that Reseal does not know why it need not.
var inClear = map[string]string{
	"an identifier, a digest or a keyed hash": `accompaniments.helper accompaniments.id accompaniments.person accompaniments.structure
		invitations.hub invitations.id invitations.secret requests.hub requests.invitation
		acts.helper acts.id acts.mandate closes.hub closes.structure dossiers.mandate drafts.accompaniment helpers.id helpers.structure
		journal.mac journal.person logs.hash logs.hub mandates.accompaniment mandates.id mirrors.batch mirrors.mandate
		forgets.hub forgets.mandate forgotten.forgetting forgotten.mandate forgotten.source forgotten.structure
		set_aside.key cosignatures.witness witness_refusals.witness directory.id worklist.id worklist.mandate worklist.noted_by worklist.structure mandates.person mandates.structure
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
