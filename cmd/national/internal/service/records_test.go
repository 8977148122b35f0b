package service_test

import (
	"bytes"
	"crypto/elliptic"
	"math/big"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"relais/cmd/national/internal/service"
	"relais/cmd/national/internal/store/storetest"
	"relais/node"
	"relais/node/record"
	"relais/node/territory"
	"relais/sync/national"
)

func TestApply(t *testing.T) {
	storetest.Each(t, func(t *testing.T, empty storetest.Empty) {
		g := newGround(t, empty(t), 2)
		s := g.open(t, service.Limits{})
		wires := g.pen(g.hub(0)).write(t, 20)
		apply := func(wires [][]byte) node.Applied {
			t.Helper()
			done, err := s.Apply(t.Context(), wires, g.hub(1))
			check(t, err)
			return done
		}
		if done := apply(wires); done != (node.Applied{New: 20}) {
			t.Fatalf("%+v", done)
		}
		if done := apply(wires); done != (node.Applied{Known: 20}) {
			t.Fatalf("twice: %+v", done)
		}
		counts, err := s.Counts(t.Context(), g.hub(0))
		check(t, err)
		// Of 20: revocations at 4, 8, 12, 16; unknown kinds at 10, 20.
		if diff := cmp.Diff(national.Counts{Records: 20, Notices: 14, Revocations: 4}, counts); diff != "" {
			t.Error(diff)
		}
		t.Run("a stranger's signature over known octets is known", func(t *testing.T) {
			again := slices.Clone(wires[0])
			e, err := record.Parse(again)
			check(t, err)
			e.Signature, err = record.Sign(g.keys[g.hub(0)], "demo", g.hub(0), e.Payload)
			check(t, err)
			if done := apply([][]byte{e.Wire()}); done != (node.Applied{Known: 1}) {
				t.Errorf("two signatures of one payload: %+v", done)
			}
		})
	})
}

func TestApplyRefuses(t *testing.T) {
	storetest.Each(t, func(t *testing.T, empty storetest.Empty) {
		g := newGround(t, empty(t), 3)
		cutLog := g.pen(g.hub(2))
		kept := cutLog.write(t, 3)
		cut := territory.Cut{Incarnation: 1, Seq: 3, Hash: bytes.Clone(cutLog.prev[:])}
		g.roster.Hubs[2].State, g.roster.Hubs[2].Cuts = territory.HubExpelled, []territory.Cut{cut}
		s := g.open(t, service.Limits{})
		good := g.pen(g.hub(0)).write(t, 1)[0]

		altered := bytes.Clone(good)
		altered[len(altered)-70] ^= 1
		stranger := newGround(t, empty(t), 1)
		abroad := g.pen(g.hub(0))
		abroad.code = "974"
		otherBranch := g.pen(g.hub(2))
		otherBranch.salt = 9

		for name, wire := range map[string][]byte{
			"an altered payload":      altered,
			"octets":                  []byte("not a record"),
			"nothing":                 nil,
			"oversized":               append(bytes.Clone(good), make([]byte, 300)...),
			"high S":                  highS(t, good),
			"an unknown author":       stranger.pen(stranger.hub(0)).write(t, 1)[0],
			"another territory":       abroad.write(t, 1)[0],
			"above an expelled's cut": cutLog.write(t, 1)[0],
			"another record at a cut": otherBranch.write(t, 3)[2],
		} {
			t.Run(name, func(t *testing.T) {
				done, err := s.Apply(t.Context(), [][]byte{wire}, g.hub(1))
				check(t, err)
				if done != (node.Applied{Refused: 1}) {
					t.Errorf("%+v", done)
				}
			})
		}
		t.Run("and spoils no other", func(t *testing.T) {
			done, err := s.Apply(t.Context(), [][]byte{altered, good, altered, kept[0], kept[1], kept[2]}, g.hub(1))
			check(t, err)
			if done != (node.Applied{New: 4, Refused: 2}) {
				t.Errorf("%+v", done)
			}
		})
	})
}

