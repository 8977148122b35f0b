package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/note"

	"relais/node/internal/store"
	"relais/node/journal"
	"relais/node/territory"
)

// JournalReport is the outcome of a verification.
type JournalReport struct {
	Entries    int64  // that hold, from the first
	Root       string // base64, of the tree over those
	Checkpoint int64  // size of the last signed checkpoint; 0 for none
	OK         bool
	// BadEntry names the first entry that does not hold, from 0; -1 for none.
	BadEntry int64
	Problem  string // English, one sentence
	// Seen is what others said of the journal, by cosignatures that hold; nothing of
	// a key that the roster no longer names.
	Seen []Sighted
}

// Sighted is that somebody else saw a journal.
type Sighted struct {
	By      string    // name in the roster
	Entries int64     // that it saw, from the first
	At      time.Time // no later than, as it says
}

// VerifyFolder checks the journal in a data folder or a copy of its database,
// without keys and without the lock: every entry against the tree, the tree
// against every checkpoint, the checkpoints against the hub's witness key, and
// that key against the roster when there is one. Whatever does not hold is in
// the report; an error means that there was nothing to verify (ErrNoFolder,
// ErrHalfWritten) or that the file could not be opened.
func VerifyFolder(ctx context.Context, path string) (JournalReport, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, databaseFile)
	}
	evidence, err := store.OpenEvidence(ctx, path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return JournalReport{}, fmt.Errorf("verify %s: %w", path, ErrNoFolder)
	case err != nil && store.IsDamage(err):
		return damaged(err), nil
	case err != nil:
		return JournalReport{}, fmt.Errorf("verify %s: %w", path, err)
	}
	defer evidence.Close()
	report, err := verify(ctx, evidence)
	if err != nil {
		return JournalReport{}, fmt.Errorf("verify %s: %w", path, err)
	}
	return report, nil
}

func damaged(err error) JournalReport {
	return JournalReport{BadEntry: -1, Problem: fmt.Sprintf("the database file is damaged: %v", err)}
}

func verify(ctx context.Context, evidence *store.Evidence) (JournalReport, error) {
	begun, err := evidence.Begun(ctx)
	if err != nil {
		return damaged(err), nil
	}
	if !begun {
		return JournalReport{}, ErrHalfWritten
	}
	meta, err := evidence.Reader().AllMeta()
	if err != nil {
		return damaged(err), nil
	}
	witnesses, roster, problem := readWitnesses(meta)
	if problem != nil {
		return JournalReport{BadEntry: -1, Problem: problem.Error()}, nil
	}
	checkpoints, err := evidence.Checkpoints(ctx)
	if err != nil {
		return damaged(err), nil
	}
	cosignatures, err := evidence.Cosignatures(ctx)
	if err != nil {
		return damaged(err), nil
	}
	a := audit{witnesses: witnesses, checkpoints: checkpoints, roster: roster, cosignatures: cosignatures}
	if err := evidence.Entries(ctx, a.entry); err != nil && !errors.Is(err, errStop) {
		return JournalReport{}, err
	}
	if a.problem == nil {
		a.finish()
	}
	if a.problem == nil {
		if err := evidence.Check(ctx); err != nil {
			a.fail(-1, "the database file is damaged: %v", err)
		}
	}
	return a.report(), nil
}

// readWitnesses returns the key that signs the checkpoints, as the folder says it
// and as the roster, signed by the territory's root, confirms: under the hub's
// name, then under those it had before a recovery. The roster is nil when there is
// none.
func readWitnesses(meta map[string][]byte) (witnesses []note.Verifier, roster *territory.Roster, err error) {
	hub := meta[metaHub]
	if len(hub) != len(territory.HubID{}) {
		return nil, nil, errors.New("the folder does not say which hub it belongs to")
	}
	id, code := territory.HubID(hub), territory.Code(meta[metaTerritory])
	if want := territory.HubIDOf(meta[metaIdentity]); id != want {
		return nil, nil, fmt.Errorf("the folder says hub %s, its identity key says %s", id, want)
	}
	for former := range slices.Chunk(append(bytes.Clone(hub), meta[metaFormer]...), len(id)) {
		if len(former) != len(id) {
			return nil, nil, errors.New("the folder does not say which hubs it belonged to")
		}
		name, err := journal.NewVerifier(journal.Origin(code, territory.HubID(former)), meta[metaWitness])
		if err != nil {
			return nil, nil, fmt.Errorf("the witness key cannot be read: %w", err)
		}
		witnesses = append(witnesses, name)
	}
	if meta[metaRoster] == nil {
		return witnesses, nil, nil
	}
	roster, err = territory.OpenRoster(meta[metaRoster], string(meta[metaRootKey]))
	if err != nil {
		return nil, nil, fmt.Errorf("the roster in the folder does not hold: %w", err)
	}
	if listed, found := roster.Hub(id); found && string(listed.Witness) != string(meta[metaWitness]) {
		return nil, nil, fmt.Errorf("the witness key is not the one roster %d gives for %s", roster.Version, id)
	}
	return witnesses, roster, nil
}

