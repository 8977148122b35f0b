package simulation_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"relais/node"
	"relais/node/fault"
	"relais/node/id"
	"relais/node/mandate"
	"relais/node/mediation"
	"relais/node/people"
	"relais/node/record"
	"relais/node/territory"
	"relais/sync/link"
)

// event is something that happens in a territory. Where it cannot happen now,
// nothing does.
type event struct {
	name   string
	weight int
	happen func(*world, *testing.T)
}

// events are all that may happen, the everyday most often.
var events = []event{
	{"grant", 4, func(w *world, t *testing.T) { w.grant(t, w.anyAwake()) }},
	{"stop", 6, (*world).stopSome},
	{"forget", 3, (*world).forget},
	{"divide", 3, (*world).divide},
	{"heal", 2, (*world).heal},
	{"sleep", 2, func(w *world, t *testing.T) { w.sleep(t, w.anyAwake()) }},
	{"wake", 3, (*world).wakeOne},
	{"restart", 2, (*world).restart},
	{"skew", 2, (*world).skew},
	{"backup", 2, (*world).backup},
	{"restore", 2, (*world).restore},
	{"clone", 1, (*world).clone},
	{"expel", 1, (*world).expel},
	{"forge", 3, (*world).forge},
}

// happens draws an event.
func (w *world) happens(t *testing.T) {
	t.Helper()
	total := 0
	for _, e := range events {
		total += e.weight
	}
	n := w.draw.IntN(total)
	for _, e := range events {
		if n -= e.weight; n < 0 {
			w.told = append(w.told, fmt.Sprintf("%s %s", time.Now().Format("02 15:04:05"), e.name))
			e.happen(w, t)
			return
		}
	}
}

// say adds to what the failure of a seed tells.
func (w *world) say(format string, args ...any) {
	w.told[len(w.told)-1] += " " + fmt.Sprintf(format, args...)
}

// stir notes that who can hear whom has changed.
func (w *world) stir() { w.stirred = time.Now() }

// known is a mandate that was granted, whatever the hubs know of it.
type known struct {
	mandate mandate.ID
	code    record.StopCode
	at      *hub // that made it
}

// anyAwake draws a hub that runs; nil: none does.
func (w *world) anyAwake() *hub { return w.pick((*hub).awake) }

func (w *world) pick(which func(*hub) bool) *hub {
	var some []*hub
	for _, h := range w.hubs {
		if which(h) {
			some = append(some, h)
		}
	}
	if len(some) == 0 {
		return nil
	}
	return some[w.draw.IntN(len(some))]
}

// by is the helper of the hub's structure.
func (h *hub) by() node.Actor {
	return node.Actor{
		Helper: h.world.helper, Structure: h.world.officeOf(h.index), Role: people.RoleHelper, Name: people.Name{Given: "Camille", Family: "Exemple"},
	}
}

// mayFail fails the test for an error that no screen explains.
func mayFail(t *testing.T, err error) bool {
	t.Helper()
	if fault.Is(err, fault.Internal) {
		t.Fatal(err)
	}
	return err != nil
}

