package exchange_test

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"relais/node"
	"relais/node/record"
	"relais/node/territory"
	"relais/sync/exchange"
	"relais/sync/link/linktest"
)

// shelf is a memory of records that are records, log by log in this order.
// Nobody checks their signatures; what barred wrote is refused.
type shelf struct {
	*memory
	order  []territory.HubID
	logs   map[territory.HubID][]*record.Envelope
	barred map[territory.HubID]bool
}

func newShelf(version uint32, order ...linktest.Hub) *shelf {
	s := &shelf{memory: newMemory(version), logs: make(map[territory.HubID][]*record.Envelope), barred: make(map[territory.HubID]bool)}
	for _, h := range order {
		s.order = append(s.order, h.ID)
	}
	return s
}

// admit puts a hub on the shelf's roster.
func (s *shelf) admit(t *testing.T, index uint16, h linktest.Hub) {
	t.Helper()
	s.roster.Hubs = append(s.roster.Hubs, territory.Hub{Index: index, ID: h.ID, Identity: linktest.SPKI(t, h.Identity)})
}

// write appends n records of the hub.
func (s *shelf) write(t *testing.T, hub territory.HubID, n int) {
	t.Helper()
	for range n {
		r := record.Record{
			Territory: "test", Place: record.Place{LogID: record.LogID{Hub: hub, Incarnation: 1}, Seq: uint32(len(s.logs[hub]) + 1)},
			Time: time.Now().UTC().Truncate(time.Millisecond), Kind: record.KindRevocation,
			Body: &record.Revocation{Mandate: newMandate(), Reason: record.ReasonPerson, Channel: record.ChannelDesk, Claimed: time.Now().UTC().Truncate(time.Millisecond)},
		}
		if log := s.logs[hub]; len(log) > 0 {
			r.Prev = [16]byte(log[len(log)-1].Hash[:16])
		}
		payload, err := r.Encode()
		if err != nil {
			t.Fatal(err)
		}
		e, err := record.Parse(record.Assemble(hub, payload, [64]byte{}))
		if err != nil {
			t.Fatal(err)
		}
		s.logs[hub] = append(s.logs[hub], e)
	}
}

// next writes one more record of the first hub.
func (s *shelf) next(t *testing.T) []byte {
	t.Helper()
	s.write(t, s.order[0], 1)
	log := s.logs[s.order[0]]
	return log[len(log)-1].Wire()
}

func (s *shelf) Vector(context.Context) (record.Vector, error) {
	v := record.Vector{RosterVersion: s.roster.Version}
	rand.Read(v.Salt[:])
	for _, h := range s.roster.Hubs { // by index, as the tests admit them
		if log := s.logs[h.ID]; len(log) > 0 {
			last := log[len(log)-1]
			v.Entries = append(v.Entries, record.VectorEntry{Index: h.Index, Incarnation: 1, Seq: last.Seq, Head: record.Salted(v.Salt, last.Hash)})
		}
	}
	return v, nil
}

func (s *shelf) Missing(_ context.Context, theirs record.Vector, maxOctets int) (page [][]byte, more bool, err error) {
	for _, hub := range s.order {
		index, _ := s.roster.IndexOf(hub)
		log := s.logs[hub]
		e, _ := theirs.Find(index, 1)
		from := e.Seq
		if from > 0 && from <= uint32(len(log)) && record.Salted(theirs.Salt, log[from-1].Hash) != e.Head {
			from-- // as a node does: the record at the place where the histories part
		}
		for _, r := range log[min(int(from), len(log)):] {
			wire := r.Wire()
			if maxOctets -= len(wire); maxOctets < 0 {
				return page, true, nil
			}
			page = append(page, wire)
		}
	}
	return page, false, nil
}

func (s *shelf) Apply(_ context.Context, wires [][]byte, _ territory.HubID) (done node.Applied, err error) {
	for _, wire := range wires {
		e, err := record.Parse(wire)
		if err != nil {
			return done, err
		}
		_, known := s.roster.IndexOf(e.Hub)
		switch have := uint32(len(s.logs[e.Hub])); {
		case !known || s.barred[e.Hub]:
			done.Refused++
		case e.Seq <= have:
			done.Known++
		case e.Seq == have+1:
			s.logs[e.Hub] = append(s.logs[e.Hub], e)
			done.New++
		default:
			return done, errors.New("a page out of order")
		}
	}
	return done, nil
}