// errStop ends the reading once a problem is found.
var errStop = errors.New("stop")

// audit rebuilds the tree from the entries and compares.
type audit struct {
	witnesses   []note.Verifier    // one key, under the hub's name and its former ones
	checkpoints []store.Checkpoint // not yet reached, by size
	roster      *territory.Roster  // nil: none
	// cosignatures of checkpoints not yet reached, by size.
	cosignatures []store.Cosignature
	seen         []Sighted // the last one

	tree    journal.Tree
	last    int64 // size of the last checkpoint that holds
	bad     int64
	problem error
}

func (a *audit) fail(entry int64, format string, args ...any) error {
	a.bad, a.problem = entry, fmt.Errorf(format, args...)
	return errStop
}

// entry takes the next entry of the file.
func (a *audit) entry(seq int64, e journal.Entry, hashes []byte, err error) error {
	want := a.tree.Size()
	if err != nil {
		return a.fail(want, "entry %d cannot be read: %v", want, err)
	}
	if seq != want {
		return a.fail(want, "entry %d is missing: the next one is numbered %d", want, seq)
	}
	leaf, err := e.Leaf()
	if err != nil {
		return a.fail(want, "entry %d is not written as an entry is: %v", want, err)
	}
	before := a.tree.Clone()
	if string(journal.JoinHashes(a.tree.Append(leaf))) != string(hashes) {
		a.tree = before
		return a.fail(want, "entry %d was altered: it does not match its hash in the tree", want)
	}
	return a.checkpoint()
}

// checkpoint compares the tree with the checkpoint of its size, if there is one.
func (a *audit) checkpoint() error {
	size := a.tree.Size()
	if len(a.checkpoints) == 0 || a.checkpoints[0].Size > size {
		return nil
	}
	kept := a.checkpoints[0]
	a.checkpoints = a.checkpoints[1:]
	signed, err := a.open(kept.Note)
	switch {
	case err != nil:
		return a.fail(size-1, "the checkpoint at entry %d does not hold: %v", size-1, err)
	case signed.Size != kept.Size || kept.Size != size:
		return a.fail(size-1, "the checkpoint kept at entry %d is one of %d entries", size-1, signed.Size)
	case signed.Root != a.tree.Root():
		return a.fail(size-1, "the entries up to %d are not those of the signed checkpoint", size-1)
	}
	a.last = size
	return a.cosigned(signed)
}

// cosigned takes what the national service said of a checkpoint that holds.
func (a *audit) cosigned(c journal.Checkpoint) error {
	for ; len(a.cosignatures) > 0 && a.cosignatures[0].Size <= c.Size; a.cosignatures = a.cosignatures[1:] {
		kept := a.cosignatures[0]
		if a.roster == nil || a.roster.National == nil || a.roster.National.ID != kept.Witness || kept.Size != c.Size {
			continue // nobody vouches for the key
		}
		service := a.roster.National
		said, err := journal.OpenCosignature(kept.Line, c, a.roster.Territory, service.ID, service.Witness)
		switch {
		case errors.Is(err, journal.ErrNotCosigned):
		case err != nil:
			return a.fail(c.Size-1, "what the national service said of entry %d was altered: %v", c.Size-1, err)
		default:
			a.seen = []Sighted{{By: service.Name, Entries: c.Size, At: said.At}}
		}
	}
	return nil
}

// open reads a checkpoint. Its error is that of the hub's present name.
func (a *audit) open(text []byte) (journal.Checkpoint, error) {
	signed, err := journal.OpenCheckpoint(text, a.witnesses[0])
	for _, former := range a.witnesses[1:] {
		if err == nil {
			break
		}
		if c, formerErr := journal.OpenCheckpoint(text, former); formerErr == nil {
			return c, nil
		}
	}
	return signed, err
}

// finish looks at what was signed and is not there.
func (a *audit) finish() {
	size := a.tree.Size()
	switch {
	case len(a.checkpoints) > 0:
		a.fail(size, "entry %d and those after it are missing: a checkpoint was signed at %d", size, a.checkpoints[0].Size)
	case size == 0:
		a.fail(0, "entry 0, which every journal begins with, is missing")
	}
}

func (a *audit) report() JournalReport {
	r := JournalReport{
		Entries: a.tree.Size(), Root: a.tree.Root().String(), Checkpoint: a.last,
		OK: a.problem == nil, BadEntry: -1, Seen: a.seen,
	}
	if a.problem != nil {
		r.BadEntry, r.Problem = a.bad, a.problem.Error()
	}
	return r
}