// grant draws up a mandate, as at a desk.
func (w *world) grant(t *testing.T, h *hub) {
	if h == nil {
		return
	}
	ctx := t.Context()
	visit := node.NewAccompaniment{ID: id.Random[mediation.AccompanimentID](), Posture: mediation.PostureDo, Theme: "argent"}
	if _, err := h.OpenAccompaniment(ctx, h.by(), visit); mayFail(t, err) {
		return
	}
	_, err := h.SaveDraft(ctx, h.by(), node.Draft{
		Accompaniment: visit.ID,
		Person: people.Beneficiary{
			Name: people.Name{Given: "Denise", Family: "Le Goff"}, BirthDate: fmt.Sprint("12/03/", 1930+len(w.mandates)%60), BirthPlace: "Quimper", Contact: "06 12 34 56 78",
		},
		Declarations: mandate.Declarations{Adult: true, Unprotected: true, Willing: true},
		Evidence:     mandate.EvidenceDocument,
		Lines: []mandate.Line{
			{Scope: mandate.Argent, Service: "impots.gouv.fr", Acts: []string{"consulter l’avis d’impôt"}},
			{Scope: mandate.Social, Service: "ameli.fr", Acts: []string{"demander une attestation de droits"}},
		},
		Term: mandate.Long,
	})
	if mayFail(t, err) {
		return
	}
	recap, err := h.Recap(ctx, h.by(), visit.ID)
	if mayFail(t, err) {
		return
	}
	granted, err := h.Grant(ctx, h.by(), visit.ID, node.Approval{Recap: recap.Hash, Code: h.template.seed.Code(people.Step(h.now()))})
	if mayFail(t, err) {
		w.say("refused at %s: %v", h.host, err)
		return
	}
	view, err := h.Mandate(ctx, h.by(), granted)
	check(t, err)
	w.say("%d at %s", len(w.mandates), h.host)
	w.mandates = append(w.mandates, known{granted, *view.StopCode, h})
	check(t, h.CloseAccompaniment(ctx, h.by(), visit.ID))
	w.count.grants++
}

// stopSome stops a mandate where it is known: with its code, or a line at a desk.
func (w *world) stopSome(t *testing.T) {
	h := w.anyAwake()
	if h == nil || len(w.mandates) == 0 {
		return
	}
	i := w.draw.IntN(len(w.mandates))
	if w.draw.IntN(3) == 0 {
		line := uint8(1 + w.draw.IntN(2))
		receipt, err := h.StopAtDesk(t.Context(), h.by(), node.DeskStop{Mandate: w.mandates[i].mandate, Lines: []uint8{line}, Reason: record.ReasonPerson})
		if !mayFail(t, err) {
			w.say("line %d of %d at %s", line, i, h.host)
			w.stopped(h, i, line, receipt)
		}
		return
	}
	if receipt, err := h.StopByCode(t.Context(), w.mandates[i].code.String(), fmt.Sprint("kiosk ", len(w.stops))); !mayFail(t, err) {
		w.say("%d at %s", i, h.host)
		w.stopped(h, i, 0, receipt)
	}
}

// forget stops a mandate where it was made and forgets whose it was.
func (w *world) forget(t *testing.T) {
	if len(w.mandates) == 0 {
		return
	}
	i := w.draw.IntN(len(w.mandates))
	m, h := w.mandates[i], w.mandates[i].at
	if !h.awake() {
		return
	}
	receipt, err := h.StopByCode(t.Context(), m.code.String(), fmt.Sprint("kiosk ", len(w.stops)))
	if mayFail(t, err) {
		return
	}
	w.stopped(h, i, 0, receipt)
	boss := h.by()
	boss.Role = people.RoleReferent
	file, err := h.PersonFile(t.Context(), boss, m.mandate)
	if mayFail(t, err) {
		return
	}
	_, err = h.ForgetPerson(t.Context(), boss, node.Forget{Mandate: m.mandate, Seen: file.Seen, Code: h.template.seed.Code(people.Step(h.now()))})
	if !mayFail(t, err) {
		w.say("%d at %s", i, h.host)
		w.count.forgotten++
	}
}

// stop is one that was asked for and done. Line 0 is the whole.
type stop struct {
	at       time.Time
	hub      *hub
	mandate  int
	line     uint8
	identity territory.HubID
	calm     bool // every hub has had the time to hear of it since the last stir
}

// stopped notes a stop, be it the first or not: each hub's own counts.
func (w *world) stopped(h *hub, i int, line uint8, receipt node.Receipt) {
	if receipt.Already {
		w.say("(already)")
	}
	w.stops = append(w.stops, &stop{time.Now(), h, i, line, h.self(), time.Since(w.stirred) > calmAfter})
	w.count.stops++
}

// divide cuts the line between two parts of the territory.
func (w *world) divide(*testing.T) {
	w.sides = make(map[string]int)
	for _, h := range w.hubs {
		w.sides[h.host] = w.draw.IntN(2)
	}
	w.say("%v", w.sides)
	w.fabric.divide(w.sides)
	w.stir()
}

