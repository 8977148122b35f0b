package store_test

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"relais/cmd/national/internal/store/storetest"
)

// column is one column of one table, as both databases tell it.
type column struct {
	Table, Name string
	Octets      bool // BLOB, BYTEA
	Null        bool // may be
}

// TestSchemasAgree: both databases have the same tables and columns.
func TestSchemasAgree(t *testing.T) {
	columns := func(d storetest.Database, query string) (all []column) {
		open(t, d)
		rows, err := d.Raw(t).Query(query)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var c column
			if err := rows.Scan(&c.Table, &c.Name, &c.Octets, &c.Null); err != nil {
				t.Fatal(err)
			}
			all = append(all, c)
		}
		if err := rows.Err(); err != nil || len(all) < 20 {
			t.Fatalf("%d columns, %v", len(all), err)
		}
		slices.SortFunc(all, func(a, b column) int { return cmp.Or(cmp.Compare(a.Table, b.Table), cmp.Compare(a.Name, b.Name)) })
		return all
	}
	file := columns(storetest.SQLite(t), `
		SELECT m.name, c.name, c.type = 'BLOB', c."notnull" = 0 AND c.pk = 0
		FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table'`)
	server := columns(storetest.PostgreSQL(t), `
		SELECT table_name, column_name, data_type = 'bytea', is_nullable = 'YES'
		FROM information_schema.columns WHERE table_schema = current_schema() AND table_name <> 'schema_version'`)
	if diff := gocmp.Diff(file, server); diff != "" {
		t.Errorf("SQLite (-) and PostgreSQL (+):\n%s", diff)
	}
}

// The schema states a second time what the code promises.
func TestSchemaRefuses(t *testing.T) {
	storetest.Each(t, func(t *testing.T, empty storetest.Empty) {
		d := empty(t)
		open(t, d)
		raw := d.Raw(t)
		octets := func(n string) string { return "zeroblob(" + n + ")" }
		if d.Kind == "PostgreSQL" {
			octets = func(n string) string { return "decode(repeat('00', " + n + "), 'hex')" }
		}
		for _, statement := range []string{
			`INSERT INTO records (log, seq, hash, prev, kind, wire, received_at) VALUES (7, 1, ` + octets("32") + `, ` + octets("16") + `, 1, ` + octets("1") + `, 1)`,
			`INSERT INTO logs (hub, incarnation) VALUES (` + octets("15") + `, 1)`,
			`INSERT INTO checkpoints (hub, size, root, note, received_at) VALUES (` + octets("16") + `, -1, ` + octets("32") + `, ` + octets("0") + `, 1)`,
			`INSERT INTO territory (id, code, root_key) VALUES (2, 'demo', 'k')`,
			`INSERT INTO sightings (hub, seen_at, drift) VALUES (` + octets("16") + `, 1, 1)`,
		} {
			if _, err := raw.Exec(statement); err == nil || !strings.Contains(err.Error(), "constraint") {
				t.Errorf("%s: %v", statement, err)
			}
		}
	})
}
