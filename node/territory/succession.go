package territory

import (
	"bytes"
	"errors"
	"fmt"
)

// ErrNotSuccessor means that a roster forgets or renames what the one before it
// said of a member.
var ErrNotSuccessor = errors.New("the roster does not follow the one before it")

// Follows tells whether r may take the place of an earlier roster: every member
// of that one keeps its entry and its index, and no index passes to another. An
// expelled hub stays listed: its past records are verified by its entry, and a
// hub that had lost it could neither verify nor relay them. Nor does a root take
// back which root follows it: whoever stole it could keep the territory from the
// one that was put aside. The error is ErrNotSuccessor with the member's name.
func (r *Roster) Follows(before *Roster) error {
	if r.Root != "" && r.Root == before.Root && len(before.NextRoot) > 0 && !bytes.Equal(r.NextRoot, before.NextRoot) {
		return fmt.Errorf("%w: it announces another root than the one that was announced", ErrNotSuccessor)
	}
	held := make(map[uint16]HubID)
	for _, h := range before.Hubs {
		held[h.Index] = h.ID
		switch now, listed := r.IndexOf(h.ID); {
		case !listed:
			return fmt.Errorf("%w: hub %s (index %d) is no longer listed; an expelled hub keeps its entry", ErrNotSuccessor, h.ID, h.Index)
		case now != h.Index:
			return fmt.Errorf("%w: hub %s had index %d and has %d", ErrNotSuccessor, h.ID, h.Index, now)
		}
	}
	if n := before.National; n != nil {
		held[n.Index] = n.ID
		if now, listed := r.IndexOf(n.ID); listed && now != n.Index {
			return fmt.Errorf("%w: the national service %s had index %d and has %d", ErrNotSuccessor, n.ID, n.Index, now)
		}
	}
	for _, h := range r.Hubs {
		if id, taken := held[h.Index]; taken && id != h.ID {
			return fmt.Errorf("%w: index %d was of %s and is given to %s; an index is never used again", ErrNotSuccessor, h.Index, id, h.ID)
		}
	}
	if n := r.National; n != nil {
		if id, taken := held[n.Index]; taken && id != n.ID {
			return fmt.Errorf("%w: index %d was of %s and is given to the national service %s; an index is never used again", ErrNotSuccessor, n.Index, id, n.ID)
		}
	}
	return nil
}
