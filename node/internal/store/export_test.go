package store

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"

	"github.com/mattn/go-sqlite3"
)

// WithSynchronous opens the writer in a mode that Open would refuse, to show
// what the refusal is for.
func (o Options) WithSynchronous(mode string) Options {
	o.synchronous, o.unchecked = mode, true
	return o
}

// Demanding takes the writer's mode as WithSynchronous left it, and checks it.
func (o Options) Demanding() Options {
	o.unchecked = false
	return o
}

// Migrate runs migrations of the test's own, as Open does: before the rule.
func (db *DB) Migrate(ctx context.Context, files fs.FS) error {
	db.raw.RegisterUpdateHook(nil)
	db.raw.RegisterCommitHook(nil)
	return db.migrate(ctx, files)
}

// Migrations lists the embedded ones by number.
func Migrations() (numbers []int, err error) {
	steps, err := migrations(embedded)
	for _, step := range steps {
		numbers = append(numbers, step.number)
	}
	return numbers, err
}

// Exempt lists the tables that the journal rule lets change.
func Exempt() map[string]string {
	reasons := make(map[string]string)
	for _, table := range slices.Collect(maps.Keys(exempt)) {
		reasons[table] = exempt[table].reason
	}
	return reasons
}

// MaxGroup is the most callers of one commit.
const MaxGroup = maxGroup

// Fill lets the database grow by no more than a few pages, as a full disk would.
// Zero pages lifts it.
func (db *DB) Fill(ctx context.Context, pages int) error {
	var now int
	if err := db.writer.QueryRowContext(ctx, "PRAGMA page_count").Scan(&now); err != nil {
		return err
	}
	limit := now + pages
	if pages == 0 {
		limit = 1 << 30
	}
	_, err := db.writer.ExecContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", limit))
	return err
}

// WatchCompiled counts what the writer compiles from now on: SQLite asks the
// authorizer for each thing that a statement being compiled touches. What was
// prepared before is compiled again.
func (tx *Tx) WatchCompiled(count *int) {
	tx.db.raw.RegisterAuthorizer(func(int, string, string, string) int {
		*count++
		return sqlite3.SQLITE_OK
	})
}

// File is what a process that is begun meanwhile has too, until it becomes its program.
func (l *Lock) File() *os.File { return l.held.file }
