package node_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"relais/node"
	"relais/node/fault"
	"relais/node/id"
	"relais/node/mandate"
	"relais/node/people"
	"relais/node/record"
	"relais/node/territory"
)

// helperOf is a helper of a structure.
func helperOf(s territory.StructureID) node.Actor {
	return node.Actor{
		Helper: id.Random[people.HelperID](), Structure: s, Role: people.RoleHelper,
		Name: people.Name{Given: "Camille", Family: "Exemplaire"},
	}
}

// told gives one hub's mandate to the others.
func (l *land) told(t *testing.T, h *hub, code record.StopCode) *record.Notice {
	t.Helper()
	n := l.notice(code)
	author(t, h, n)
	signAll(t, h)
	for _, other := range l.hubs {
		if other != h {
			meet(t, h, other)
		}
	}
	return n
}

// TestStopByCode: typed at a kiosk of another hub, the code stops the mandate
// everywhere, at once here, and there as soon as they hear of it.
func TestStopByCode(t *testing.T) {
	l, a, b, c := three(t)
	code := record.NewStopCode()
	n := l.told(t, a, code)
	l.clock.Advance(time.Hour)
	receipt, err := b.StopByCode(t.Context(), strings.ToLower(code.String()), "borne")
	if err != nil {
		t.Fatal(err)
	}
	if receipt.Already || receipt.Published || receipt.Place != "Port-Exemple" || !receipt.At.Equal(l.clock.Now()) ||
		len(receipt.Mandates) != 1 || receipt.Mandates[0] != n.Mandate || receipt.Number == "" {
		t.Errorf("receipt %+v", receipt)
	}
	if s := standing(t, b, n.Mandate); !s.All {
		t.Errorf("not stopped at the kiosk's hub: %+v", s)
	}
	signAll(t, b)
	meet(t, b, c)
	l.clock.Advance(time.Minute)
	meet(t, c, a)
	for _, h := range []*hub{a, b, c} {
		v, err := h.Notice(t.Context(), n.Mandate)
		if err != nil {
			t.Fatal(err)
		}
		if v.State != mandate.StateStopped || len(v.Stops) != 1 || v.Stops[0].WhereName != "Port-Exemple" || v.Stops[0].Channel != record.ChannelKiosk {
			t.Errorf("%s: %+v", h.Name(), v)
		}
		again, err := h.StopByCode(t.Context(), code.String(), "borne")
		if err != nil || !again.Already || again.Number != receipt.Number || again.Place != "Port-Exemple" || !again.Published {
			t.Errorf("%s, typed again: %+v (%v)", h.Name(), again, err)
		}
	}
	if counts, err := a.RecordCounts(t.Context()); err != nil || counts.Revocations != 1 {
		t.Errorf("typing again made %d revocations (%v)", counts.Revocations, err)
	}
}

// TestCodeStopsEveryMatch: the commitment is not unique, so that copying another's
// into a notice does not shield it.
func TestCodeStopsEveryMatch(t *testing.T) {
	l, a, b, _ := three(t)
	code := record.NewStopCode()
	first, second := l.told(t, a, code), l.told(t, a, code)
	receipt, err := b.StopByCode(t.Context(), code.String(), "borne")
	if err != nil || len(receipt.Mandates) != 2 {
		t.Fatalf("%+v (%v)", receipt, err)
	}
	third := l.told(t, a, code) // made after, or heard of later
	signAll(t, b)
	meet(t, a, b)
	for _, n := range []*record.Notice{first, second, third} {
		for _, h := range []*hub{a, b} {
			if s := standing(t, h, n.Mandate); !s.All {
				t.Errorf("%s: %+v", h.Name(), s)
			}
		}
	}
}

