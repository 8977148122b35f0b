package journal

import (
	"slices"

	"golang.org/x/mod/sumdb/tlog"
)

// HashSize is the length of a tree hash in octets.
const HashSize = tlog.HashSize

// Tree is the right edge of an RFC 6962 tree: all that is needed to append to
// it and to tell its root, about twenty hashes at a million entries. Its zero
// value is the empty tree. It is a value: Clone before an attempt that may be
// rolled back.
type Tree struct {
	size int64
	edge []tlog.Hash // roots of the full subtrees, largest first
}

// Size is the number of entries.
func (t *Tree) Size() int64 { return t.size }

// Clone returns an independent copy.
func (t *Tree) Clone() Tree { return Tree{size: t.size, edge: slices.Clone(t.edge)} }

// Append adds a leaf and returns the hashes that it completes, lowest level
// first: those that tlog.StoredHashes gives. One of level 0, then one for each
// subtree that the leaf fills.
func (t *Tree) Append(leaf []byte) []tlog.Hash {
	hash := tlog.RecordHash(leaf)
	completed := []tlog.Hash{hash}
	for rest := t.size; rest&1 == 1; rest >>= 1 {
		last := len(t.edge) - 1
		hash = tlog.NodeHash(t.edge[last], hash)
		completed = append(completed, hash)
		t.edge = t.edge[:last]
	}
	t.edge = append(t.edge, hash)
	t.size++
	return completed
}

// Root is the root of the tree as it stands; of no entry, SHA-256 of nothing.
func (t *Tree) Root() tlog.Hash {
	if len(t.edge) == 0 {
		root, _ := tlog.TreeHash(0, nil) // a constant
		return root
	}
	root := t.edge[len(t.edge)-1]
	for _, left := range slices.Backward(t.edge[:len(t.edge)-1]) {
		root = tlog.NodeHash(left, root)
	}
	return root
}

// Resume returns the tree of size entries from its stored hashes.
func Resume(size int64, hashes tlog.HashReader) (Tree, error) {
	t := Tree{size: size}
	var indexes []int64
	begin := int64(0)
	for level := 62; level >= 0; level-- {
		if size>>level&1 == 1 {
			indexes = append(indexes, tlog.StoredHashIndex(level, begin>>level))
			begin += 1 << level
		}
	}
	edge, err := hashes.ReadHashes(indexes)
	t.edge = edge
	return t, err
}

// JoinHashes is how the hashes that an entry completes are kept beside it: one
// after the other, lowest level first.
func JoinHashes(hashes []tlog.Hash) []byte {
	joined := make([]byte, 0, len(hashes)*HashSize)
	for _, h := range hashes {
		joined = append(joined, h[:]...)
	}
	return joined
}
