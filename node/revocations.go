package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"relais/node/fault"
	"relais/node/id"
	"relais/node/internal/store"
	"relais/node/journal"
	"relais/node/mandate"
	"relais/node/people"
	"relais/node/record"
	"relais/node/seal"
)

// stopDelay slows down who tries codes at one kiosk. A code is 80 random bits and
// a check symbol, so it is there against a machine, not against a shaking hand.
var stopDelay = store.Delay{Bucket: "stop", Free: 3, First: 2 * time.Second, Max: time.Minute, Forget: 15 * time.Minute}

// Receipt is what a person takes away after a stop. It says nothing of who or
// what for.
type Receipt struct {
	Number string // of the receipt: the place of the revocation, shown form
	// Mandates were stopped: a code stops every match.
	Mandates []mandate.ID
	Place    string // the site's name
	At       time.Time
	// Already is true when it was stopped before: At and Place are then those.
	Already bool
	// Published is false until the revocation is signed.
	Published bool
	// StillActive says of what was made in Aidants Connect that it is not stopped
	// there; empty when nothing was. One of each that differs.
	StillActive []StillActive
}

// StopByCode stops, entirely, every mandate of the territory that the code
// commits to. from names the kiosk for growing delays: nobody is ever locked
// out. A wrong code is NotFound, a malformed one Invalid; Limited says how long
// to wait; a hub that is Outside is Forbidden, and stops nothing.
func (n *Node) StopByCode(ctx context.Context, code, from string) (Receipt, error) {
	parsed, err := record.ParseStopCode(code)
	if err != nil {
		return Receipt{}, malformedCode(err)
	}
	var receipt Receipt
	var refusal error
	err = n.db.Write(ctx, func(tx *store.Tx) (err error) {
		receipt, refusal, err = n.stopByCode(tx, parsed, from)
		return err
	})
	if err == nil {
		err = refusal
	}
	if err != nil {
		return Receipt{}, fmt.Errorf("stop by code: %w", n.stopsNothing(err))
	}
	return receipt, nil
}

func malformedCode(err error) error {
	message := "Un code d’arrêt compte 17\u00a0caractères, comme 7K3M-9QXD-4T2P-HW8V-5. Vérifiez ce que vous avez tapé."
	if errors.Is(err, record.ErrCodeCheck) {
		message = "Un caractère du code a été mal lu ou mal tapé. Comparez avec votre copie et recommencez."
	}
	return fault.New(fault.Invalid, message, err).On("code")
}

// stopByCode is the transaction. A refusal is committed, because an attempt
// counts; an error undoes all.
func (n *Node) stopByCode(tx *store.Tx, code record.StopCode, from string) (receipt Receipt, refusal, err error) {
	notices, refusal, err := n.openedBy(tx, code, from)
	if refusal != nil || err != nil {
		return receipt, refusal, err
	}
	receipt, err = n.stopAll(tx, notices, code)
	if err == nil {
		receipt.StillActive, err = n.allStillActive(tx.Reader, receipt.Mandates)
	}
	return receipt, nil, err
}

// openedBy finds what a code stops, and counts the attempt when it stops nothing.
func (n *Node) openedBy(tx *store.Tx, code record.StopCode, from string) (notices []store.NoticeRow, refusal, err error) {
	attempt := store.Attempted{Delay: stopDelay, Key: n.sealer.Tag(seal.PurposeCredential, []byte("stop\x00"+source(from)))}
	wait, err := tx.Attempt(attempt)
	if err != nil {
		return nil, nil, err
	}
	if wait > 0 {
		return nil, fault.Of(limited(wait)).On("code"), nil
	}
	if notices, err = tx.NoticesByStop(code.Commitment(n.birth.Territory)); err != nil {
		return nil, nil, err
	}
	if len(notices) == 0 {
		return nil, fault.Errorf(fault.NotFound,
			"Aucun mandat connu ici n’a ce code. Comparez-le avec votre copie. S’il est bon, ce relais n’a pas encore reçu votre mandat\u00a0: recommencez dans un moment, ou là où le mandat a été fait.",
			"no notice for this stop code").On("code"), nil
	}
	return notices, nil, tx.Forgive(attempt)
}