// TestNoticesByCode: a desk is told what a code stops before it stops anything;
// its tries wait like a kiosk's.
func TestNoticesByCode(t *testing.T) {
	l, a, b, _ := three(t)
	by := helperOf(territory.StructureID{9})
	code := record.NewStopCode()
	first, second := l.told(t, a, code), l.told(t, a, code)
	found, err := b.NoticesByCode(t.Context(), by, strings.ToLower(code.String()), "bureau")
	if err != nil || len(found) != 2 || found[0].Mandate == found[1].Mandate {
		t.Fatalf("%+v (%v)", found, err)
	}
	for _, n := range []*record.Notice{first, second} {
		if s := standing(t, b, n.Mandate); s.All {
			t.Error("asking stopped it")
		}
	}
	waits := false
	for range 12 {
		_, err = b.NoticesByCode(t.Context(), by, record.NewStopCode().String(), "bureau")
		waits = waits || fault.Is(err, fault.Limited)
	}
	if !waits {
		t.Errorf("no wait after twelve wrong codes: %v", err)
	}
	if _, err := b.NoticesByCode(t.Context(), by, "7K3M", "bureau"); !fault.Is(err, fault.Invalid) {
		t.Errorf("malformed: %v", err)
	}
}

func TestWrongCode(t *testing.T) {
	l, a, _, _ := three(t)
	n := l.told(t, a, record.NewStopCode())
	code := record.NewStopCode()

	t.Run("Malformed", func(t *testing.T) {
		for _, typed := range []string{"", "7K3M", strings.Repeat("A", 400), "0000-0000-0000-0000-1"} {
			_, err := a.StopByCode(t.Context(), typed, "borne")
			if !fault.Is(err, fault.Invalid) || fault.Of(err).Field != "code" {
				t.Errorf("%q: %v", typed, err)
			}
		}
	})
	t.Run("GrowingDelay", func(t *testing.T) {
		var waits []time.Duration
		for range 12 {
			_, err := a.StopByCode(t.Context(), code.String(), "borne")
			switch {
			case fault.Is(err, fault.NotFound):
			case fault.Is(err, fault.Limited):
				wait := fault.Of(err).Wait
				waits = append(waits, wait)
				l.clock.Advance(wait)
			default:
				t.Fatal(err)
			}
		}
		if len(waits) < 3 || waits[len(waits)-1] <= waits[0] || waits[len(waits)-1] > time.Minute {
			t.Errorf("waits %v", waits)
		}
	})
	t.Run("NobodyIsLockedOut", func(t *testing.T) {
		l.clock.Advance(time.Minute)
		good := record.NewStopCode()
		l.told(t, a, good)
		if _, err := a.StopByCode(t.Context(), good.String(), "borne"); err != nil {
			t.Errorf("after one wait: %v", err)
		}
		if _, err := a.StopByCode(t.Context(), code.String(), "une autre borne"); !fault.Is(err, fault.NotFound) {
			t.Errorf("another kiosk waits too: %v", err)
		}
	})
	if s := standing(t, a, n.Mandate); s.All {
		t.Error("a wrong code stopped something")
	}
}

