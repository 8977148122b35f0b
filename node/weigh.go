package node

import (
	"slices"

	"relais/node/record"
)

// finish weighs every mandate that was touched, and hashes every forked log again.
func (a *absorption) finish() error {
	if err := a.rehash(); err != nil {
		return err
	}
	ids := make([]record.MandateID, 0, len(a.touched))
	for id := range a.touched {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(x, y record.MandateID) int { return slices.Compare(x[:], y[:]) })
	for _, id := range ids {
		if err := a.weigh(id); err != nil {
			return err
		}
	}
	return nil
}

// weigh writes what all records say of one mandate beside each of its notices,
// and marks the revocations whose code does not open it.
func (a *absorption) weigh(id record.MandateID) error {
	notices, err := a.tx.Notices(id)
	if err != nil || len(notices) == 0 {
		return err
	}
	claims := make([]record.Claim, len(notices))
	for i, n := range notices {
		closed, _, err := a.tx.ClosedAt(n.Structure, n.Place)
		if err != nil {
			return err
		}
		claims[i] = record.Claim{Stop: n.Stop, Closed: !closed.IsZero()}
	}
	rows, err := a.tx.Revocations(id)
	if err != nil {
		return err
	}
	stops := make([]*record.Revocation, len(rows))
	for i := range rows {
		stops[i] = &rows[i].Revocation
		if rows[i].Mandate != id {
			continue
		}
		bar := record.Bar("")
		if record.Mismatch(stops[i], claims, a.roster.Territory) {
			bar = record.BarCode
		}
		if bar != rows[i].Bar {
			if err := a.tx.BarRecord(rows[i].Record, bar); err != nil {
				return err
			}
		}
	}
	standing := record.Weigh(id, claims, stops, a.roster.Territory)
	for _, n := range notices {
		if n.Stopped == standing.Lines && n.AllStopped == standing.All && n.Conflict == standing.Conflict() {
			continue // as of a notice just made
		}
		if err := a.tx.SetStanding(n.Record, standing); err != nil {
			return err
		}
		if err := a.settle(n, standing); err != nil {
			return err
		}
	}
	return nil
}

// touchStopped marks the mandates that a revocation may stop: the one it names,
// and those that its code opens.
func (a *absorption) touchStopped(v *record.Revocation) error {
	a.touched[v.Mandate] = true
	if v.Code == nil {
		return nil
	}
	opened, err := a.tx.NoticesByStop(v.Code.Commitment(a.roster.Territory))
	for _, n := range opened {
		a.touched[n.Mandate] = true
	}
	return err
}

// touchClosed marks the mandates that a close may end.
func (a *absorption) touchClosed(b *record.Close) error {
	for _, cut := range b.Cuts {
		at, known := a.place(cut)
		if !known {
			continue
		}
		ended, err := a.tx.NoticesUpTo(b.Structure, at)
		if err != nil {
			return err
		}
		for _, n := range ended {
			a.touched[n.Mandate] = true
		}
	}
	return nil
}
