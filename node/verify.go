package node

import "context"

// JournalReport is the outcome of a verification.
type JournalReport struct {
	Entries    int64
	Root       string // base64, of the tree over all entries
	Checkpoint int64  // size of the last signed checkpoint; 0 for none
	OK         bool
	// BadEntry names the first entry that does not hold, from 0; -1 for none.
	BadEntry int64
	Problem  string // English, one sentence
}

// VerifyFolder checks the journal in a data folder or a copy of its database,
// without keys and without the lock: every entry against the tree, the tree
// against the checkpoint, the checkpoint against the hub's witness key.
func VerifyFolder(ctx context.Context, path string) (JournalReport, error) { panic("stub") }