func TestStopAtDesk(t *testing.T) {
	l, a, b, _ := three(t)
	n := l.told(t, a, record.NewStopCode())
	by := helperOf(l.office)
	ask := func(s node.DeskStop) (node.Receipt, error) { return b.StopAtDesk(t.Context(), by, s) }

	for name, c := range map[string]struct {
		stop node.DeskStop
		want fault.Code
	}{
		"UnknownMandate": {node.DeskStop{Mandate: id.Random[mandate.ID](), Reason: record.ReasonPerson}, fault.NotFound},
		"NoSuchLine":     {node.DeskStop{Mandate: n.Mandate, Lines: []uint8{3}, Reason: record.ReasonPerson}, fault.Invalid},
		"Line0":          {node.DeskStop{Mandate: n.Mandate, Lines: []uint8{0}, Reason: record.ReasonPerson}, fault.Invalid},
		"NoReason":       {node.DeskStop{Mandate: n.Mandate}, fault.Invalid},
		"InTheFuture":    {node.DeskStop{Mandate: n.Mandate, Reason: record.ReasonPerson, Claimed: l.clock.Now().Add(time.Second)}, fault.Invalid},
		"BeforeTheStart": {node.DeskStop{Mandate: n.Mandate, Reason: record.ReasonPerson, Claimed: n.Start.Add(-time.Second)}, fault.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := ask(c.stop); !fault.Is(err, c.want) {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("Forbidden", func(t *testing.T) {
		administrator := by
		administrator.Role = people.RoleAdministrator
		if _, err := b.StopAtDesk(t.Context(), administrator, node.DeskStop{Mandate: n.Mandate, Reason: record.ReasonPerson}); !fault.Is(err, fault.Forbidden) {
			t.Errorf("got %v", err)
		}
	})

	receipt, err := ask(node.DeskStop{Mandate: n.Mandate, Lines: []uint8{2}, Reason: record.ReasonDone})
	if err != nil || receipt.Already || receipt.Number == "" {
		t.Fatalf("%+v (%v)", receipt, err)
	}
	if again, err := ask(node.DeskStop{Mandate: n.Mandate, Lines: []uint8{2}, Reason: record.ReasonDone}); err != nil || !again.Already || again.Number != receipt.Number {
		t.Errorf("again: %+v (%v)", again, err)
	}
	if s := standing(t, b, n.Mandate); s.All || s.Lines != 2 {
		t.Errorf("%+v", s)
	}
	if _, err := ask(node.DeskStop{Mandate: n.Mandate, Reason: record.ReasonPerson}); err != nil {
		t.Fatal(err)
	}
	if s := standing(t, b, n.Mandate); !s.All {
		t.Errorf("%+v", s)
	}
}

// TestStopBeforeTheMandate: a hub whose clock shows a time before the mandate began
// stops it all the same, at its desk and at its kiosk; nobody says that it was
// stopped before it began.
func TestStopBeforeTheMandate(t *testing.T) {
	l, a, b, _ := three(t)
	code := record.NewStopCode()
	atDesk, atKiosk := l.told(t, a, record.NewStopCode()), l.told(t, a, code)
	l.clock.Advance(-3 * aYear)
	if _, err := b.StopAtDesk(t.Context(), helperOf(l.office), node.DeskStop{Mandate: atDesk.Mandate, Reason: record.ReasonPerson}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.StopByCode(t.Context(), code.String(), "borne"); err != nil {
		t.Fatal(err)
	}
	signAll(t, b)
	l.clock.Advance(3 * aYear)
	meet(t, a, b)
	for _, n := range []*record.Notice{atDesk, atKiosk} {
		v, err := a.Notice(t.Context(), n.Mandate)
		if err != nil {
			t.Fatal(err)
		}
		if v.State != mandate.StateStopped || len(v.Stops) != 1 || v.Stops[0].Claimed.Before(n.Start) {
			t.Errorf("%s: %+v", v.State, v.Stops)
		}
	}
}

// TestForeignDesk: any desk stops any mandate for the person, twenty an hour.
func TestForeignDesk(t *testing.T) {
	l, a, b, _ := three(t)
	other := helperOf(id.Random[territory.StructureID]())
	stop := func(reason record.Reason) error {
		n := l.notice(record.NewStopCode())
		author(t, a, n)
		signAll(t, a)
		meet(t, a, b)
		_, err := b.StopAtDesk(t.Context(), other, node.DeskStop{Mandate: n.Mandate, Reason: reason})
		return err
	}
	if err := stop(record.ReasonStructure); !fault.Is(err, fault.Forbidden) {
		t.Errorf("for another structure's reasons: %v", err)
	}
	for i := range 20 {
		l.clock.Advance(time.Minute)
		if err := stop(record.ReasonPerson); err != nil {
			t.Fatalf("stop %d: %v", i, err)
		}
	}
	err := stop(record.ReasonPerson)
	if !fault.Is(err, fault.Limited) || fault.Of(err).Wait != 41*time.Minute {
		t.Fatalf("the 21st: %v, wait %s", err, fault.Of(err).Wait)
	}
	// What is stopped already is said here too, within the same bound; beyond it the
	// answer is that it is stopped, not when one may try again.
	stopped := l.told(t, a, record.NewStopCode())
	author(t, a, l.stop(stopped.Mandate, 0))
	signAll(t, a)
	meet(t, a, b)
	again := func(stops int) {
		t.Helper()
		r, err := b.StopAtDesk(t.Context(), other, node.DeskStop{Mandate: stopped.Mandate, Reason: record.ReasonPerson})
		if err != nil || !r.Already || r.Place != "Valbrume" {
			t.Errorf("stopped already: %+v, %v", r, err)
		}
		if v, err := b.Notice(t.Context(), stopped.Mandate); err != nil || len(v.Stops) != stops {
			t.Errorf("%d stops, want %d (%v)", len(v.Stops), stops, err)
		}
	}
	again(1)
	n := l.told(t, a, record.NewStopCode())
	if _, err := b.StopAtDesk(t.Context(), helperOf(l.office), node.DeskStop{Mandate: n.Mandate, Reason: record.ReasonPerson}); err != nil {
		t.Errorf("its own mandates: %v", err)
	}
	l.clock.Advance(fault.Of(err).Wait)
	if err := stop(record.ReasonPerson); err != nil {
		t.Errorf("after the wait: %v", err)
	}
	l.clock.Advance(time.Hour)
	again(2)
	again(2)
}

// dossierOf makes a dossier that holds together and the notice that announces it.
func (l *land) dossierOf(t *testing.T, h *hub) (plain []byte, n *record.Notice) {
	t.Helper()
	n = l.notice(record.NewStopCode())
	wording := "Mandat de Denise Exemplaire.\n"
	d := mandate.Dossier{
		Territory: "demo", Hub: h.Self(), Wording: wording,
		Mandate: mandate.Mandate{
			ID: n.Mandate, Regime: record.Local, Structure: l.office, Helper: id.Random[people.HelperID](), HelperName: "Camille Exemplaire",
			Beneficiary: people.Beneficiary{
				Name: people.Name{Given: "Denise", Family: "Exemplaire"}, BirthDate: "1948-03-12", BirthPlace: "Valbrume",
			},
			Declarations: mandate.Declarations{Adult: true, Unprotected: true, Willing: true},
			Evidence:     mandate.EvidenceDocument, Term: mandate.Month,
			Lines: []mandate.Line{
				{Number: 1, Scope: mandate.Argent, Service: "impots.gouv.fr", Acts: []string{"consulter l’avis d’impôt"}},
				{Number: 2, Scope: mandate.Social, Service: "ameli.fr", Acts: []string{"consulter les remboursements"}},
			},
			Start: n.Start, End: mandate.Month.End(n.Start), Text: mandate.TextHash(wording),
		},
	}
	d.Salt[0] = 1
	n.End = d.Mandate.End
	plain, err := d.Encode()
	if err != nil {
		t.Fatal(err)
	}
	n.Dossier = record.DossierDigest(plain)
	return plain, n
}

func TestDossiers(t *testing.T) {
	l := newLand(t)
	a, b, c := l.newHub(t, "Valbrume"), l.newHub(t, "Port-Exemple"), l.newHub(t, "Le bus")
	l.enrol(t, func(r *territory.Roster) { r.Structures[0].Serving = []territory.HubID{a.Self(), c.Self()} })
	plain, n := l.dossierOf(t, a)
	sealed, err := a.SealDossier(l.office, plain)
	if err != nil {
		t.Fatal(err)
	}
	author(t, a, n)
	if err := a.KeepSealed(t.Context(), n.Mandate, sealed); err != nil {
		t.Fatal(err)
	}
	signAll(t, a)
	meet(t, a, b)
	meet(t, a, c)

	wanted := func(h *hub) []node.WantedDossier {
		w, err := h.WantedDossiers(t.Context(), 10)
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	if w := wanted(b); len(w) != 0 {
		t.Errorf("a hub that does not serve the structure wants %v", w)
	}
	w := wanted(c)
	if len(w) != 1 || w[0].Mandate != n.Mandate || len(w[0].From) != 1 || w[0].From[0] != a.Self() {
		t.Fatalf("wanted %+v", w)
	}

	t.Run("ErrForbidden", func(t *testing.T) {
		if _, err := a.Dossier(t.Context(), n.Mandate, b.Self()); !fault.Is(err, fault.Forbidden) {
			t.Errorf("handed over: %v", err)
		}
		if err := b.PutDossier(t.Context(), n.Mandate, sealed); err == nil {
			t.Error("opened by a hub it is not sealed to")
		}
	})
	t.Run("ErrNotFound", func(t *testing.T) {
		if _, err := c.Dossier(t.Context(), n.Mandate, a.Self()); !fault.Is(err, fault.NotFound) {
			t.Errorf("not here yet: %v", err)
		}
		if _, err := a.Dossier(t.Context(), id.Random[mandate.ID](), c.Self()); !fault.Is(err, fault.NotFound) {
			t.Errorf("no such mandate: %v", err)
		}
	})
	t.Run("ErrAnother", func(t *testing.T) {
		forged, _ := l.dossierOf(t, a)
		resealed, err := a.SealDossier(l.office, forged)
		if err != nil {
			t.Fatal(err)
		}
		for name, octets := range map[string][]byte{
			"another dossier": resealed, "noise": []byte("age-encryption.org/v1\n"), "cut short": sealed[:len(sealed)-1], "too long": make([]byte, 700<<10),
		} {
			if err := c.PutDossier(t.Context(), n.Mandate, octets); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})

	got, err := a.Dossier(t.Context(), n.Mandate, c.Self())
	if err != nil || !bytes.Equal(got, sealed) {
		t.Fatalf("handed over %d octets (%v)", len(got), err)
	}
	for range 2 { // twice is no error
		if err := c.PutDossier(t.Context(), n.Mandate, got); err != nil {
			t.Fatal(err)
		}
	}
	if w := wanted(c); len(w) != 0 {
		t.Errorf("still wanted: %v", w)
	}
	for h, want := range map[*hub]bool{a: true, b: false, c: true} {
		v, err := h.Notice(t.Context(), n.Mandate)
		if err != nil || v.HasDossier != want || v.OriginName != "Valbrume" {
			t.Errorf("%s: %+v (%v)", h.Name(), v, err)
		}
	}
	view, err := c.Mandate(t.Context(), helperOf(l.office), n.Mandate)
	if err != nil || view.Beneficiary.Name.Family != "Exemplaire" || view.StopCode != nil {
		t.Errorf("at the desk of the other hub: %+v (%v)", view, err)
	}
	if got, err := c.Dossier(t.Context(), n.Mandate, a.Self()); err != nil || !bytes.Equal(got, sealed) {
		t.Errorf("handed on: %v", err)
	}
	for _, h := range []*hub{a, b, c} {
		notPlanted(t, h, "Exemplaire", "impots.gouv")
	}
}

// notPlanted looks for clear text in every file of a hub's folder.
func notPlanted(t *testing.T, h *hub, planted ...string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(h.Options.Dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for _, path := range files {
		content, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) || err != nil && strings.Contains(err.Error(), "is a directory") {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		read += len(content)
		for _, p := range planted {
			if bytes.Contains(content, []byte(p)) {
				t.Errorf("%s is in %s", p, path)
			}
		}
	}
	if read < 10000 {
		t.Errorf("only %d octets searched", read)
	}
}