// highS turns a signature into its twin, which also verifies.
func highS(t *testing.T, wire []byte) []byte {
	t.Helper()
	out := bytes.Clone(wire)
	s := new(big.Int).SetBytes(out[len(out)-32:])
	s.Sub(elliptic.P256().Params().N, s).FillBytes(out[len(out)-32:])
	return out
}

func TestVectorAndMissing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, empty storetest.Empty) {
		g := newGround(t, empty(t), 2)
		s := g.open(t, service.Limits{})
		first, second := g.pen(g.hub(0)).write(t, 30), g.pen(g.hub(1)).write(t, 10)
		_, err := s.Apply(t.Context(), slices.Concat(first, second), g.hub(0))
		check(t, err)

		t.Run("an empty vector lacks everything, in log order", func(t *testing.T) {
			page, more, err := s.Missing(t.Context(), record.Vector{}, 1<<20)
			check(t, err)
			if more || !cmp.Equal(page, slices.Concat(first, second)) {
				t.Errorf("%d records, more %v", len(page), more)
			}
		})
		t.Run("pages are bounded and resume by vector", func(t *testing.T) {
			v := record.Vector{}
			var got [][]byte
			for pages := 0; ; pages++ {
				page, more, err := s.Missing(t.Context(), v, 2000)
				check(t, err)
				if octets := len(slices.Concat(page...)); octets > 2000 {
					t.Fatalf("a page of %d octets", octets)
				}
				got = append(got, page...)
				v = vectorOf(t, g, got)
				if !more {
					if pages < 3 {
						t.Errorf("only %d pages", pages)
					}
					break
				}
			}
			if !cmp.Equal(got, slices.Concat(first, second)) {
				t.Errorf("%d records", len(got))
			}
		})
		t.Run("its own vector lacks nothing", func(t *testing.T) {
			v, err := s.Vector(t.Context())
			check(t, err)
			page, more, err := s.Missing(t.Context(), v, 1<<20)
			check(t, err)
			if more || len(page) != 0 || len(v.Entries) != 2 || v.RosterVersion != 1 {
				t.Errorf("vector %+v lacks %d records", v, len(page))
			}
		})
		t.Run("another history gets what may be another", func(t *testing.T) {
			v, err := s.Vector(t.Context())
			check(t, err)
			v.Entries[0].Seq, v.Entries[0].Head = 12, [8]byte{1}
			page, _, err := s.Missing(t.Context(), v, 1<<20)
			check(t, err)
			if !cmp.Equal(page, first) {
				t.Errorf("%d records", len(page))
			}
		})
		t.Run("what a later roster cuts is gone from it", func(t *testing.T) {
			e, err := record.Parse(first[4])
			check(t, err)
			check(t, s.InstallRoster(t.Context(), g.next(t, func(r *territory.Roster) {
				r.Hubs[0].State = territory.HubExpelled
				r.Hubs[0].Cuts = []territory.Cut{{Incarnation: 1, Seq: 5, Hash: e.Hash[:]}}
			})))
			page, _, err := s.Missing(t.Context(), record.Vector{}, 1<<20)
			check(t, err)
			if !cmp.Equal(page, slices.Concat(first[:5], second)) {
				t.Errorf("%d records", len(page))
			}
			counts, err := s.Counts(t.Context(), g.hub(1))
			check(t, err)
			if diff := cmp.Diff(national.Counts{Records: 15, Notices: 4 + 7, Revocations: 1 + 2}, counts); diff != "" {
				t.Error(diff)
			}
		})
	})
}