func (w *world) heal(*testing.T) {
	w.sides = nil
	w.fabric.divide(nil)
	w.stir()
}

func (w *world) sleep(t *testing.T, h *hub) {
	if h == nil {
		return
	}
	w.say("%s", h.host)
	h.end()
	w.stir()
}

func (w *world) wakeOne(t *testing.T) {
	if h := w.pick(func(h *hub) bool { return !h.awake() && !h.gone }); h != nil {
		w.say("%s", h.host)
		h.start(t)
		w.stir()
	}
}

func (w *world) restart(t *testing.T) {
	if h := w.anyAwake(); h != nil {
		w.say("%s", h.host)
		h.end()
		h.start(t)
		w.stir()
	}
}

// skew sets a clock wrong by up to a day, or right.
func (w *world) skew(*testing.T) {
	h := w.hubs[w.draw.IntN(len(w.hubs))]
	by := time.Duration(w.draw.Int64N(int64(48*time.Hour))) - 24*time.Hour
	if w.draw.IntN(2) == 0 {
		by = 0
	}
	w.say("%s %s", h.host, by.Round(time.Second))
	h.skew.Store(int64(by))
}

// backup copies the folder of a hub, which stops for that.
func (w *world) backup(t *testing.T) {
	h := w.pick(func(h *hub) bool { return h.awake() && !h.copied })
	if h == nil {
		return
	}
	w.say("%s", h.host)
	h.end()
	copyFolder(t, h.dir, h.dir+".backup")
	h.start(t)
	h.backup = h.self()
	w.stir()
}

// restore puts a backup in the place of a hub that was lost. It has a new
// identity, and the roster closes the logs of the one before.
func (w *world) restore(t *testing.T) {
	h := w.pick(func(h *hub) bool {
		return h.backup == h.self() && h.signer != h.template.spare && w.state(h.self()) == territory.HubActive && !h.copied && !h.gone
	})
	signer := w.pick(func(s *hub) bool { return s != h && s.awake() && w.state(s.self()) == territory.HubActive && !s.copied })
	if h == nil || signer == nil {
		return
	}
	w.say("%s, said at %s", h.host, signer.host)
	if h.awake() {
		h.end()
	}
	lost := h.self()
	w.out = append(w.out, h.signer)
	copyFolder(t, h.dir+".backup", h.dir)
	h.signer = h.template.spare
	adopted, err := node.AdoptIdentity(t.Context(), h.options())
	check(t, err)
	cuts, err := signer.Cuts(t.Context(), lost)
	check(t, err)
	for _, cut := range adopted.Cuts {
		i := slices.IndexFunc(cuts, func(c territory.Cut) bool { return c.Incarnation == cut.Incarnation })
		switch {
		case i < 0:
			cuts = append(cuts, cut)
		case cuts[i].Seq < cut.Seq:
			cuts[i] = cut
		}
	}
	w.edit(t, func() {
		check(t, w.roster.Replace(territory.Replaced{Hub: lost, Cuts: cuts}, h.self()))
		w.enlist(h)
	})
	h.start(t)
	h.seen = nil
	for _, s := range []*hub{signer, h} {
		check(t, s.InstallRoster(t.Context(), w.signed))
	}
	w.count.restores++
	w.stir()
}

// clone runs a copy of a hub beside it, under the same name.
func (w *world) clone(t *testing.T) {
	h := w.pick(func(h *hub) bool { return h.awake() && w.state(h.self()) == territory.HubActive })
	if h == nil || slices.ContainsFunc(w.hubs, func(h *hub) bool { return h.gone || h.copied }) {
		return
	}
	w.say("%s", h.host)
	h.end()
	twin := &hub{world: w, index: h.index, template: h.template, host: "copy." + h.host, dir: h.dir + ".copy", signer: h.signer}
	twin.skew.Store(h.skew.Load())
	copyFolder(t, h.dir, twin.dir)
	w.hubs = append(w.hubs, twin)
	h.copied, twin.copied, twin.twin = true, true, true
	h.start(t)
	twin.start(t)
	w.count.clones++
	w.stir()
}

