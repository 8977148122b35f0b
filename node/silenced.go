package node

import (
	"fmt"
	"slices"

	"relais/node/internal/store"
	"relais/node/record"
	"relais/node/territory"
)

// maxSaidAgain is how many stops of what a roster cuts off are said again here,
// those with a code first: a hub gone bad that floods must not have others write as
// much as it did.
const maxSaidAgain = 1024

// silenced is a stop that this hub applied, and that a roster cuts off.
type silenced struct {
	row  store.RecordRow
	body *record.Revocation
}

// standsOnItsOwn tells whether a stop outlives what its author is cut at: it carries
// the person's code, or it was here when the cut was signed. The hub that signs a cut
// only knows what it heard itself, and others heard more. What came later than that
// is the word of a hub that was out already, and counts nowhere. Both moments are by
// the peers' clocks, where this hub and the one that signed knew theirs to be wrong.
func (a *absorption) standsOnItsOwn(row store.RecordRow, v *record.Revocation) bool {
	if row.Bar != "" || row.Signature == nil || row.Hub == a.self {
		return false
	}
	cut := a.roster.IssuedAt
	if author, listed := a.roster.Hub(row.Hub); listed && !author.ExpelledAt.IsZero() {
		cut = author.ExpelledAt
	}
	return v.Code != nil || !row.Received.Add(-a.ahead).After(cut.Add(record.MaxClockSkew))
}

// sayAgain says in this hub's log the stops that it applied and that a roster just
// cut off, unless another hub has said them too: what this hub refuses, it goes on
// refusing, and the others learn it.
func (n *Node) sayAgain(tx *store.Tx, cut []silenced) error {
	roster := n.Roster()
	if self, listed := roster.Hub(n.self); !listed || self.State != territory.HubActive {
		return nil
	}
	slices.SortStableFunc(cut, func(x, y silenced) int { return withCode(y) - withCode(x) })
	said := 0
	for _, s := range cut {
		covered, err := coveredElsewhere(tx.Reader, s.body)
		if err != nil {
			return err
		}
		if covered {
			continue
		}
		if said++; said > maxSaidAgain {
			n.log.Warn("stops of a hub that is out were not said again", "roster", roster.Version, "said", maxSaidAgain, "of", len(cut))
			return nil
		}
		if _, err := n.revoke(tx, actorMachine, *s.body); err != nil {
			return fmt.Errorf("say the stop %d of %s again: %w", s.row.Seq, s.row.Hub, err)
		}
	}
	return nil
}

func withCode(s silenced) int {
	if s.body.Code != nil {
		return 1
	}
	return 0
}

// coveredElsewhere tells whether somebody else's word stops the same, on the same
// proof.
func coveredElsewhere(r *store.Reader, v *record.Revocation) (bool, error) {
	rows, err := r.Revocations(v.Mandate)
	return slices.ContainsFunc(rows, func(row store.RevocationRow) bool {
		if v.Code != nil {
			return row.Bar == "" && row.Code != nil && *row.Code == *v.Code
		}
		return row.Bar == "" && row.Code == nil && row.Mandate == v.Mandate && covers(row, v.Lines)
	}), err
}

// covers tells whether a revocation stops these lines; 0 is all.
func covers(row store.RevocationRow, lines uint32) bool {
	return row.Lines == 0 || lines != 0 && row.Lines&lines == lines
}