// NoticesByCode returns what is known of every mandate that the code stops, so
// that a desk can say what it is about to stop. It stops nothing. A try counts
// as one of StopByCode, with the same faults.
func (n *Node) NoticesByCode(ctx context.Context, by Actor, code, from string) ([]NoticeView, error) {
	if err := by.may(people.VerbStop); err != nil {
		return nil, err
	}
	parsed, err := record.ParseStopCode(code)
	if err != nil {
		return nil, malformedCode(err)
	}
	var rows []store.NoticeRow
	var refusal error
	err = n.db.Write(ctx, func(tx *store.Tx) (err error) {
		rows, refusal, err = n.openedBy(tx, parsed, from)
		return err
	})
	if err = cmp.Or(err, refusal); err != nil {
		return nil, fmt.Errorf("find by code: %w", err)
	}
	var views []NoticeView
	for _, row := range rows {
		if slices.ContainsFunc(views, func(v NoticeView) bool { return v.Mandate == row.Mandate }) {
			continue
		}
		view, err := n.Notice(ctx, row.Mandate)
		if err != nil {
			return nil, err
		}
		views = append(views, view)
	}
	return views, nil
}

// stopAll stops every mandate that the code opens and that still runs. When none
// does, the receipt tells of the first stop.
func (n *Node) stopAll(tx *store.Tx, notices []store.NoticeRow, code record.StopCode) (Receipt, error) {
	receipt := Receipt{Place: n.Name(), At: tx.Now}
	done := map[mandate.ID]bool{}
	for _, notice := range notices {
		if done[notice.Mandate] {
			continue
		}
		done[notice.Mandate] = true
		receipt.Mandates = append(receipt.Mandates, notice.Mandate)
		v := record.Revocation{
			Mandate: notice.Mandate, Reason: record.ReasonPerson, Channel: record.ChannelKiosk, Claimed: stoppedNow(tx.Now, notice), Code: &code,
		}
		said := false
		if notice.AllStopped {
			var err error
			if said, err = n.saidHere(tx.Reader, v); err != nil {
				return Receipt{}, err
			}
		}
		if said {
			continue
		}
		place, err := n.revoke(tx, actorKiosk, v)
		if err != nil {
			return Receipt{}, err
		}
		if receipt.Number == "" && !notice.AllStopped {
			receipt.Number = receiptNumber(place)
		}
	}
	if receipt.Number != "" {
		return receipt, nil
	}
	return n.alreadyStopped(tx.Reader, receipt, 0)
}

// saidHere tells whether this hub itself stopped what a revocation stops. What only
// another hub said falls with it, when it is expelled below; and the person is told
// here that her mandate is ended. So a hub says it too, once.
func (n *Node) saidHere(r *store.Reader, v record.Revocation) (bool, error) {
	rows, err := r.Revocations(v.Mandate)
	return slices.ContainsFunc(rows, func(row store.RevocationRow) bool {
		covers := row.Lines == 0 || v.Lines != 0 && row.Lines&v.Lines == v.Lines
		return row.Hub == n.self && row.Bar == "" && covers
	}), err
}

// revoke writes a revocation and its journal entry.
func (n *Node) revoke(tx *store.Tx, actor string, v record.Revocation) (record.Place, error) {
	place, _, err := n.author(tx, &v)
	if err != nil {
		return place, err
	}
	return place, n.note(tx, entry{
		Kind: journal.KindMandateStop, Actor: actor, Subject: v.Mandate.String(),
		Public: map[string]any{
			"lines": v.Lines, "reason": uint(v.Reason), "channel": uint(v.Channel), "claimed": v.Claimed.UnixMilli(),
			"incarnation": place.Incarnation, "seq": place.Seq,
		},
	})
}

// alreadyStopped fills a receipt from the stop that came first for these lines.
func (n *Node) alreadyStopped(r *store.Reader, receipt Receipt, lines uint32) (Receipt, error) {
	receipt.Already = true
	for _, id := range receipt.Mandates {
		stops, err := n.stops(r, id)
		if err != nil {
			return receipt, err
		}
		for _, s := range stops {
			if s.Lines != 0 && (lines == 0 || s.Lines&lines == 0) {
				continue
			}
			receipt.At, receipt.Place = s.ReceivedAt, n.hubName(s.Where)
			break
		}
		rows, err := r.Revocations(id)
		if err != nil {
			return receipt, err
		}
		for _, row := range rows {
			if row.Received.Equal(receipt.At) {
				receipt.Number, receipt.Published = receiptNumber(row.Place), row.Signed
				return receipt, nil
			}
		}
	}
	return receipt, nil
}

// receiptNumber is short enough to be read aloud: four symbols of the hub, its
// incarnation, the number in its log.
func receiptNumber(p record.Place) string {
	return id.Encode(p.Hub[:])[:4] + "-" + strconv.Itoa(int(p.Incarnation)) + "-" + strconv.FormatUint(uint64(p.Seq), 10)
}