// state is where a hub stands in the newest roster.
func (w *world) state(hub territory.HubID) territory.HubState {
	entry, _ := w.roster.Hub(hub)
	return entry.State
}

// expel puts a hub out, its logs closed where one other hub knows them.
func (w *world) expel(t *testing.T) {
	h := w.pick(func(h *hub) bool { return w.state(h.self()) == territory.HubActive && !h.copied })
	signer := w.pick(func(s *hub) bool { return s != h && s.awake() && w.state(s.self()) == territory.HubActive && !s.copied })
	if h == nil || signer == nil || w.count.expulsions > 0 {
		return
	}
	w.say("%s, said at %s", h.host, signer.host)
	cuts, err := signer.Cuts(t.Context(), h.self())
	check(t, err)
	w.edit(t, func() { check(t, w.roster.Expel(h.self(), cuts)) })
	check(t, signer.InstallRoster(t.Context(), w.signed))
	w.out = append(w.out, h.signer)
	w.count.expulsions++
	w.stir()
}

// forge has a hub gone bad tell the others what none may keep: a record of
// another territory, a stranger's, one whose signature is not its author's, and
// what somebody who is out of the territory says since.
func (w *world) forge(t *testing.T) {
	bad := w.pick(func(h *hub) bool { return h.awake() && !h.twin && w.state(h.self()) == territory.HubActive })
	if bad == nil || len(w.mandates) == 0 {
		return
	}
	of := w.mandates[w.draw.IntN(len(w.mandates))].mandate
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	wires := [][]byte{
		forged(t, "ailleurs", bad.signer, of, refusedSeq), forged(t, code, stranger, of, refusedSeq),
	}
	broken := forged(t, code, bad.signer, of, refusedSeq)
	broken[len(broken)-1] ^= 1
	wires = append(wires, broken)
	seq := uint32(refusedSeq)
	if !w.allKnow() {
		seq = lateSeq
	}
	for _, out := range w.out {
		wires = append(wires, forged(t, code, out, of, seq))
	}
	for _, other := range w.hubs {
		for _, wire := range wires {
			if other != bad && other.awake() {
				bad.link.Send(other.self(), link.TypeRecord, wire)
			}
		}
	}
	w.count.forgeries += len(wires)
}

// The places of what is forged, far above all that is said otherwise.
const (
	refusedSeq = 1 << 20 // nobody may keep it
	lateSeq    = 1 << 21 // who does not know yet that its author is out keeps it, inert once it does
)

// allKnow tells whether every hub of the territory has the newest roster.
func (w *world) allKnow() bool {
	return !slices.ContainsFunc(w.hubs, func(h *hub) bool {
		return w.state(h.self()) == territory.HubActive && (!h.awake() || h.Roster().Version != w.roster.Version)
	})
}

// forged is a stop at a place of a log.
func forged(t *testing.T, of territory.Code, author crypto.Signer, stopped mandate.ID, seq uint32) []byte {
	t.Helper()
	self := territory.HubIDOf(spkiOf(author))
	now := clock().UTC().Truncate(time.Millisecond)
	r := record.Record{
		Territory: of, Place: record.Place{LogID: record.LogID{Hub: self, Incarnation: 1}, Seq: seq}, Time: now, Kind: record.KindRevocation,
		Body: &record.Revocation{Mandate: stopped, Reason: record.ReasonPerson, Channel: record.ChannelDesk, Claimed: now},
	}
	payload, err := r.Encode()
	check(t, err)
	signature, err := record.Sign(author, of, self, payload)
	check(t, err)
	return record.Assemble(self, payload, signature)
}

// copyFolder copies the files of a hub that sleeps.
func copyFolder(t *testing.T, from, to string) {
	t.Helper()
	check(t, os.RemoveAll(to))
	check(t, os.CopyFS(to, os.DirFS(from)))
}
