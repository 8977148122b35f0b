package store

import (
	"fmt"

	"github.com/mattn/go-sqlite3"
)

// exempt are the tables that may change without a journal entry, with the
// reason. All others are the domain's.
var exempt = map[string]exemption{
	"journal":          {reason: "it is the journal"},
	"checkpoints":      {reason: "a checkpoint signs the tree and cannot be in it"},
	"cosignatures":     {reason: "of a checkpoint, and it cannot be in the tree either"},
	"witness_refusals": {reason: "what a witness says of the journal, which is no act of this hub"},

	"records":  {only: sqlite3.SQLITE_UPDATE, reason: "a signature is added after the commit that made the record"},
	"logs":     {only: sqlite3.SQLITE_UPDATE, reason: "a head follows from the records and their signatures"},
	"sessions": {reason: "they come and go with every page; signing in is an entry"},
	"secrets":  {reason: "certificates renew by themselves"},
	"peers":    {reason: "signs of life"},
	"jobs":     {reason: "last success of the machinery"},
	"limits":   {reason: "delays pass by themselves"},

	"national_passes": {reason: "outcomes of the machinery; the records a pass brings are an entry"},

	"directory": {reason: "a copy of what is public; nobody did anything"},
	"crawls":    {reason: "how far that copy is"},

	"national_list": {reason: "how far a copy of what is public is"},
	"set_aside":     {reason: "what of that copy could not be read"},

	"drafts": {reason: "a form begun is nothing done"},
	"meta":   {reason: "what the hub is; written with the first entry and by the machinery"},
}

// exemption says for which changes a table is exempt.
type exemption struct {
	only   int // an operation of the update hook; 0 for all
	reason string
}

func (e exemption) covers(op int) bool { return e.only == 0 || e.only == op }

// rule watches the changes of one savepoint. It belongs to who has the turn,
// on whose goroutine SQLite calls its hooks.
type rule struct {
	domain    string // the first table of the domain touched; "" for none
	journaled bool   // a journal entry was appended
	rewraps   bool   // the statement under way seals again what it finds: nothing is changed that an entry could tell
	seen      int64  // changes told by the update hook since the store was opened
}

func (r *rule) reset() { r.domain, r.journaled = "", false }

// check is the rule itself, asked at the end of each savepoint.
func (r *rule) check() error {
	if r.domain == "" || r.journaled {
		return nil
	}
	return fmt.Errorf("a change of table %s without a journal entry was refused", r.domain)
}

func (r *rule) touched(table string) {
	if r.domain == "" {
		r.domain = table
	}
}

// update is SQLite's update hook: one call for each row that changes.
func (r *rule) update(op int, _, table string, _ int64) {
	r.seen++
	if table == "journal" && op == sqlite3.SQLITE_INSERT {
		r.journaled = true
		return
	}
	if r.rewraps && op == sqlite3.SQLITE_UPDATE {
		return
	}
	if e, found := exempt[table]; !found || !e.covers(op) {
		r.touched(table)
	}
}

// commit is SQLite's commit hook, the backstop: whatever path led here, a
// transaction with an unjournaled change becomes a rollback.
func (r *rule) commit() int {
	if r.check() != nil {
		return 1
	}
	return 0
}

// watch puts the rule on the writer's connection.
func (db *DB) watch() {
	db.raw.RegisterUpdateHook(db.rule.update)
	db.raw.RegisterCommitHook(db.rule.commit)
}
