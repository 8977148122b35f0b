package journal_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/tlog"

	"relais/node/journal"
)

// stored is the reference's storage of hashes.
type stored []tlog.Hash

func (s stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		hashes[i] = s[index]
	}
	return hashes, nil
}

// The tree is the one of x/mod/sumdb/tlog, hash for hash, at every size.
func TestTreeIsTheReferences(t *testing.T) {
	var tree journal.Tree
	var reference stored
	for n := range int64(300) {
		root, err := tlog.TreeHash(n, reference)
		if err != nil {
			t.Fatal(err)
		}
		if got := tree.Root(); got != root {
			t.Fatalf("root of %d: %v, want %v", n, got, root)
		}
		resumed, err := journal.Resume(n, reference)
		if err != nil || resumed.Root() != root || resumed.Size() != n {
			t.Fatalf("resumed at %d: %v, %v", n, resumed.Root(), err)
		}
		leaf := fmt.Appendf(nil, "leaf %d", n)
		want, err := tlog.StoredHashes(n, leaf, reference)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, tree.Append(leaf)); diff != "" {
			t.Fatalf("hashes completed by %d:\n%s", n, diff)
		}
		reference = append(reference, want...)
	}
}

func TestCloneIsIndependent(t *testing.T) {
	var tree journal.Tree
	for i := range 5 {
		tree.Append([]byte{byte(i)})
	}
	clone := tree.Clone()
	clone.Append([]byte("undone"))
	tree.Append([]byte("kept"))
	if clone.Root() == tree.Root() || clone.Size() != tree.Size() {
		t.Error("the clone is the tree")
	}
}

// A proof made from stored hashes holds against the root of a checkpoint.
func TestProof(t *testing.T) {
	var tree journal.Tree
	var hashes stored
	for i := range 100 {
		hashes = append(hashes, tree.Append(fmt.Appendf(nil, "leaf %d", i))...)
	}
	proof, err := tlog.ProveRecord(100, 41, hashes)
	if err != nil {
		t.Fatal(err)
	}
	if err := tlog.CheckRecord(proof, 100, tree.Root(), 41, tlog.RecordHash([]byte("leaf 41"))); err != nil {
		t.Error(err)
	}
	if err := tlog.CheckRecord(proof, 100, tree.Root(), 41, tlog.RecordHash([]byte("leaf 42"))); err == nil {
		t.Error("another leaf was proved")
	}
}
