package node

import (
	"encoding/binary"
	"slices"

	"relais/node/internal/store"
	"relais/node/mandate"
	"relais/node/record"
	"relais/node/territory"
)

// stops lists, in order of receipt, the revocations that stop a mandate or lines
// of it, the closes of its structure included.
func (n *Node) stops(r *store.Reader, id mandate.ID) ([]mandate.Stop, error) {
	notices, err := r.Notices(id)
	if err != nil {
		return nil, err
	}
	rows, err := r.Revocations(id)
	if err != nil {
		return nil, err
	}
	var stops []mandate.Stop
	for _, row := range rows {
		if stop, counts := n.stopOf(id, row, notices); counts {
			stops = append(stops, stop)
		}
	}
	for _, notice := range notices {
		at, by, err := r.ClosedAt(notice.Structure, notice.Place)
		if err != nil {
			return nil, err
		}
		if !at.IsZero() {
			stops = append(stops, mandate.Stop{Reason: record.ReasonStructure, Channel: record.ChannelSystem, ReceivedAt: at, Where: by})
		}
	}
	slices.SortStableFunc(stops, func(a, b mandate.Stop) int { return a.ReceivedAt.Compare(b.ReceivedAt) })
	return stops, nil
}

// stopOf is what one revocation stops of a mandate: one with a code, the whole of
// what the code opens and nothing else.
func (n *Node) stopOf(id mandate.ID, row store.RevocationRow, notices []store.NoticeRow) (mandate.Stop, bool) {
	lines, counts := row.Lines, row.Mandate == id
	if row.Code != nil {
		commitment := row.Code.Commitment(n.birth.Territory)
		lines = 0
		counts = slices.ContainsFunc(notices, func(c store.NoticeRow) bool { return c.Stop == commitment })
	}
	return mandate.Stop{
		Lines: lines, Reason: row.Reason, Channel: n.channelOf(row), Claimed: row.Claimed, ReceivedAt: row.Received, Where: row.Hub,
	}, counts
}

// channelOf is how a stop was asked for. What the author says is believed no
// further than it is known: only the national service stops nationally, and only
// a code is a kiosk. All else was done at the hub that signed it, which is named.
func (n *Node) channelOf(row store.RevocationRow) record.Channel {
	roster := n.Roster()
	switch {
	case roster != nil && roster.National != nil && roster.National.ID == row.Hub:
		return record.ChannelNational
	case row.Code != nil:
		return record.ChannelKiosk
	}
	return record.ChannelDesk
}

// hubName is the roster's name of a hub or of the national service.
func (n *Node) hubName(id territory.HubID) string {
	if id == n.self {
		return n.Name()
	}
	if roster := n.Roster(); roster != nil {
		if hub, found := roster.Hub(id); found {
			return hub.Name
		}
		if roster.National != nil && roster.National.ID == id {
			return roster.National.Name
		}
	}
	return "un relais inconnu"
}

// knownVector is what this hub knows, for the journal: a row a log, of roster
// index u16, incarnation u16, seq u32 and the first 8 octets of the head's hash.
func (n *Node) knownVector(r *store.Reader) ([]byte, error) {
	logs, err := r.Logs()
	if err != nil {
		return nil, err
	}
	roster := n.Roster()
	if roster == nil {
		return nil, nil
	}
	vector := make([]byte, 0, 16*len(logs))
	for _, l := range logs {
		author, known := roster.Author(l.Hub)
		if !known || l.Head == 0 {
			continue
		}
		vector = binary.BigEndian.AppendUint16(vector, author.Index)
		vector = binary.BigEndian.AppendUint16(vector, l.Incarnation)
		vector = binary.BigEndian.AppendUint32(vector, l.Head)
		vector = append(vector, l.Hash[:8]...)
	}
	return vector, nil
}

// stopViews is stops with the name of where each was made.
func (n *Node) stopViews(r *store.Reader, id mandate.ID) ([]StopView, error) {
	stops, err := n.stops(r, id)
	views := make([]StopView, len(stops))
	for i, s := range stops {
		views[i] = StopView{s, n.hubName(s.Where)}
	}
	return views, err
}