// TestForkedLogs: of two services that know one branch each of a log, each gets
// the other's by asking, page by page, and then they show the same.
func TestForkedLogs(t *testing.T) {
	storetest.Each(t, func(t *testing.T, empty storetest.Empty) {
		one, two := newGround(t, empty(t), 2), newGround(t, empty(t), 2)
		two.root, two.rootKey, two.keys, two.witness = one.root, one.rootKey, one.keys, one.witness
		national := two.roster.National
		two.roster = one.roster
		a := one.open(t, service.Limits{})
		two.roster.National = national
		b := two.open(t, service.Limits{})

		log := one.pen(one.hub(0))
		common := log.write(t, 40)
		other := *log
		other.salt = 9
		for s, wires := range map[*service.Service][][]byte{a: log.write(t, 12), b: other.write(t, 70)} {
			_, err := s.Apply(t.Context(), slices.Concat(common, wires), one.hub(1))
			check(t, err)
		}
		pull := func(to, from *service.Service) int {
			v, err := to.Vector(t.Context())
			check(t, err)
			page, _, err := from.Missing(t.Context(), v, 4000)
			check(t, err)
			done, err := to.Apply(t.Context(), page, one.hub(1))
			check(t, err)
			return done.New
		}
		for range 200 {
			pull(a, b)
			pull(b, a)
		}
		for _, s := range []*service.Service{a, b} {
			counts, err := s.Counts(t.Context(), one.hub(1))
			check(t, err)
			if counts.Records != 40+12+70 {
				t.Errorf("%d records", counts.Records)
			}
		}
		v, err := a.Vector(t.Context())
		check(t, err)
		if page, more, err := b.Missing(t.Context(), v, 4000); err != nil || more || len(page) != 0 {
			t.Errorf("%d still missing, more %v (%v)", len(page), more, err)
		}
	})
}

// TestHeldAboveTheCut: a record far above the end that a roster gives its log is
// in no page and no count, though nothing between is known.
func TestHeldAboveTheCut(t *testing.T) {
	storetest.Each(t, func(t *testing.T, empty storetest.Empty) {
		g := newGround(t, empty(t), 2)
		s := g.open(t, service.Limits{})
		wires := g.pen(g.hub(0)).write(t, 40) // the 40th is of an unknown kind, the 36th a revocation
		_, err := s.Apply(t.Context(), slices.Concat(wires[:5], wires[35:36]), g.hub(1))
		check(t, err)
		held := func() int {
			v, err := s.Vector(t.Context())
			check(t, err)
			page, more, err := s.Missing(t.Context(), v, 1<<20)
			check(t, err)
			if more {
				t.Error("more than what waits")
			}
			return len(page)
		}
		if n := held(); n != 1 {
			t.Errorf("%d revocations that wait were handed on", n)
		}
		e, err := record.Parse(wires[19])
		check(t, err)
		check(t, s.InstallRoster(t.Context(), g.next(t, func(r *territory.Roster) {
			r.Hubs[0].State = territory.HubExpelled
			r.Hubs[0].Cuts = []territory.Cut{{Incarnation: 1, Seq: 20, Hash: e.Hash[:]}}
		})))
		counts, err := s.Counts(t.Context(), g.hub(1))
		check(t, err)
		if n := held(); n != 0 || counts.Records != 5 {
			t.Errorf("%d above the cut handed on, %d counted", n, counts.Records)
		}
	})
}

// vectorOf is what a hub that holds exactly these records would say.
func vectorOf(t *testing.T, g *ground, wires [][]byte) record.Vector {
	t.Helper()
	heads := map[territory.HubID]*record.Envelope{}
	for _, w := range wires {
		e, err := record.Parse(w)
		check(t, err)
		heads[e.Hub] = e
	}
	v := record.Vector{Salt: [16]byte{1}}
	for _, h := range g.roster.Hubs {
		if e := heads[h.ID]; e != nil {
			v.Entries = append(v.Entries, record.VectorEntry{Index: h.Index, Incarnation: 1, Seq: e.Seq, Head: record.Salted(v.Salt, e.Hash)})
		}
	}
	return v
}
