package record_test

import (
	"testing"
	"time"

	"relais/node/record"
	"relais/node/territory"
)

// TestAdmit is the table of who may say what.
func TestAdmit(t *testing.T) {
	key, hub := newKey(t)
	foreign, foreignHub := newKey(t)
	roster := rosterOf(t, key, foreign)
	roster.Structures[0].Serving = []territory.HubID{hub}
	serving, _ := roster.Author(hub)
	other, _ := roster.Author(foreignHub)
	national := territory.Author{ID: fill[territory.HubID](9), National: true}
	alter := func(f func(*record.Notice)) *record.Notice {
		n := notice(1)
		f(n)
		return n
	}
	closing := &record.Close{Structure: fill[territory.StructureID](0x51), Cuts: []record.Position{{Seq: 1}}}
	code := codeOf(1)

	for _, c := range []struct {
		name string
		by   territory.Author
		body record.Body
		want record.Bar
	}{
		{"notice of a structure it serves", serving, notice(1), ""},
		{"notice of a structure it does not serve", other, notice(1), record.BarAuthor},
		{"notice of the national service", national, notice(1), record.BarAuthor},
		{"notice of an unknown structure", serving, alter(func(n *record.Notice) { n.Structure[0]++ }), record.BarAuthor},
		{"no mandate", serving, alter(func(n *record.Notice) { n.Mandate = record.MandateID{} }), record.BarForm},
		{"no line", serving, alter(func(n *record.Notice) { n.Lines = 0 }), record.BarForm},
		{"33 lines", serving, alter(func(n *record.Notice) { n.Lines = 33 }), record.BarForm},
		{"regime to come", serving, alter(func(n *record.Notice) { n.Regime = 3 }), record.BarForm},
		{"ends before it starts", serving, alter(func(n *record.Notice) { n.End = n.Start }), record.BarTime},
		{"367 days", serving, alter(func(n *record.Notice) { n.End = n.Start.Add(367 * 24 * time.Hour) }), record.BarTime},
		{"begins an hour after it was said", serving, alter(func(n *record.Notice) {
			n.Start, n.End = n.Start.Add(time.Hour), n.End.Add(time.Hour)
		}), record.BarTime},
		{"a mirror of last month's", serving, alter(func(n *record.Notice) {
			n.Start, n.Regime = n.Start.Add(-30*24*time.Hour), record.AidantsConnect
		}), ""},

		{"stop at any desk", other, revocation(1, 0), ""},
		{"stop by the national service", national, revocation(1, 0), ""},
		{"stop by code", other, byCode(1, code), ""},
		{"stop at a kiosk without a code", other, &record.Revocation{Mandate: fill[record.MandateID](1), Channel: record.ChannelKiosk}, record.BarForm},
		{"code at a desk", other, &record.Revocation{Mandate: fill[record.MandateID](1), Channel: record.ChannelDesk, Code: &code}, record.BarForm},
		{"stop of no mandate", other, &record.Revocation{Channel: record.ChannelDesk}, record.BarForm},
		{"reason and channel to come", other, &record.Revocation{Mandate: fill[record.MandateID](1), Reason: 99, Channel: 99}, ""},

		{"close by a hub that serves", serving, closing, ""},
		{"close by another hub", other, closing, record.BarAuthor},
		{"close by the national service", national, closing, ""},
		{"suspension", other, &record.Helper{Helper: fill[territory.HelperID](1)}, ""},
		{"reinstatement by its author", other, lifts(other.Index, 1, 8), ""},
		{"reinstatement by another", serving, lifts(other.Index, 1, 8), record.BarAuthor},
		{"reinstatement by the national service", national, lifts(other.Index, 1, 80), ""},
		{"reinstatement in advance", other, lifts(other.Index, 1, 9), record.BarForm},
		{"reinstatement of an earlier log's", other, lifts(other.Index, 0, 80), ""},
		{"reinstatement in a later log", other, lifts(other.Index, 2, 1), record.BarForm},
		{"reinstatement by the national service of its own to come", national, lifts(national.Index, 1, 9), record.BarForm},
		{"floor", other, &record.Floor{Seq: 8}, ""},
		{"floor above itself", other, &record.Floor{Seq: 9}, record.BarForm},
		{"a kind to come", serving, &record.Unknown{Of: 9, Version: 1, Raw: []byte{0xf6}}, record.BarKind},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := record.Admit(at(c.by.ID, 9, c.body), c.by, roster); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func lifts(index, incarnation uint16, seq uint32) *record.Helper {
	return &record.Helper{
		Helper: fill[territory.HelperID](1), Lifts: &record.Position{Index: index, Incarnation: incarnation, Seq: seq},
	}
}

func TestWeigh(t *testing.T) {
	id := fill[record.MandateID](1)
	code := codeOf(1)
	mine := []record.Claim{{Stop: code.Commitment(demo)}}
	for _, c := range []struct {
		name   string
		claims []record.Claim
		stops  []*record.Revocation
		want   record.Standing
	}{
		{"nothing", nil, nil, record.Standing{}},
		{"a notice", mine, nil, record.Standing{Notices: 1}},
		{"a line", mine, []*record.Revocation{revocation(1, 2)}, record.Standing{Notices: 1, Lines: 2}},
		{"two lines", mine, []*record.Revocation{revocation(1, 2), revocation(1, 1)}, record.Standing{Notices: 1, Lines: 3}},
		{"all", mine, []*record.Revocation{revocation(1, 2), revocation(1, 0)}, record.Standing{Notices: 1, Lines: 2, All: true}},
		{"of another mandate", mine, []*record.Revocation{revocation(2, 0)}, record.Standing{Notices: 1}},
		{"the right code", mine, []*record.Revocation{byCode(1, code)}, record.Standing{Notices: 1, All: true}},
		{"a wrong code", mine, []*record.Revocation{byCode(1, codeOf(2))}, record.Standing{Notices: 1}},
		{"the right code, naming another mandate", mine, []*record.Revocation{byCode(2, code)}, record.Standing{Notices: 1, All: true}},
		{"before the notice", nil, []*record.Revocation{revocation(1, 0)}, record.Standing{All: true}},
		{"a code before the notice", nil, []*record.Revocation{byCode(1, code)}, record.Standing{}},
		{"two notices", append(mine, record.Claim{}), nil, record.Standing{Notices: 2}},
		{"closed", []record.Claim{{Closed: true}}, nil, record.Standing{Notices: 1, All: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := record.Weigh(id, c.claims, c.stops, demo); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
	if !record.Mismatch(byCode(1, codeOf(2)), mine, demo) || record.Mismatch(byCode(1, code), mine, demo) || record.Mismatch(byCode(1, codeOf(2)), nil, demo) {
		t.Error("Mismatch: a wrong code, and only with a notice to compare it with")
	}
	s := record.Standing{Notices: 2, Lines: 1<<31 | 1}
	if !s.Conflict() || !s.Stops(1) || s.Stops(2) || !s.Stops(32) || s.Stops(0) || s.Stops(33) {
		t.Errorf("%+v answers wrongly", s)
	}
}
