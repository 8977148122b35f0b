package node_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"math/big"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"relais/node"
	"relais/node/id"
	"relais/node/record"
	"relais/node/territory"
)

// ghost is a hub without a folder: a key that signs whatever the test wants.
type ghost struct {
	key  *ecdsa.PrivateKey
	der  []byte
	id   territory.HubID
	prev [16]byte
	seq  uint32
}

func newGhost(t testing.TB) *ghost {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return &ghost{key: key, der: der, id: territory.HubIDOf(der)}
}

// join puts ghosts into a roster, serving the one structure.
func join(ghosts ...*ghost) func(*territory.Roster) {
	return func(r *territory.Roster) {
		for i, g := range ghosts {
			r.Hubs = append(r.Hubs, territory.Hub{
				Index: uint16(100 + i), ID: g.id, Name: "Fantôme", Identity: g.der, Witness: make([]byte, 32),
				Recipient: r.Hubs[0].Recipient, Assurance: territory.AssuranceSoftware, State: territory.HubActive,
			})
			r.Structures[0].Serving = append(r.Structures[0].Serving, g.id)
		}
	}
}

func (g *ghost) log() record.LogID { return record.LogID{Hub: g.id, Incarnation: 1} }

// record makes the next record of the ghost's log, without moving it.
func (g *ghost) record(at time.Time, body record.Body) record.Record {
	return record.Record{
		Territory: "demo", Place: record.Place{LogID: g.log(), Seq: g.seq + 1},
		Prev: g.prev, Time: at, Kind: record.KindOf(body), Body: body,
	}
}

func (g *ghost) sign(t testing.TB, r record.Record) (wire []byte, h record.Hash) {
	t.Helper()
	payload, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	signature, err := record.Sign(g.key, r.Territory, g.id, payload)
	if err != nil {
		t.Fatal(err)
	}
	return record.Assemble(g.id, payload, signature), record.ChainHash(g.id, payload)
}

// say signs the next record of the log.
func (g *ghost) say(t testing.TB, at time.Time, body record.Body) []byte {
	t.Helper()
	wire, h := g.sign(t, g.record(at, body))
	g.prev, g.seq = [16]byte(h[:16]), g.seq+1
	return wire
}

func (l *land) notice(code record.StopCode) *record.Notice {
	now := l.clock.Now()
	n := &record.Notice{
		Mandate: id.Random[record.MandateID](), Structure: l.office, Lines: 2, Start: now, End: now.AddDate(0, 0, 31),
		Regime: record.Local, Stop: code.Commitment("demo"),
	}
	rand.Read(n.Dossier[:])
	return n
}

func (l *land) stop(m record.MandateID, lines uint32) *record.Revocation {
	return &record.Revocation{
		Mandate: m, Lines: lines, Reason: record.ReasonPerson, Channel: record.ChannelDesk, Claimed: l.clock.Now(),
	}
}

func apply(t testing.TB, h *hub, from territory.HubID, wires ...[]byte) node.Applied {
	t.Helper()
	applied, err := h.Apply(t.Context(), wires, from)
	if err != nil {
		t.Fatal(err)
	}
	return applied
}

// pageOctets is small enough for many pages, and large enough for a few variants
// of one place.
const pageOctets = 1500

// meet lets two hubs compare vectors and fetch until neither lacks anything, one
// small page at a time.
func meet(t testing.TB, a, b *hub) {
	t.Helper()
	for range 2000 {
		if moved := pull(t, a, b) + pull(t, b, a); moved == 0 && !behind(t, a, b) && !behind(t, b, a) {
			return
		}
	}
	t.Fatal("two hubs never have enough of each other")
}

