package node

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"relais/node/fault"
	"relais/node/internal/store"
	"relais/node/journal"
	"relais/node/mandate"
	"relais/node/record"
)

// paperVersion changes each time the paper's state does.
func paperVersion(p mandate.Paper) int64 {
	version := int64(1)
	if !p.PrintedAt.IsZero() {
		version++
	}
	if p.Complete() {
		version++
	}
	return version
}

// shownStopCode opens the stop code while the person's copy is still to be
// printed; nil afterwards.
func (n *Node) shownStopCode(r *store.Reader, row store.MandateRow, now time.Time) (*record.StopCode, error) {
	if row.StopCode == nil || row.Paper.Complete() || !now.Before(row.End) {
		return nil, nil
	}
	plain, err := n.openFor(r, row.Person, mandatePlace(row.ID, "stop_code"), row.StopCode)
	if err != nil {
		return nil, fmt.Errorf("stop code of %s: %w", row.ID, err)
	}
	code := record.StopCode(plain)
	return &code, nil
}

// MarkPrinted notes the first printing. Printing again is no error.
func (n *Node) MarkPrinted(ctx context.Context, by Actor, id mandate.ID) error {
	return n.db.Write(ctx, func(tx *store.Tx) error {
		if _, err := n.mandateOf(tx.Reader, by, id); err != nil {
			return err
		}
		marked, err := tx.MarkPrinted(id)
		if err != nil || !marked {
			return err
		}
		return n.note(tx, entry{Kind: journal.KindMandatePrint, Actor: by.Helper.String(), Subject: id.String()})
	})
}

// ConfirmPaper notes that both copies are signed and one was handed over, and
// forgets the stop code. Both must be true: Invalid on "signed" or "handed"
// otherwise. Confirming twice is no error.
//
// A dossier is immutable and says nothing of paper, so each hub asks: a helper at
// another hub that serves the structure confirms there that she has the signed
// copy before her, and its own journal says who and where.
func (n *Node) ConfirmPaper(ctx context.Context, by Actor, id mandate.ID, signed, handed bool) error {
	switch {
	case !signed:
		return fault.Errorf(fault.Invalid, "Les deux exemplaires doivent être signés avant la première démarche.", "copies not signed").On("signed")
	case !handed:
		return fault.Errorf(fault.Invalid, "Un exemplaire signé doit être remis à la personne avant la première démarche.", "copy not handed over").On("handed")
	}
	return n.db.Write(ctx, func(tx *store.Tx) error {
		row, err := n.mandateOf(tx.Reader, by, id)
		if err != nil || row.Paper.Complete() {
			return err
		}
		if err := n.working(tx.Reader, by); err != nil {
			return err
		}
		facts, err := n.facts(tx.Reader, by.Helper, id)
		if err != nil {
			return err
		}
		if state := mandate.StateOf(facts, tx.Now); state != mandate.StateAwaitingPaper {
			refusal, err := n.refusal(tx, row, mandate.Usable(facts, 1, tx.Now), facts, 1)
			return cmp.Or(err, refusal)
		}
		if _, err := tx.ConfirmPaper(id); err != nil {
			return err
		}
		return n.note(tx, entry{
			Kind: journal.KindMandatePaper, Actor: by.Helper.String(), Subject: id.String(),
			Public: map[string]any{"hub": n.self.String(), "structure": row.Structure.String()},
		})
	})
}
