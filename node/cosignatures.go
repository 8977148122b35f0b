package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"relais/node/internal/store"
	"relais/node/journal"
	"relais/node/territory"
)

// The national service is shown each checkpoint with the proof that it continues
// the one before, and says by a cosignature that it saw it. From then on the
// entries below are what they are, for whoever trusts either of the two.

// errNoNational means that the roster names no national service.
var errNoNational = errors.New("the roster names no national service")

// Submission is what the national service is to be shown, which says that it holds
// a checkpoint of held entries of this journal, 0 for none. It is not due when the
// service has seen all of it and, where the roster names a witness key, said so.
// A journal shorter than held is submitted as if nothing had been seen: the service
// refuses it, and so knows.
func (n *Node) Submission(ctx context.Context, held int64) (s journal.Submission, due bool, err error) {
	if s.Checkpoint, err = n.Checkpoint(ctx); err != nil {
		return s, false, err
	}
	c, err := n.openCheckpoint(s.Checkpoint)
	if err != nil {
		return s, false, err
	}
	err = n.db.Read(ctx, func(r *store.Reader) error {
		if c.Size == held {
			cosigned, err := n.cosigned(r, c)
			s.Old, due = held, !cosigned
			return err
		}
		if due = true; held < c.Size {
			s.Old = held
		}
		s.Proof, err = journal.Prove(s.Old, c.Size, r)
		return err
	})
	return s, due, err
}

func (n *Node) openCheckpoint(signed []byte) (journal.Checkpoint, error) {
	v, err := journal.NewVerifier(n.witness.Name(), n.keys.Witness)
	if err != nil {
		return journal.Checkpoint{}, err
	}
	return journal.OpenCheckpoint(signed, v)
}

// cosigned tells whether the national service said by its present key all that it
// has to say of a checkpoint.
func (n *Node) cosigned(r *store.Reader, c journal.Checkpoint) (bool, error) {
	service, err := n.national()
	if err != nil || len(service.Witness) == 0 {
		return true, nil // nobody to ask
	}
	kept, found, err := r.LastCosignature(service.ID)
	if err != nil || !found || kept.Size != c.Size {
		return false, err
	}
	_, err = journal.OpenCosignature(kept.Line, c, n.birth.Territory, service.ID, service.Witness)
	return err == nil, nil
}

func (n *Node) national() (*territory.National, error) {
	roster := n.Roster()
	if roster == nil || roster.National == nil {
		return nil, errNoNational
	}
	return roster.National, nil
}

// KeepCosignature keeps what the national service answered to a checkpoint that it
// took: lines, of which one is its cosignature. Where the roster names no witness
// key, it need not be there. Its error is journal.ErrNotCosigned when it is missing,
// or says what is wrong with it. It writes no entry, which would be news for the
// next pass, for ever.
func (n *Node) KeepCosignature(ctx context.Context, checkpoint []byte, lines string) error {
	service, err := n.national()
	if err != nil {
		return err
	}
	c, err := n.openCheckpoint(checkpoint)
	if err != nil {
		return err
	}
	var said journal.Cosignature
	if len(service.Witness) > 0 {
		if said, err = journal.OpenCosignature(lines, c, n.birth.Territory, service.ID, service.Witness); err != nil {
			return fmt.Errorf("checkpoint of %d entries: %w", c.Size, err)
		}
	}
	return n.db.Write(ctx, func(tx *store.Tx) error {
		if err := tx.DropWitnessRefusal(service.ID); err != nil || said.Line == "" {
			return err
		}
		return tx.PutCosignature(store.Cosignature{Size: c.Size, Witness: service.ID, At: said.At, Line: said.Line})
	})
}

// CheckpointRefused notes that the national service, which saw held entries of this
// journal, does not recognise it as their continuation. It is an alarm until the
// service takes a checkpoint again.
func (n *Node) CheckpointRefused(ctx context.Context, held int64) error {
	service, err := n.national()
	if err != nil {
		return err
	}
	n.log.ErrorContext(ctx, "the national service refuses this journal: it does not continue what was seen of it", "held", held)
	return n.db.Write(ctx, func(tx *store.Tx) error { return tx.PutWitnessRefusal(service.ID, held) })
}

// JournalSeen is what the national service said of this hub's journal.
type JournalSeen struct {
	Entries int64     // that it saw, from the first; 0: it cosigned none
	At      time.Time // no later than; as the service says
	Refused time.Time // since when it does not recognise the journal; zero: it does
	Held    int64     // entries that it saw, when it refused
}

func (n *Node) journalSeen(r *store.Reader) (s JournalSeen, err error) {
	service, err := n.national()
	if err != nil {
		return s, nil
	}
	last, _, err := r.LastCosignature(service.ID)
	if err != nil {
		return s, err
	}
	refusal, err := r.WitnessRefusal(service.ID)
	return JournalSeen{Entries: last.Size, At: last.At, Refused: refusal.Since, Held: refusal.Held}, err
}