func pull(t testing.TB, to, from *hub) (moved int) {
	t.Helper()
	v, err := to.Vector(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	page, _, err := from.Missing(t.Context(), v, pageOctets)
	if err != nil {
		t.Fatal(err)
	}
	return apply(t, to, from.Self(), page...).New
}

// behind tells whether a hub sees that it lacks something of another's.
func behind(t testing.TB, h, other *hub) bool {
	t.Helper()
	v, err := other.Vector(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	behind, err := h.Behind(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	return behind
}

func author(t testing.TB, h *hub, body record.Body) record.Place {
	t.Helper()
	p, _, err := h.Author(t.Context(), body)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func signAll(t testing.TB, h *hub) {
	t.Helper()
	if err := h.SignAll(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func standing(t testing.TB, h *hub, m record.MandateID) record.Standing {
	t.Helper()
	s, _, err := h.Standing(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func three(t *testing.T) (l *land, a, b, c *hub) {
	t.Helper()
	l = newLand(t)
	a, b, c = l.newHub(t, "Valbrume"), l.newHub(t, "Port-Exemple"), l.newHub(t, "Le bus")
	l.enrol(t)
	return l, a, b, c
}

// TestThreeHubs: what one says, all know, over a neighbour too; then nothing more
// is missing, and vectors agree.
func TestThreeHubs(t *testing.T) {
	l, a, b, c := three(t)
	first, second := l.notice(record.NewStopCode()), l.notice(record.NewStopCode())
	author(t, a, first)
	author(t, c, second)
	for range 5 {
		author(t, a, l.notice(record.NewStopCode()))
	}
	signAll(t, a)
	signAll(t, c)
	meet(t, a, b)
	meet(t, b, c) // c never meets a
	meet(t, b, a)
	author(t, b, l.stop(first.Mandate, 0))
	author(t, b, l.stop(second.Mandate, 1))
	signAll(t, b)
	meet(t, b, c)
	meet(t, b, a)

	for _, h := range []*hub{a, b, c} {
		if s := standing(t, h, first.Mandate); !s.All || s.Notices != 1 {
			t.Errorf("%s: first mandate %+v", h.Name(), s)
		}
		if s := standing(t, h, second.Mandate); s.All || s.Lines != 1 {
			t.Errorf("%s: second mandate %+v", h.Name(), s)
		}
		for _, other := range []*hub{a, b, c} {
			v, err := other.Vector(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if behind, err := h.Behind(t.Context(), v); err != nil || behind {
				t.Errorf("%s is behind %s (%v)", h.Name(), other.Name(), err)
			}
			if page, more, err := h.Missing(t.Context(), v, 1<<20); err != nil || more || len(page) > 0 {
				t.Errorf("%s: %d records missing at %s (%v)", h.Name(), len(page), other.Name(), err)
			}
		}
		counts, err := h.RecordCounts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(node.RecordCounts{Records: 9, Notices: 7, Revocations: 2}, counts); diff != "" {
			t.Errorf("%s (-want +got):\n%s", h.Name(), diff)
		}
	}
}

func TestBehind(t *testing.T) {
	l, a, b, _ := three(t)
	author(t, a, l.notice(record.NewStopCode()))
	v, _ := a.Vector(t.Context())
	if behind, err := b.Behind(t.Context(), v); err != nil || behind {
		t.Errorf("behind an unsigned record (%v)", err)
	}
	signAll(t, a)
	v, _ = a.Vector(t.Context())
	if behind, err := b.Behind(t.Context(), v); err != nil || !behind {
		t.Errorf("not behind a signed record (%v)", err)
	}
}

// TestUnsignedStaysHome: until it is signed a record holds here and is nowhere in
// what others are told.
func TestUnsignedStaysHome(t *testing.T) {
	l, a, b, _ := three(t)
	n := l.notice(record.NewStopCode())
	author(t, a, n)
	author(t, a, l.stop(n.Mandate, 0))
	if s := standing(t, a, n.Mandate); !s.All {
		t.Errorf("here: %+v", s)
	}
	v, err := a.Vector(t.Context())
	if err != nil || len(v.Entries) != 0 {
		t.Errorf("vector %v (%v)", v.Entries, err)
	}
	meet(t, a, b)
	if s := standing(t, b, n.Mandate); s.Notices != 0 {
		t.Errorf("there: %+v", s)
	}
	signAll(t, a)
	meet(t, a, b)
	if s := standing(t, b, n.Mandate); !s.All {
		t.Errorf("there, once signed: %+v", s)
	}
}

func TestApplyRefuses(t *testing.T) {
	l := newLand(t)
	h := l.newHub(t, "Valbrume")
	member, stranger, expelled := newGhost(t), newGhost(t), newGhost(t)
	l.enrol(t, join(member, expelled), func(r *territory.Roster) { r.Hubs[2].State = territory.HubExpelled })
	now := l.clock.Now()
	body := l.notice(record.NewStopCode())
	good := member.say(t, now, body)
	altered := bytes.Clone(good)
	altered[60] ^= 1
	unsigned := append(bytes.Clone(good[:len(good)-64]), make([]byte, 64)...)
	elsewhere := member.record(now, body)
	elsewhere.Territory = "ailleurs"
	wrong, _ := member.sign(t, elsewhere)
	order := elliptic.P256().Params().N
	high := bytes.Clone(good)
	s := new(big.Int).SetBytes(high[len(high)-32:])
	s.Sub(order, s).FillBytes(high[len(high)-32:])

	for name, wire := range map[string][]byte{
		"altered":            altered,
		"unsigned":           unsigned,
		"high-S":             high,
		"oddly encoded":      append([]byte{0xd8, 0x12}, good[1:]...),
		"oversized":          append(bytes.Clone(good), make([]byte, 255)...),
		"nothing":            {},
		"of another":         wrong,
		"not a member":       stranger.say(t, now, body),
		"of an expelled hub": expelled.say(t, now, body),
		"signed by a colleague": func() []byte {
			r := member.record(now, body)
			payload, err := r.Encode()
			if err != nil {
				t.Fatal(err)
			}
			signature, err := record.Sign(stranger.key, "demo", member.id, payload)
			if err != nil {
				t.Fatal(err)
			}
			return record.Assemble(member.id, payload, signature)
		}(),
	} {
		applied := apply(t, h, member.id, wire)
		if applied != (node.Applied{Refused: 1}) {
			t.Errorf("%s: %+v", name, applied)
		}
	}
	if n, err := h.RecordCounts(t.Context()); err != nil || n.Records != 0 {
		t.Errorf("%d records kept (%v)", n.Records, err)
	}

	// One bad record never spoils the others.
	applied := apply(t, h, member.id, altered, good, good, high)
	if applied != (node.Applied{New: 1, Known: 1, Refused: 2}) {
		t.Errorf("mixed batch: %+v", applied)
	}
}

func TestApplyWithoutRoster(t *testing.T) {
	l := newLand(t)
	h := l.newHub(t, "Valbrume")
	g := newGhost(t)
	if a := apply(t, h, g.id, g.say(t, l.clock.Now(), l.notice(record.NewStopCode()))); a.Refused != 1 {
		t.Errorf("%+v", a)
	}
	if _, _, err := h.Author(t.Context(), l.notice(record.NewStopCode())); err == nil {
		t.Error("authored without a roster")
	}
}

// TestKeptAndMute: what cannot count is kept, relayed and shown, for dropping it
// would block its log.
func TestKeptAndMute(t *testing.T) {
	l := newLand(t)
	a, b := l.newHub(t, "Valbrume"), l.newHub(t, "Port-Exemple")
	g := newGhost(t)
	l.enrol(t, join(g), func(r *territory.Roster) {
		r.Structures = append(r.Structures, territory.Structure{
			ID: id.Random[territory.StructureID](), Name: "Une autre", State: territory.StructureOpen, Serving: []territory.HubID{r.Hubs[0].ID},
		})
	})
	now := l.clock.Now()
	code := record.NewStopCode()
	good := l.notice(code)
	long, early, foreign := l.notice(code), l.notice(code), l.notice(code)
	long.End = long.Start.AddDate(2, 0, 0)
	foreign.Structure = a.Roster().Structures[1].ID
	other := record.NewStopCode()
	var wires [][]byte
	for _, body := range []record.Body{
		&record.Unknown{Of: 77, Version: 1, Raw: []byte{0x01}},                // a kind to come
		&record.Unknown{Of: record.KindNotice, Version: 1, Raw: []byte{0x80}}, // no notice
		&record.Unknown{Of: record.KindNotice, Version: 2, Raw: []byte{0x80}}, // a version to come
		long,    // time
		foreign, // author
		good,
		&record.Revocation{Mandate: good.Mandate, Channel: record.ChannelKiosk, Claimed: now, Code: &other}, // code
	} {
		wires = append(wires, g.say(t, now, body))
	}
	r := g.record(now.Add(-time.Hour), early) // dated before the record it follows
	wire, _ := g.sign(t, r)
	wires = append(wires, wire)

	if applied := apply(t, a, g.id, wires...); applied != (node.Applied{New: len(wires)}) {
		t.Fatalf("%+v", applied)
	}
	meet(t, a, b)
	want := map[record.Bar]int{record.BarKind: 3, record.BarTime: 2, record.BarAuthor: 1, record.BarCode: 1}
	for _, h := range []*hub{a, b} {
		got, err := h.Barred(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", h.Name(), diff)
		}
		if s := standing(t, h, good.Mandate); s.Notices != 1 || s.All {
			t.Errorf("%s: the good one %+v", h.Name(), s)
		}
		for _, n := range []*record.Notice{long, early, foreign} {
			if s := standing(t, h, n.Mandate); s.Notices != 0 {
				t.Errorf("%s: a mute notice counts: %+v", h.Name(), s)
			}
		}
	}
}

// TestHeld: a revocation applies wherever it stands in its log; the rest waits,
// within bounds.
func TestHeld(t *testing.T) {
	t.Parallel()
	l := newLand(t)
	h := l.newHub(t, "Valbrume")
	g := newGhost(t)
	l.enrol(t, join(g))
	now := l.clock.Now()
	n := l.notice(record.NewStopCode())
	wires := [][]byte{g.say(t, now, n)}
	for range 1030 {
		wires = append(wires, g.say(t, now, l.notice(record.NewStopCode())))
	}
	author(t, h, n2stop(l, n)) // its own revocation of a mandate it does not know yet
	wires = append(wires, g.say(t, now, l.stop(n.Mandate, 2)))

	last := len(wires) - 1
	if a := apply(t, h, g.id, wires[last]); a.New != 1 || a.Held != 1 {
		t.Fatalf("revocation out of order: %+v", a)
	}
	if a := apply(t, h, g.id, wires[1:last]...); a.Held != 1023 || a.Postponed != 7 {
		t.Errorf("held %d, postponed %d", a.Held, a.Postponed)
	}
	if s := standing(t, h, n.Mandate); s.Notices != 0 {
		t.Errorf("counts without its notice: %+v", s)
	}
	if a := apply(t, h, g.id, wires[0]); a.New != 1 || a.Held != 0 {
		t.Errorf("what was missing: %+v", a)
	}
	if s := standing(t, h, n.Mandate); s.Lines != 2|1 {
		t.Errorf("stopped lines %b", s.Lines)
	}
	state, err := h.LogState(t.Context(), g.log())
	if err != nil || state.Head != 1024 {
		t.Errorf("head %d (%v)", state.Head, err)
	}
	apply(t, h, g.id, wires...)
	if state, _ := h.LogState(t.Context(), g.log()); int(state.Head) != len(wires) {
		t.Errorf("head %d of %d", state.Head, len(wires))
	}
}

func n2stop(l *land, n *record.Notice) *record.Revocation { return l.stop(n.Mandate, 1) }

// TestNothingPersonal: neither a name nor a stop code is in any record or notice,
// but for the code of a stop by code, public from then on.
func TestNothingPersonal(t *testing.T) {
	l, a, _, _ := three(t)
	code := record.NewStopCode()
	var wires [][]byte
	a.OnRecord(func(wire []byte, _ territory.HubID) { wires = append(wires, bytes.Clone(wire)) })
	n := l.notice(code)
	author(t, a, n)
	author(t, a, l.stop(n.Mandate, 1))
	signAll(t, a)
	planted := [][]byte{code[:], []byte(code.String()), []byte(code.String()[:4]), []byte("Exemplaire"), []byte("impots")}
	for _, wire := range wires {
		for _, p := range planted {
			if bytes.Contains(wire, p) {
				t.Errorf("found %q in % x", p, wire)
			}
		}
	}
	if len(wires) != 2 {
		t.Fatalf("%d records seen", len(wires))
	}
	// The twin: after the stop by code it is there, so the search finds things.
	if _, err := a.StopByCode(t.Context(), code.String(), "borne"); err != nil {
		t.Fatal(err)
	}
	signAll(t, a)
	if len(wires) != 3 || !bytes.Contains(wires[2], code[:]) {
		t.Error("the search finds nothing, even where it is")
	}
}

// TestRecordAlarms: what is kept and mute, and a hub that stops many mandates of others,
// are shown.
func TestRecordAlarms(t *testing.T) {
	l := newLand(t)
	h := l.newHub(t, "Valbrume")
	g, busy := newGhost(t), newGhost(t)
	l.enrol(t, join(g, busy), func(r *territory.Roster) {
		r.Structures[0].Serving = r.Structures[0].Serving[:2] // not the busy one
	})
	now := l.clock.Now()
	keys := func() map[string]bool {
		v, err := h.Territory(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]bool{}
		for _, a := range v.Alarms {
			found[a.Key] = true
		}
		return found
	}
	for i := range 21 {
		n := l.notice(record.NewStopCode())
		apply(t, h, g.id, g.say(t, now, n))
		if k := keys(); k["flood"] || k["mute"] {
			t.Fatalf("after %d stops: %v", i, k)
		}
		stop := l.stop(n.Mandate, 0)
		stop.Channel = []record.Channel{record.ChannelDesk, record.ChannelNational, record.ChannelSystem, 9}[i%4] // whatever it says
		apply(t, h, busy.id, busy.say(t, now, stop))
		if s := standing(t, h, n.Mandate); !s.All {
			t.Fatalf("stop %d was not applied", i)
		}
		v, err := h.Notice(t.Context(), n.Mandate)
		if err != nil || len(v.Stops) != 1 || v.Stops[0].Channel != record.ChannelDesk || v.Stops[0].Where != busy.id {
			t.Fatalf("the blame goes elsewhere: %+v (%v)", v.Stops, err)
		}
	}
	apply(t, h, g.id, g.say(t, now, &record.Unknown{Of: 99, Version: 1, Raw: []byte{0}}))
	if k := keys(); !k["flood"] || !k["mute"] {
		t.Errorf("%v", k)
	}
	l.clock.Advance(2 * time.Hour)
	if k := keys(); k["flood"] {
		t.Error("an alarm outlives its cause")
	}
}
