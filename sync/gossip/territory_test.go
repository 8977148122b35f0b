package gossip_test

import (
	"net/url"
	"testing"
	"time"

	"relais/node"
	"relais/node/id"
	"relais/node/mandate"
	"relais/node/mediation"
	"relais/node/people"
	"relais/sync/link/linktest"
	"relais/sync/link/relay"
)

// helper is somebody who may grant at a hub.
type helper struct {
	site *site
	by   node.Actor
	totp string
	used int // codes: the one before, the present one and the next are accepted in turn
}

func (l *land) helper(t *testing.T, s *site) *helper {
	t.Helper()
	e, err := s.EnrolHelper(t.Context(), nil, node.NewHelper{
		Login: "camille", Name: people.Name{Given: "Camille", Family: "Exemple"}, Structure: l.office,
	})
	check(t, err)
	by, err := s.Actor(t.Context(), e.Helper)
	check(t, err)
	return &helper{site: s, by: by, totp: e.TOTP}
}

// grant draws up a mandate through the hub's own steps and hands the paper over
// last, so that the stop code can be read from it.
func (h *helper) grant(t *testing.T) (mandate.ID, string) {
	t.Helper()
	ctx := t.Context()
	visit := id.Random[mediation.AccompanimentID]()
	_, err := h.site.OpenAccompaniment(ctx, h.by, node.NewAccompaniment{ID: visit, Posture: mediation.PostureDo, Theme: "argent"})
	check(t, err)
	_, err = h.site.SaveDraft(ctx, h.by, node.Draft{
		Accompaniment: visit,
		Person: people.Beneficiary{
			Name: people.Name{Given: "Denise", Family: "Le Goff"}, BirthDate: "12/03/1948", BirthPlace: "Quimper", Contact: "06 12 34 56 78",
		},
		Declarations: mandate.Declarations{Adult: true, Unprotected: true, Willing: true},
		Evidence:     mandate.EvidenceDocument,
		Lines:        []mandate.Line{{Scope: mandate.Argent, Service: "impots.gouv.fr", Acts: []string{"consulter l’avis d’impôt"}}},
		Term:         mandate.Month,
	})
	check(t, err)
	recap, err := h.site.Recap(ctx, h.by, visit)
	check(t, err)
	seed, err := people.ParseURI(h.totp)
	check(t, err)
	code := seed.Code(people.Step(time.Now()) + int64(h.used) - 1)
	h.used++
	m, err := h.site.Grant(ctx, h.by, visit, node.Approval{Recap: recap.Hash, Code: code})
	check(t, err)
	view, err := h.site.Mandate(ctx, h.by, m)
	check(t, err)
	return m, view.StopCode.String()
}

// stopped tells whether the hub knows the mandate as stopped.
func stopped(t *testing.T, s *site, m mandate.ID) bool {
	n, err := s.Notice(t.Context(), m)
	return err == nil && n.State == mandate.StateStopped
}

// holds tells whether the hub knows the mandate and has its dossier.
func holds(t *testing.T, s *site, m mandate.ID) (known, dossier bool) {
	n, err := s.Notice(t.Context(), m)
	return err == nil, err == nil && n.HasDossier
}

func TestRealTerritory(t *testing.T) {
	t.Parallel()
	line := relay.New()
	t.Cleanup(func() { line.Close() })
	proxy, err := line.Proxy("127.0.0.1:0")
	check(t, err)
	l := newLand(t)
	valbrume := l.add(t, true, nil, nil)
	kiosk := l.add(t, false, nil, nil)
	bus := l.add(t, true, &url.URL{Scheme: "http", Host: proxy}, func(address string) string {
		front, err := line.Forward("127.0.0.1:0", address)
		check(t, err)
		return front
	})
	l.start(t)
	defer l.stop()
	l.met(t)
	camille, sam := l.helper(t, valbrume), l.helper(t, bus)

	first, code := camille.grant(t)
	second, code2 := camille.grant(t)
	linktest.Eventually(t, 10*time.Second, "notices at 3/3, dossiers at the bus alone", func() bool {
		known, there := holds(t, kiosk, second)
		_, atBus := holds(t, bus, second)
		_, firstAtBus := holds(t, bus, first)
		return known && !there && atBus && firstAtBus
	})

	_, err = kiosk.StopByCode(t.Context(), code, "kiosk")
	check(t, err)
	linktest.Eventually(t, 5*time.Second, "the stop is known everywhere", func() bool {
		return stopped(t, valbrume, first) && stopped(t, bus, first) && stopped(t, kiosk, first)
	})

	line.Cut()
	offline, _ := sam.grant(t)
	_, err = kiosk.StopByCode(t.Context(), code2, "kiosk")
	check(t, err)
	linktest.Eventually(t, 5*time.Second, "the second stop is known in town", func() bool { return stopped(t, valbrume, second) })
	if known, _ := holds(t, valbrume, offline); known || stopped(t, bus, second) {
		t.Fatal("something passed the cut")
	}
	line.Restore()
	restored := time.Now()
	linktest.Eventually(t, 20*time.Second, "nothing lost on either side", func() bool {
		_, dossier := holds(t, valbrume, offline)
		known, _ := holds(t, kiosk, offline)
		return dossier && known && stopped(t, bus, second)
	})
	t.Logf("both sides complete %v after the cut", time.Since(restored).Round(time.Millisecond))
	linktest.Eventually(t, 20*time.Second, "the bus says that it hears the others again", func() bool {
		fresh, err := bus.Freshness(t.Context())
		check(t, err)
		return !fresh.At.Before(restored.Truncate(time.Second)) && fresh.Seen >= 3
	})
}

func TestRosterTravels(t *testing.T) { // a newer roster reaches those who were not told
	t.Parallel()
	l := newLand(t)
	a, b := l.add(t, true, nil, nil), l.add(t, true, nil, nil)
	l.start(t)
	defer l.stop()
	l.met(t)
	check(t, a.InstallRoster(t.Context(), l.sign(t)))
	linktest.Eventually(t, 20*time.Second, "b has the newer roster", func() bool { return b.Roster().Version == a.Roster().Version })
}
