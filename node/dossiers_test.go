package node_test

import (
	"strings"
	"testing"
	"time"

	"relais/node/fault"
	"relais/node/journal"
	"relais/node/record"
)

// TestDossierEntries: a hub that asks for the same dossier again and again is one
// entry a quarter of an hour.
func TestDossierEntries(t *testing.T) {
	l, a, b, c := three(t)
	plain, n := l.dossierOf(t, a)
	sealed, err := a.SealDossier(l.office, plain)
	if err != nil {
		t.Fatal(err)
	}
	author(t, a, n)
	if err := a.KeepSealed(t.Context(), n.Mandate, sealed); err != nil {
		t.Fatal(err)
	}
	entries := func() int {
		t.Helper()
		count, err := a.JournalCount(t.Context(), journal.KindDossierGive)
		if err != nil {
			t.Fatal(err)
		}
		return count
	}
	ask := func(asker *hub, advance time.Duration) int {
		t.Helper()
		l.clock.Advance(advance)
		before := entries()
		for range 5 {
			if _, err := a.Dossier(t.Context(), n.Mandate, asker.Self()); err != nil {
				t.Fatal(err)
			}
		}
		return entries() - before
	}
	for i, c := range []struct {
		asker   *hub
		advance time.Duration
		want    int
	}{{c, 0, 1}, {c, 10 * time.Minute, 0}, {b, 0, 1}, {c, 6 * time.Minute, 1}} {
		if got := ask(c.asker, c.advance); got != c.want {
			t.Errorf("round %d: %d entries, want %d", i, got, c.want)
		}
	}
}

// TestUnknownCodeSaysWhatHolds: a helper at this hub could not stop the mandate
// either, since there is no notice of it here.
func TestUnknownCodeSaysWhatHolds(t *testing.T) {
	_, a, _, _ := three(t)
	_, err := a.StopByCode(t.Context(), record.NewStopCode().String(), "borne")
	if m := fault.Of(err).Message; !fault.Is(err, fault.NotFound) || strings.Contains(m, "aidant") || !strings.Contains(m, "pas encore reçu") {
		t.Errorf("%v: %s", err, m)
	}
}
