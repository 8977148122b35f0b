package node

import (
	"context"
	"fmt"
	"time"

	"relais/node/fault"
	"relais/node/internal/store"
	"relais/node/mandate"
	"relais/node/people"
	"relais/node/record"
)

// The quota of stops at a desk for mandates of other structures. It binds this
// hub; others apply what they receive, always, and raise an alarm above it.
const (
	maxForeignStops    = 20
	foreignStopsPeriod = time.Hour
)

// DeskStop is a stop asked for at a desk.
type DeskStop struct {
	Mandate mandate.ID
	Lines   []uint8 // empty: all
	Reason  record.Reason
	Claimed time.Time // zero: now
}

// StopAtDesk stops a mandate, or lines of it, at a desk. For a mandate of another
// structure the person herself asks, her identity shown; at most 20 of those an
// hour on one hub, then Limited.
func (n *Node) StopAtDesk(ctx context.Context, by Actor, s DeskStop) (receipt Receipt, err error) {
	if err := by.may(people.VerbStop); err != nil {
		return Receipt{}, err
	}
	err = n.db.Write(ctx, func(tx *store.Tx) (err error) {
		receipt, err = n.stopAtDesk(tx, by, s)
		if err == nil {
			receipt.StillActive, err = n.allStillActive(tx.Reader, receipt.Mandates)
		}
		return err
	})
	if err != nil {
		return Receipt{}, fmt.Errorf("stop %s at the desk: %w", s.Mandate, n.stopsNothing(err))
	}
	return receipt, nil
}

func (n *Node) stopAtDesk(tx *store.Tx, by Actor, s DeskStop) (Receipt, error) {
	notices, err := tx.Notices(s.Mandate)
	if err != nil {
		return Receipt{}, err
	}
	if len(notices) == 0 {
		return Receipt{}, unknownMandate(s.Mandate)
	}
	v, err := deskRevocation(tx.Now, notices[0], s)
	if err != nil {
		return Receipt{}, err
	}
	receipt := Receipt{Mandates: []mandate.ID{s.Mandate}, Place: n.Name(), At: tx.Now}
	standing := record.Standing{All: notices[0].AllStopped, Lines: notices[0].Stopped}
	foreign := notices[0].Structure != by.Structure
	if standing.All || v.Lines != 0 && standing.Lines&v.Lines == v.Lines {
		said, err := n.saidHere(tx.Reader, v)
		if err == nil && !said {
			_, err = n.revokeAtDesk(tx, by, v, foreign)
		}
		if err != nil && !fault.Is(err, fault.Limited) && !fault.Is(err, fault.Forbidden) { // it is stopped all the same
			return Receipt{}, err
		}
		return n.alreadyStopped(tx.Reader, receipt, v.Lines)
	}
	place, err := n.revokeAtDesk(tx, by, v, foreign)
	receipt.Number = receiptNumber(place)
	return receipt, err
}

// revokeAtDesk writes a revocation, within what this desk may stop for other
// structures.
func (n *Node) revokeAtDesk(tx *store.Tx, by Actor, v record.Revocation, foreign bool) (record.Place, error) {
	if foreign {
		if err := mayStopForeign(tx, v); err != nil {
			return record.Place{}, err
		}
	}
	place, err := n.revoke(tx, by.Helper.String(), v)
	if err == nil && foreign {
		err = tx.MarkElsewhere(place)
	}
	return place, err
}

// deskRevocation checks what was asked and puts it in a record's terms.
func deskRevocation(now time.Time, notice store.NoticeRow, s DeskStop) (record.Revocation, error) {
	v := record.Revocation{Mandate: s.Mandate, Reason: s.Reason, Channel: record.ChannelDesk, Claimed: s.Claimed}
	for _, line := range s.Lines {
		if line < 1 || line > notice.Lines {
			return v, fault.Errorf(fault.Invalid, "Cette ligne n’est pas dans le mandat.", "line %d of %d", line, notice.Lines).On("lines")
		}
		v.Lines |= 1 << (line - 1)
	}
	if s.Reason < record.ReasonPerson || s.Reason > record.ReasonOther {
		return v, fault.Errorf(fault.Invalid, "Choisissez pourquoi le mandat est arrêté.", "reason %d", s.Reason).On("reason")
	}
	if v.Claimed.IsZero() {
		v.Claimed = stoppedNow(now, notice)
		return v, nil
	}
	v.Claimed = v.Claimed.UTC().Truncate(time.Millisecond)
	if v.Claimed.After(now) || v.Claimed.Before(notice.Start) {
		return v, fault.Errorf(fault.Invalid, "La date de l’arrêt est avant le mandat ou dans l’avenir.", "claimed instant out of range").On("claimed")
	}
	return v, nil
}

// stoppedNow is the instant of a stop that is asked for now. It is not before what
// it stops, whatever this hub's clock shows: a stop is never refused for that, and
// no screen is to say that a mandate was stopped years before it began.
func stoppedNow(now time.Time, notice store.NoticeRow) time.Time {
	return laterOf(now.UTC().Truncate(time.Millisecond), notice.Start)
}

// mayStopForeign bounds what this desk stops for other structures.
func mayStopForeign(tx *store.Tx, v record.Revocation) error {
	if v.Reason != record.ReasonPerson {
		return fault.Errorf(fault.Forbidden,
			"Ce mandat est celui d’une autre structure\u00a0: seule la personne elle-même peut demander son arrêt ici.",
			"reason %d for a mandate of another structure", v.Reason).On("reason")
	}
	stops, err := tx.StopsElsewhere(tx.Now.Add(-foreignStopsPeriod), maxForeignStops)
	if err != nil || len(stops) < maxForeignStops {
		return err
	}
	wait := stops[0].Add(foreignStopsPeriod).Sub(tx.Now)
	return fault.Errorf(fault.Limited,
		fmt.Sprintf("Ce relais a déjà arrêté %d\u00a0mandats d’autres structures en une heure. Réessayez dans %s, ou utilisez le code d’arrêt à la borne.",
			maxForeignStops, minutesText(int(wait/time.Minute)+1)),
		"%d desk stops for other structures in an hour", len(stops)).After(wait)
}

func minutesText(n int) string {
	if n <= 1 {
		return "une minute"
	}
	return fmt.Sprintf("%d\u00a0minutes", n)
}
