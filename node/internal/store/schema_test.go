package store_test

import (
	"database/sql"
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"relais/node/internal/store"
)

var update = flag.Bool("update", false, "rewrite schema.sql from the migrations")

// migrated returns the statements that make the schema, tables first.
func migrated(t *testing.T) []string {
	t.Helper()
	db, _ := open(t)
	var statements []string
	err := db.Read(t.Context(), func(r *store.Reader) error {
		rows, err := r.Query(`SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'
			ORDER BY tbl_name, type DESC, name`)
		return store.Each(rows, err, func(rows *sql.Rows) error {
			var text string
			err := rows.Scan(&text)
			statements = append(statements, text+";\n")
			return err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return statements
}

const schemaHeader = `-- What the migrations lead to: the truth about the schema, compared by a test.
-- After a new migration: go test ./node/internal/store -run TestSchema -update

`

func TestSchema(t *testing.T) {
	statements := migrated(t)
	got := schemaHeader + strings.Join(statements, "\n")
	if *update {
		if err := os.WriteFile("schema.sql", []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("schema.sql (-) is not what the migrations (+) make; run with -update and read the difference:\n%s", diff)
	}
}

func TestTablesAreStrictWithRowid(t *testing.T) {
	for _, text := range migrated(t) {
		if !strings.HasPrefix(text, "CREATE TABLE") {
			continue
		}
		// The update hook, and so the journal rule, does not see others.
		if !strings.HasSuffix(text, ") STRICT;\n") || strings.Contains(text, "WITHOUT ROWID") {
			t.Errorf("not STRICT with rowid:\n%s", text)
		}
	}
}

func TestExemptTablesAreNamedWithAReason(t *testing.T) {
	statements := strings.Join(migrated(t), "")
	for table, reason := range store.Exempt() {
		if !regexp.MustCompile(`CREATE TABLE ` + table + `\b`).MatchString(statements) {
			t.Errorf("%s is exempt and does not exist", table)
		}
		if reason == "" {
			t.Errorf("%s is exempt without a reason", table)
		}
	}
}

func TestMigrationsAreNumberedInARow(t *testing.T) {
	numbers, err := store.Migrations()
	if err != nil {
		t.Fatal(err)
	}
	for i, number := range numbers {
		if number != i+1 {
			t.Errorf("migration %d has the number %d", i+1, number)
		}
	}
}