// serve makes the shelf a hub that others may pull from.
func (s *shelf) serve(t *testing.T, terr *linktest.Territory) linktest.Hub {
	t.Helper()
	h := linktest.NewHub(t)
	l := terr.Open(t, h, linktest.Options{HTTP: exchange.NewHandler(exchange.HandlerOptions{Records: s, Rosters: s})})
	terr.Admit(t, h, l.Addr().String())
	linktest.Run(t, l)
	return h
}

// pullInto pulls from a hub.
func pullInto(t *testing.T, local exchange.Local, terr *linktest.Territory, from linktest.Hub) (exchange.Pulled, error) {
	t.Helper()
	h := linktest.NewHub(t)
	l := terr.Open(t, h, linktest.Options{})
	terr.Admit(t, h)
	linktest.Run(t, l)
	return exchange.NewClient(local, l.HTTPClient(), nil).PullRecords(t.Context(), from.ID)
}

const overAPage = 2500 // records: more than 256 KiB of the shortest ones

func TestRefusedLogDoesNotHideOthers(t *testing.T) {
	for name, known := range map[string]bool{"of a hub that is barred": true, "of a hub that our roster does not know": false} {
		t.Run(name, func(t *testing.T) {
			terr := linktest.NewTerritory()
			bad, good := linktest.NewHub(t), linktest.NewHub(t)
			theirs, ours := newShelf(1, bad, good), newShelf(1)
			theirs.admit(t, 4, bad)
			theirs.admit(t, 7, good)
			if known {
				ours.admit(t, 4, bad)
				ours.barred[bad.ID] = true
			}
			ours.admit(t, 7, good)
			theirs.write(t, bad.ID, overAPage)
			theirs.write(t, good.ID, 3)
			from := theirs.serve(t, terr)
			done, err := pullInto(t, ours, terr, from)
			if err != nil || done.New != 3 || len(ours.logs[good.ID]) != 3 {
				t.Errorf("pulled %+v, %v", done, err)
			}
			if done.Refused == 0 || done.Pages < 2 {
				t.Errorf("nothing stood in the way: %+v", done)
			}
			if !ours.compared[from.ID].IsZero() {
				t.Error("noted as compared, though some was refused")
			}
			if known {
				ours.barred = nil
				if done, err := pullInto(t, ours, terr, from); err != nil || done.New != overAPage {
					t.Errorf("the next pull did not try again: %+v, %v", done, err)
				}
				if ours.compared[from.ID].IsZero() {
					t.Error("not noted as compared, though nothing was refused")
				}
			}
		})
	}
}

// A page that is the last one is no proof of being up to date either.
func TestRefusalIsNotCompared(t *testing.T) {
	terr := linktest.NewTerritory()
	hub := linktest.NewHub(t)
	theirs, ours := newShelf(1, hub), newShelf(1)
	theirs.admit(t, 1, hub)
	ours.admit(t, 1, hub)
	ours.barred[hub.ID] = true
	theirs.write(t, hub.ID, 2)
	from := theirs.serve(t, terr)
	if done, err := pullInto(t, ours, terr, from); err != nil || done.Refused != 2 || !ours.compared[from.ID].IsZero() {
		t.Errorf("%+v, %v, compared %v", done, err, ours.compared[from.ID])
	}
}

// A roster that cannot be followed does not keep a revocation away.
func TestRosterNotFollowed(t *testing.T) {
	terr := linktest.NewTerritory()
	hub := linktest.NewHub(t)
	theirs, ours := newShelf(9, hub), newShelf(1)
	theirs.admit(t, 1, hub)
	ours.admit(t, 1, hub)
	theirs.write(t, hub.ID, 2)
	from := theirs.serve(t, terr)
	done, err := pullInto(t, &stuck{ours}, terr, from)
	if !errors.Is(err, errRotated) {
		t.Errorf("the roster's error is lost: %v", err)
	}
	if done.Roster || done.New != 2 {
		t.Errorf("pulled %+v", done)
	}
}

var errRotated = errors.New("signed by another root")

// stuck is a shelf that no new roster suits.
type stuck struct{ *shelf }

func (s *stuck) InstallRoster(context.Context, []byte) error { return errRotated }
