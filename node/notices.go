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
	"relais/node/territory"
)

// NoticeView is what this hub knows of any mandate of the territory, dossier or not.
type NoticeView struct {
	Mandate    mandate.ID
	Structure  territory.StructureID
	Regime     record.MandateKind
	Origin     territory.HubID
	Lines      uint8
	Start, End time.Time
	State      mandate.State
	Stops      []StopView
	OriginName string
	HasDossier bool
	// ForgottenAt is when its person was forgotten here; zero: she was not.
	ForgottenAt time.Time
	// StillActive says what is left to do in Aidants Connect; nil for nothing.
	StillActive *StillActive
}

// IsMirror tells whether the mandate was made in Aidants Connect.
func (v NoticeView) IsMirror() bool { return v.Regime == record.AidantsConnect }

// Notice returns what is known of a mandate; NotFound when nothing is.
func (n *Node) Notice(ctx context.Context, id mandate.ID) (NoticeView, error) {
	var v NoticeView
	err := n.db.Read(ctx, func(r *store.Reader) error {
		notices, err := r.Notices(id)
		if err != nil {
			return err
		}
		if len(notices) == 0 {
			return unknownMandate(id)
		}
		notice := notices[0]
		v = NoticeView{
			Mandate: id, Structure: notice.Structure, Regime: notice.Regime, Origin: notice.Hub, OriginName: n.hubName(notice.Hub),
			Lines: notice.Lines, Start: notice.Start, End: notice.End,
		}
		if v.HasDossier, err = r.HasDossier(id); err != nil {
			return err
		}
		gone, _, err := r.Forgotten(id)
		if err != nil {
			return err
		}
		v.ForgottenAt = gone.At
		if v.Stops, err = n.stopViews(r, id); err != nil {
			return err
		}
		if v.StillActive, err = n.stillActive(r, id); err != nil {
			return err
		}
		facts, err := n.facts(r, people.HelperID{}, id)
		v.State = mandate.StateOf(facts, n.now())
		return err
	})
	if err != nil {
		return NoticeView{}, fmt.Errorf("notice of %s: %w", id, err)
	}
	return v, nil
}

// soleNotice returns the one notice of a mandate: NotFound for none, Conflict for
// several.
func (n *Node) soleNotice(r *store.Reader, id mandate.ID) (store.NoticeRow, error) {
	notices, err := r.Notices(id)
	switch {
	case err != nil:
		return store.NoticeRow{}, err
	case len(notices) == 0:
		return store.NoticeRow{}, unknownMandate(id)
	case len(notices) > 1:
		return store.NoticeRow{}, fault.Errorf(fault.Conflict,
			"Deux relais déclarent ce même mandat\u00a0: il n’est pas utilisable. Prévenez le département.",
			"%d notices claim %s", len(notices), id)
	}
	return notices[0], nil
}

func unknownMandate(id mandate.ID) error {
	return fault.Errorf(fault.NotFound,
		"Ce mandat n’est pas connu de ce relais. S’il vient d’être créé ailleurs, attendez que les relais se soient joints, puis réessayez.",
		"no notice of %s", id)
}
